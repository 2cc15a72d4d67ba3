import { Agent, request } from 'undici';
import { sign } from './signatures.js';

/** Sends one body; true for an answer of 2xx. Rejects when there is no answer, or the signal aborts. */
export type PostWebhook = (body: string, signal: AbortSignal) => Promise<boolean>;

const CONNECT_TIMEOUT_MS = 3_000;
/** A receiver's answer is not ours to keep; past this the connection is closed instead of read on. */
const ANSWER_OCTETS = 64 * 1024;

/** Posts to one webhook, signed, over connections of its own. `close` cuts what is under way. */
export function webhookPoster(
  url: string,
  app: { readonly key: string; readonly secret: string },
  connections: number,
): { readonly post: PostWebhook; readonly close: () => Promise<void> } {
  const dispatcher = new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS }, connections });
  return {
    async post(body, signal) {
      const answer = await request(url, {
        method: 'POST',
        body,
        dispatcher,
        signal,
        headers: {
          // Exactly this: the server library refuses "; charset=utf-8".
          'content-type': 'application/json',
          'x-pusher-key': app.key,
          'x-pusher-signature': sign(app.secret, body),
          'user-agent': 'baseunit-hub',
        },
      });
      await answer.body.dump({ limit: ANSWER_OCTETS, signal });
      return answer.statusCode >= 200 && answer.statusCode < 300;
    },
    close: () => dispatcher.destroy(),
  };
}
