import { createHmac } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import PusherServer from 'pusher';
import { onTestFinished } from 'vitest';
import { Hub } from '../../../base/hub/hub.js';
import { systemClock, systemRandom } from '../../../base/system.js';
import { makeCertificates } from '../../base/uplinks/certificates.js';
import { HttpReceiver } from '../../base/uplinks/http-receiver.js';
import { QuietLog } from '../../support/quiet-log.js';

const app = { id: 'original', key: 'original-key', secret: 'original-secret' };
const channel = 'private-requests';

/** What stands before an original iot-base: a Pusher server, and a dashboard with a certificate of its own authority. */
export class OriginalDashboard {
  readonly token = 'token-of-the-dashboard';
  /** PEM. */
  readonly ca: string;
  /** Requests that were answered with something else than 2xx. */
  readonly refused: string[] = [];
  /** While true, no reading is answered. */
  isSilent = false;
  readonly #held: ServerResponse[] = [];
  readonly #http: HttpReceiver;
  readonly #pusher: PusherServer;
  readonly #hubPort: number;

  private constructor(http: HttpReceiver, ca: string, hubPort: number) {
    this.#http = http;
    this.ca = ca;
    this.#hubPort = hubPort;
    const own = { host: '127.0.0.1', port: String(hubPort), useTLS: false, timeout: 5_000 };
    this.#pusher = new PusherServer({ appId: app.id, key: app.key, secret: app.secret, ...own });
    http.respond = ({ method, path, headers, body }, response) => {
      const isAllowed = headers.authorization === `Bearer ${this.token}`;
      const end = (status: number, text = ''): void => {
        if (status >= 300) this.refused.push(`${method} ${path}`);
        response.writeHead(status, { 'content-type': 'application/json' }).end(text);
      };
      if (!isAllowed) return end(401);
      if (method === 'POST' && path === '/api/broadcasting/auth') return end(200, sign(new URLSearchParams(body)));
      if (method !== 'PUT' || !path.startsWith('/webhook/update-unit/') || body !== '') return end(404);
      if (this.isSilent) this.#held.push(response);
      else end(200);
    };
  }

  /** Gone after the test. */
  static async start(): Promise<OriginalDashboard> {
    const { ca, key, cert } = makeCertificates();
    const http = await HttpReceiver.start({ tls: { key, cert } });
    onTestFinished(() => http.stop());
    const log = new QuietLog();
    const hub = new Hub({ host: '127.0.0.1', port: 0, apps: [app], clock: systemClock, random: systemRandom, log });
    const { port } = await hub.start();
    onTestFinished(() => hub.stop());
    return new OriginalDashboard(http, ca, port);
  }

  /** The original's `config.json`. */
  config(clients: readonly string[]): object {
    return {
      clients,
      api: { url: this.#http.url, token: this.token },
      pusher: {
        'app-key': app.key,
        cluster: 'eu',
        auth: '/api/broadcasting/auth',
        host: '127.0.0.1',
        port: this.#hubPort,
        tls: false,
      },
    };
  }

  /** Paths of the readings that came, as they were on the wire. */
  readings(of: string): string[] {
    return this.#http.received
      .filter(({ method, path }) => method === 'PUT' && path.includes(`/${of}/`))
      .map(({ path }) => path);
  }

  get paths(): string[] {
    return this.#http.received.map(({ path }) => path);
  }

  /** Readings that wait for an answer. */
  get held(): number {
    return this.#held.length;
  }

  speakAgain(): void {
    this.isSilent = false;
    for (const response of this.#held.splice(0)) response.end();
  }

  async updateRequest(ip: unknown, payload: string): Promise<void> {
    await this.#pusher.trigger(channel, 'update.request', { ip, payload });
  }
}

function sign(form: URLSearchParams): string {
  const text = `${form.get('socket_id')}:${form.get('channel_name')}`;
  return JSON.stringify({ auth: `${app.key}:${createHmac('sha256', app.secret).update(text).digest('hex')}` });
}
