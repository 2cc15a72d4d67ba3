import { DATAGRAM_HEAD } from '../../protocol/iotsocket/datagram.js';
import { refuse, whole } from '../connection/check-option.js';
import { type Answer, ClientCore, type ClientState, type CloseReason, type RequestOptions } from './client-core.js';
import type { HearClient } from './client-event.js';
import { type ClientOptions, checkOptions } from './client-options.js';
import type { ClientSession } from './client-session.js';
import { checkUid } from './client-uid.js';
import type { Reply } from './incoming-requests.js';
import { blockToSend, type OutgoingPayload, type ReceivedPayload } from './payloads.js';
import { TelemetrySocket } from './telemetry-socket.js';

/** The longest datagram: what passes everywhere in one piece (reference/limits.md, "UDP"). */
export const MAX_DATAGRAM_OCTETS = 1_400;

export interface ObjectClientOptions extends ClientOptions {
  /** 1 to 16 octets of UTF-8. */
  readonly uid: string;
  /** Where telemetry goes, at the address of the session. Default: nowhere. */
  readonly udp?: { readonly port: number } | undefined;
}

/**
 * An object of IoTSocket: a device that sends requests and telemetry to its concentrator, and answers requests.
 *
 *     const object = new ObjectClient({ host: '192.168.1.2', uid: 'porch-lamp', key: '00112233…', udp: { port: 50505 } });
 *     object.onRequest((payload) => ({ payload: { format: 'json', value: { ok: true } } }));
 *     await object.connect();
 *     const { code, payload } = await object.request({ format: 'ascii', value: 'hello' });
 *     object.telemetry({ format: 'json', value: { temperature: 21.5 } });
 */
export class ObjectClient {
  readonly uid: string;
  readonly #core: ClientCore;
  readonly #udpPort: number | undefined;
  #session: ClientSession | undefined;
  #token: Uint8Array | undefined;
  #telemetry: TelemetrySocket | undefined;

  /** Throws ConfigurationError `config-invalid`, naming the option. */
  constructor(options: ObjectClientOptions) {
    this.uid = checkUid(options.uid);
    this.#udpPort = options.udp && whole('udp.port', options.udp.port, 1, 0xffff);
    this.#core = new ClientCore(checkOptions(this.uid, options), {
      opened: (session) => {
        this.#session = session;
      },
      received: (transmission) => {
        if (transmission.kind === 'telemetryToken') this.#takeToken(transmission.token);
      },
      closed: () => this.#forgetToken(),
    });
  }

  get state(): ClientState {
    return this.#core.state;
  }
  /** Requests that wait for their answer. */
  get inFlight(): number {
    return this.#core.inFlight;
  }
  /** Telemetry can be sent: there is a session, the concentrator gave a token, and `udp` was given. */
  get hasTelemetry(): boolean {
    return this.#telemetry?.isOpen === true;
  }

  /**
   * Resolves when the session is open. Rejects with LinkError `connect-failed` or `connect-timeout`, TimeoutError
   * `opening-timeout`, ProtocolError `proof-refused` or `opening-malformed`; with `reconnect` it goes on trying, and rejects
   * only with InternalError `stopped` after `close`.
   */
  connect(): Promise<void> {
    return this.#core.connect();
  }

  /**
   * Says why, and ends the connection; resolves when it is gone. After `sleep` and `freeing` the concentrator keeps what comes
   * for us for a while. After `sleep` our own requests go on waiting for their answers; otherwise they end with `stopped`.
   */
  close(reason: CloseReason = 'freeing'): Promise<void> {
    return this.#core.close(reason);
  }

  /**
   * A request to the central. Resolves with any answer, also with the concentrator's codes. Rejects with TimeoutError
   * `command-timeout`, or LinkError `link-lost`: then it may have been done or not; `link-stalled`: too many wait already;
   * ConfigurationError `config-invalid` for a payload that cannot be sent.
   */
  request(payload?: OutgoingPayload, options: RequestOptions = {}): Promise<Answer> {
    return this.#core.request('', payload, options);
  }

  /** Who answers requests of the central; without one they are answered `01`. A handler that throws is an answer `01` too. */
  onRequest(handler: (payload: ReceivedPayload) => Reply | undefined | Promise<Reply | undefined>): void {
    this.#core.handler = (_, payload) => handler(payload);
  }

  /**
   * Sends telemetry. False when it was not: there is no session or no token, or too much waits already. Whether it arrives
   * nobody knows. Throws ConfigurationError `config-invalid` for a payload that cannot be sent, or of more than 1,389 octets.
   */
  telemetry(payload: OutgoingPayload): boolean {
    const block = blockToSend(payload);
    const most = MAX_DATAGRAM_OCTETS - DATAGRAM_HEAD;
    if (block.data.length > most) refuse('payload', `of telemetry may have ${most} octets, not ${block.data.length}`);
    if (this.#telemetry === undefined || this.#token === undefined) return false;
    return this.#telemetry.send(this.#token, block);
  }

  /** Calls for everything that happens from now on; gives the function that ends it. */
  onEvent(hear: HearClient): () => void {
    return this.#core.onEvent(hear);
  }

  #takeToken(token: Uint8Array): void {
    const addresses = this.#session?.addresses;
    if (this.#udpPort === undefined || addresses === undefined) return;
    this.#token = token.slice();
    // One that failed is opened again, with each token.
    if (this.#telemetry?.isOpen !== true) {
      this.#telemetry = new TelemetrySocket({
        addresses,
        port: this.#udpPort,
        failed: (error) => this.#core.hear({ kind: 'telemetryFailed', error }),
      });
      this.#telemetry.open();
    }
    this.#core.hear({ kind: 'token' });
  }

  /** A token dies with its session. */
  #forgetToken(): void {
    this.#session = undefined;
    this.#token = undefined;
    this.#telemetry?.close();
    this.#telemetry = undefined;
  }
}
