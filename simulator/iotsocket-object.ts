import { type Clock, delay, type Timer } from '../base/core/clock.js';
import type { Random } from '../base/core/random.js';
import { backOff, DIAL_BACK_OFF, REFUSED_BACK_OFF_MS } from '../base/links/back-off.js';
import { type ClientEvent, ObjectClient, type ObjectClientOptions } from '../clients/iotsocket/index.js';
import { f32 } from '../protocol/definition/index.js';
import { BaseUnitError, InternalError } from '../protocol/errors.js';
import type { HearIotsocketObjects } from './iotsocket-object-event.js';
import type { Turns } from './turns.js';
import { firstValue, nextValue } from './wandering-value.js';

/** What it measures. */
const TEMPERATURE = f32({ unit: '°C', min: -10, max: 40, decimals: 1 });
/** A session that held so long was a good one: the next attempt comes soon (reference/limits.md, "Back-off everywhere"). */
const STABLE_MS = 60_000;

export interface IotsocketObjectOptions {
  readonly client: ObjectClientOptions;
  /** Between two datagrams, in ms. */
  readonly everyMs: number;
  /** Only so many log in at once. */
  readonly turns: Turns;
  /** Of the measurements. */
  readonly values: Random;
  /** Of the delays. */
  readonly random: Random;
  readonly clock: Clock;
  readonly hear: HearIotsocketObjects;
}

/** An object of IoTSocket that is not there: keeps a session, echoes requests, sends what it measures as telemetry. */
export class IotsocketObject {
  readonly uid: string;
  readonly #options: IotsocketObjectOptions;
  readonly #client: ObjectClient;
  readonly #stop = new AbortController();
  readonly #phaseMs: number;
  #temperature: number;
  #running: Promise<void> | undefined;
  #ended: () => void = () => {};
  #timer: Timer | undefined;
  #measuredAt = 0;

  /** Throws ConfigurationError `config-invalid`. */
  constructor(options: IotsocketObjectOptions) {
    const { client, values, everyMs } = options;
    this.uid = client.uid;
    this.#options = options;
    this.#client = new ObjectClient(client);
    this.#phaseMs = values.fraction() * everyMs;
    this.#temperature = firstValue(TEMPERATURE, values) as number;
    this.#client.onEvent((event) => this.#happened(event));
    this.#client.onRequest((payload) => {
      this.#hear({ kind: 'answered', format: payload.format, octets: payload.block.data.length });
      return { payload };
    });
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when its sockets are gone. May be called twice. */
  async stop(): Promise<void> {
    this.#stop.abort(new InternalError('stopped', 'the simulated object stops'));
    await this.#client.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#options;
    const { signal } = this.#stop;
    let delays = backOff(random, DIAL_BACK_OFF);
    while (!signal.aborted) {
      const begunAt = clock.monotonic();
      const error = await this.#session(signal);
      if (clock.monotonic() - begunAt >= STABLE_MS) delays = backOff(random, DIAL_BACK_OFF);
      const waitMs = isRefusal(error) ? REFUSED_BACK_OFF_MS : delays.next().value;
      await delay(clock, waitMs, signal).catch(() => {});
    }
  }

  /** One session, from the attempt to its end. Gives why there was none. */
  async #session(signal: AbortSignal): Promise<Error | undefined> {
    const ended = new Promise<void>((resolve) => {
      this.#ended = resolve;
    });
    try {
      const done = await this.#options.turns.take(signal);
      try {
        signal.throwIfAborted();
        await this.#client.connect();
      } finally {
        done();
      }
    } catch (error) {
      if (!signal.aborted) this.#hear({ kind: 'refusedConnection', reason: (error as Error).message });
      return error as Error;
    }
    await ended;
    return undefined;
  }

  #happened(event: ClientEvent): void {
    switch (event.kind) {
      case 'connected':
        return this.#hear({ kind: 'connected', remote: event.remote });
      case 'redirected':
        return this.#hear({ kind: 'redirected', host: event.host, port: event.port });
      case 'token':
        this.#hear({ kind: 'token' });
        this.#timer ??= this.#after(this.#phaseMs);
        return;
      case 'closed':
        this.#timer?.cancel();
        this.#timer = undefined;
        this.#hear({
          kind: 'disconnected',
          ...(event.code === undefined ? {} : { code: event.code }),
          ...(event.error === undefined ? {} : { reason: event.error.message }),
        });
        return this.#ended();
      default:
        return;
    }
  }

  #after(delayMs: number): Timer {
    this.#measuredAt = this.#options.clock.monotonic() + delayMs;
    return this.#options.clock.after(delayMs, () => this.#measure());
  }

  #measure(): void {
    const { everyMs, clock, values } = this.#options;
    const temperature = this.#temperature;
    this.#temperature = nextValue(TEMPERATURE, temperature, values) as number;
    const sent = this.#client.telemetry({ format: 'json', value: { temperature } });
    this.#hear({ kind: 'telemetry', temperature, sent });
    // From when it was due, so that lateness does not add up; what was missed is not made up for.
    const nextAt = Math.max(this.#measuredAt + everyMs, clock.monotonic());
    this.#timer = this.#after(nextAt - clock.monotonic());
  }

  #hear(event: WithoutUnit<Parameters<HearIotsocketObjects>[0]>): void {
    this.#options.hear({ ...event, unit: this.uid } as Parameters<HearIotsocketObjects>[0]);
  }
}

type WithoutUnit<Event> = Event extends unknown ? Omit<Event, 'unit'> : never;

/** Somebody has to change a key or a UID first. */
function isRefusal(error: Error | undefined): boolean {
  return error instanceof BaseUnitError && error.code === 'proof-refused';
}
