import { get } from 'node:http';
import { InternalError } from '../protocol/errors.js';
import type { BaseStatus } from './core/status.js';
import { ownHandlers } from './dialects/handler.js';

/** What is looked at. */
export interface SelfChecked {
  /** Of the HTTP API, when there is one. */
  readonly apiUrl: string | undefined;
  /** Commits something to the store, and reads it again. */
  probeStore(): Promise<void>;
  status(): Pick<BaseStatus, 'handlers'>;
}

/** A step of the check, in words for the log, and what it does. */
type Step = readonly [name: string, look: () => Promise<void>];

/**
 * Whether the base does its work: goes through its parts, as a unit and a central would. Rejects with InternalError
 * `internal`, which names the part, when one of them fails, or when the signal aborts and the part has not answered.
 */
export async function selfCheck(base: SelfChecked, signal: AbortSignal): Promise<void> {
  const { apiUrl } = base;
  const steps: Step[] = [
    ['the store', () => base.probeStore()],
    ['the handlers', async () => checkHandlers(base.status())],
    ...(apiUrl === undefined ? [] : [['the HTTP API', () => askApi(apiUrl, signal)] satisfies Step]),
  ];
  for (const [name, look] of steps) {
    try {
      await Promise.race([look(), aborted(signal)]);
    } catch (cause) {
      const why = signal.aborted ? 'did not answer in time' : `failed: ${(cause as Error).message}`;
      throw new InternalError('internal', `${name} ${why}`, { cause });
    }
  }
}

/** Ours serve their units until the base stops. What ends one of a user's is contained, and is no reason to end the rest. */
function checkHandlers({ handlers }: Pick<BaseStatus, 'handlers'>): void {
  const isOurs = (name: string): boolean => (ownHandlers as readonly string[]).includes(name);
  const dead = handlers.filter(({ name, state }) => isOurs(name) && state !== 'running');
  if (dead.length > 0)
    throw new InternalError('internal', dead.map(({ name, state }) => `${name} is ${state}`).join(', '));
}

/** Any answer will do, and a connection that is cut as well: it is the base that does so where its clients are too many. */
function askApi(url: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get(`${url}/healthz`, { signal, agent: false }, (response) => {
      response.destroy();
      resolve();
    });
    request.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET') resolve();
      else reject(error);
    });
  });
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
