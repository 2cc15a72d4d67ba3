import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { Inbox } from './inbox.js';

export interface ReceivedWebhook {
  readonly headers: IncomingHttpHeaders;
  readonly rawBody: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  readonly events: any[];
  readonly timeMs: number;
}

/** An application's server that takes webhooks. */
export class WebhookReceiver {
  readonly inbox = new Inbox<ReceivedWebhook>();
  /** What it answers; for each request anew. */
  status = 200;
  readonly url: string;

  private constructor(url: string) {
    this.url = url;
  }

  static async start(): Promise<WebhookReceiver> {
    const server = createServer((request, response) => {
      const chunks: Uint8Array[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        const rawBody = Buffer.concat(chunks).toString();
        const { time_ms: timeMs, events } = JSON.parse(rawBody);
        response.writeHead(receiver.status).end();
        receiver.inbox.put({ headers: request.headers, rawBody, events, timeMs });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const receiver = new WebhookReceiver(
      `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks?token=s3cret`,
    );
    onTestFinished(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return receiver;
  }

  /** The one event of the next POST. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  async nextEvent(): Promise<any> {
    const { events } = await this.inbox.next('a webhook');
    if (events.length !== 1) throw new Error(`${events.length} events in one POST`);
    return events[0];
  }
}
