import { InternalError, LinkError } from '../../protocol/errors.js';
import { MAX_FLOW, RECORD_OCTETS } from '../../protocol/yamqtt/records.js';
import { textData } from '../../protocol/yamqtt/text.js';
import { refuse, whole } from '../connection/check-option.js';
import { placeText } from '../connection/connecting.js';
import { Hearers } from '../connection/hearers.js';
import { clientClosed, keepConnecting } from '../connection/keep-connecting.js';
import { openSocket } from '../connection/open-socket.js';
import type { ClientEvent, FlowMessage } from './client-event.js';
import { checkOptions, type YamqttClientOptions, type YamqttClientSettings } from './client-options.js';
import { MessageQueue } from './message-queue.js';
import { ServerConnection } from './server-connection.js';

/** A server that does not end a connection so long after we said goodbye is not waited for. */
const LEAVE_MS = 5_000;

export type ClientState = 'idle' | 'connecting' | 'connected' | 'waiting';

/** Publishes on flows of a YAMQTT server, and hears what is published on them. */
export class YamqttClient {
  readonly #settings: YamqttClientSettings;
  readonly #events = new Hearers<ClientEvent>();
  readonly #hearers = new Hearers<FlowMessage>();
  readonly #queues = new Set<MessageQueue>();
  /** Outlives the connection. */
  readonly #flows = new Set<number>();
  #state: ClientState = 'idle';
  #connection: ServerConnection | undefined;
  #stop: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();

  /** Throws ConfigurationError `config-invalid`, naming the option. */
  constructor(options: YamqttClientOptions) {
    this.#settings = checkOptions(options);
  }

  get state(): ClientState {
    return this.#state;
  }

  /**
   * Resolves when it is connected. Rejects with LinkError `connect-failed` or `connect-timeout`, unless it is to reconnect;
   * then it goes on, and rejects with InternalError `stopped` only when it is closed before. InternalError `internal`: it is
   * connected already.
   */
  async connect(): Promise<void> {
    if (this.#stop !== undefined) throw new InternalError('internal', 'this client is connected, or connects already');
    const stop = new AbortController();
    this.#stop = stop;
    const { backOff, clock, fraction } = this.#settings;
    const { signal } = stop;
    return new Promise((resolve, reject) => {
      this.#running = keepConnecting({
        backOff,
        clock,
        fraction,
        signal,
        once: () => this.#once(signal, resolve),
        waiting: (inMs, error) => {
          this.#state = 'waiting';
          this.#events.tell({ kind: 'retrying', inMs, error });
        },
      }).then((error) => {
        this.#state = 'idle';
        this.#stop = undefined;
        for (const queue of this.#queues) queue.end(signal.aborted ? undefined : error);
        this.#queues.clear();
        reject(error);
      });
    });
  }

  /**
   * Publishes a text, or up to 1 024 octets, on a flow from 1 to 65 535. Nobody is told whether anybody hears it. Resolves when
   * more can be published: wait for that. Rejects with ConfigurationError `config-invalid` for what cannot be published;
   * LinkError `link-lost` without a connection, and `link-stalled` when too much waits to be sent.
   */
  async publish(flow: number, data: string | Uint8Array): Promise<void> {
    checkFlow(flow);
    const octets = typeof data === 'string' ? textData(data) : data;
    if (octets.length > RECORD_OCTETS)
      refuse('data', `must have at most ${RECORD_OCTETS} octets, not ${octets.length}`);
    if (this.#connection === undefined) throw new LinkError('link-lost', 'there is no connection');
    await this.#connection.publish(flow, octets);
  }

  /** From now on, or from when it is connected, and whenever it is connected again. Throws ConfigurationError `config-invalid`. */
  subscribe(flow: number): void {
    checkFlow(flow);
    if (this.#flows.has(flow)) return;
    this.#flows.add(flow);
    this.#connection?.ask('subscribe', flow);
  }

  /** Throws ConfigurationError `config-invalid`. */
  unsubscribe(flow: number): void {
    checkFlow(flow);
    if (this.#flows.delete(flow)) this.#connection?.ask('unsubscribe', flow);
  }

  /** Calls for everything that is published on the flows subscribed to; gives the function that ends it. */
  onMessage(hear: (message: FlowMessage) => void): () => void {
    return this.#hearers.add(hear);
  }

  /** Calls for everything that happens from now on; gives the function that ends it. */
  onEvent(hear: (event: ClientEvent) => void): () => void {
    return this.#events.add(hear);
  }

  /**
   * The same messages as from `onMessage`, from now on, for one `for await` loop. One that is slow slows the server down for
   * this client, and the server drops then. Ends when the client is closed; throws LinkError `link-lost` when the connection is
   * lost and the client is not to reconnect.
   */
  messages(): AsyncIterableIterator<FlowMessage> {
    const queue = new MessageQueue(() => this.#regulate());
    this.#queues.add(queue);
    return queue;
  }

  /** Sends what was published, says goodbye, and resolves when the connection is over. May be called twice; connects again after. */
  async close(): Promise<void> {
    this.#stop?.abort(clientClosed());
    const connection = this.#connection;
    if (connection !== undefined) {
      // A server is not heard while a loop does not take its messages.
      for (const queue of this.#queues) queue.end(undefined);
      this.#regulate();
      connection.leave();
      const late = this.#settings.clock.after(LEAVE_MS, () => connection.destroy(tooLate()));
      await connection.closed;
      late.cancel();
    }
    await this.#running;
  }

  /** One connection, from the first octet to the last. Gives what went wrong. */
  async #once(signal: AbortSignal, connected: () => void): Promise<Error | undefined> {
    const { host, port, clock, connectTimeoutMs } = this.#settings;
    this.#state = 'connecting';
    try {
      const socket = await openSocket({ host, port, tls: undefined }, { clock, timeoutMs: connectTimeoutMs, signal });
      if (signal.aborted) {
        socket.destroy();
        return clientClosed();
      }
      const remote = placeText(host, port);
      const connection = new ServerConnection({
        socket,
        remote,
        message: (message) => this.#message(message),
        error: (text) => this.#events.tell({ kind: 'error', text }),
        misunderstood: (error) => this.#events.tell({ kind: 'misunderstood', error }),
      });
      this.#connection = connection;
      this.#state = 'connected';
      for (const flow of this.#flows) connection.ask('subscribe', flow);
      this.#regulate();
      connected();
      this.#events.tell({ kind: 'connected', remote });
      const error = await connection.closed;
      this.#connection = undefined;
      this.#events.tell({ kind: 'closed', error });
      return error;
    } catch (error) {
      return error as Error;
    }
  }

  #message(message: FlowMessage): void {
    this.#hearers.tell(message);
    for (const queue of this.#queues) queue.push(message);
  }

  /** The slowest loop says how fast the server is read. */
  #regulate(): void {
    let isFull = false;
    for (const queue of this.#queues) {
      if (queue.isOver) this.#queues.delete(queue);
      else isFull ||= queue.isFull;
    }
    if (isFull) this.#connection?.pause();
    else this.#connection?.resume();
  }
}

const tooLate = (): Error => new Error(`the server did not end the connection within ${LEAVE_MS / 1_000} s`);

function checkFlow(flow: number): void {
  whole('flow', flow, 1, MAX_FLOW);
}
