import { ConfigurationError, LinkError, TimeoutError } from '../../protocol/errors.js';
import { type AccessListEntry, encodeAccessList } from '../../protocol/iotsocket/access-list.js';
import { MAX_MS, whole } from '../connection/check-option.js';
import { type Answer, ClientCore, type ClientState, type CloseReason, type RequestOptions } from './client-core.js';
import type { HearClient } from './client-event.js';
import { type ClientOptions, type ClientSettings, checkOptions } from './client-options.js';
import { checkUid } from './client-uid.js';
import type { RequestHandler } from './incoming-requests.js';
import { type OutgoingPayload, ReceivedPayload } from './payloads.js';

/** Entries of a list that is sent: 3 MiB, inside what may wait to be sent. */
export const MAX_LIST_ENTRIES = 65_536;

export type CentralClientOptions = ClientOptions;

/** Hears an object's telemetry. */
export type TelemetryHandler = (uid: string, payload: ReceivedPayload) => void;

/**
 * The central of IoTSocket: the application that objects talk to, over its concentrator.
 *
 *     const central = new CentralClient({ host: '127.0.0.1', key: '00112233…' });
 *     central.onTelemetry((uid, payload) => console.log(uid, payload.value));
 *     await central.connect();
 *     const { code, payload } = await central.request('porch-lamp', { format: 'json', value: { on: true } });
 */
export class CentralClient {
  readonly #core: ClientCore;
  readonly #settings: ClientSettings;
  readonly #lists = new Set<(error: Error) => void>();
  #telemetry: TelemetryHandler | undefined;

  /** Throws ConfigurationError `config-invalid`, naming the option. */
  constructor(options: CentralClientOptions) {
    this.#settings = checkOptions('', options);
    this.#core = new ClientCore(this.#settings, {
      opened: () => {},
      received: (transmission) => {
        if (transmission.kind !== 'identifiedTelemetry') return;
        try {
          this.#telemetry?.(transmission.uid, new ReceivedPayload(transmission.payload));
        } catch (error) {
          this.#core.hear({ kind: 'handlerFailed', error: error as Error });
        }
      },
      closed: ({ error }) => {
        const lost = error ?? new LinkError('link-lost', 'the session ended before the concentrator had the list');
        for (const reject of [...this.#lists]) reject(lost);
      },
    });
  }

  get state(): ClientState {
    return this.#core.state;
  }
  /** Requests that wait for their answer. */
  get inFlight(): number {
    return this.#core.inFlight;
  }

  /** As {@link ObjectClient.connect}. */
  connect(): Promise<void> {
    return this.#core.connect();
  }

  /** As {@link ObjectClient.close}. */
  close(reason: CloseReason = 'freeing'): Promise<void> {
    return this.#core.close(reason);
  }

  /** A request to an object; else as {@link ObjectClient.request}. */
  request(uid: string, payload?: OutgoingPayload, options: RequestOptions = {}): Promise<Answer> {
    try {
      checkUid(uid);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#core.request(uid, payload, options);
  }

  /** Who answers requests of objects; without one they are answered `01`. */
  onRequest(handler: RequestHandler): void {
    this.#core.handler = handler;
  }

  /** Who hears telemetry; it comes once, and is not kept. */
  onTelemetry(handler: TelemetryHandler): void {
    this.#telemetry = handler;
  }

  /**
   * Replaces the whole access list. Resolves when the concentrator has read it and answered a ping behind it. Rejects with
   * LinkError `link-lost` when the session ended before: a list that is refused ends it; TimeoutError `command-timeout`; and
   * ConfigurationError `config-invalid` for a list that cannot be sent.
   */
  async setAccessList(entries: readonly AccessListEntry[], { timeoutMs }: RequestOptions = {}): Promise<void> {
    const octets = encodeList(entries);
    const { session } = this.#core;
    if (session === undefined) throw new LinkError('link-lost', 'there is no session');
    const { platform, requestTimeoutMs } = this.#settings;
    const mostMs = whole('timeoutMs', timeoutMs ?? requestTimeoutMs, 1, MAX_MS);
    await new Promise<void>((resolve, reject) => {
      const settle = (act: () => void): void => {
        timer.cancel();
        this.#lists.delete(fail);
        act();
      };
      const fail = (error: Error): void => settle(() => reject(error));
      const timer = platform.clock.after(mostMs, () =>
        fail(new TimeoutError('command-timeout', `the concentrator did not take the list within ${mostMs} ms`)),
      );
      this.#lists.add(fail);
      session.sendOctets(octets);
      session.ping(() => settle(resolve));
    });
  }

  /** Calls for everything that happens from now on; gives the function that ends it. */
  onEvent(hear: HearClient): () => void {
    return this.#core.onEvent(hear);
  }
}

function encodeList(entries: readonly AccessListEntry[]): Uint8Array {
  if (entries.length > MAX_LIST_ENTRIES)
    throw new ConfigurationError('config-invalid', `an access list has at most ${MAX_LIST_ENTRIES} entries here`);
  try {
    return encodeAccessList(entries);
  } catch (error) {
    throw new ConfigurationError('config-invalid', (error as Error).message, { cause: error });
  }
}
