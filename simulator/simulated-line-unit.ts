import type { Address } from '../base/core/address.js';
import type { Clock, Timer } from '../base/core/clock.js';
import type { Carrier } from '../base/links/carrier.js';
import type { FieldType, FieldValue, UnitDefinition } from '../protocol/definition/index.js';
import { messagesOf } from '../protocol/definition/messages.js';
import { LineReader } from '../protocol/line/line-reader.js';
import { lineToValue, valueToLine } from '../protocol/line/line-value.js';
import { colourNamed } from './colour-names.js';
import { type Fault, FaultSwitch } from './fault.js';
import { FaultyCarrier } from './faulty-carrier.js';
import { SeededRandom } from './seeded-random.js';
import type { HearSimulation } from './simulation-event.js';
import { MAX_WAITING } from './unit-links.js';
import { UnitListener } from './unit-listener.js';
import { UnitState } from './unit-state.js';

/** A silent connection to an updatable unit makes way for one that waits after this. */
export const LINE_SILENT_MS = 10_000;
/** Octets nobody reads: past this whoever read them is gone, and cut. */
const MAX_UNSENT = 64 * 1024;

export interface SimulatedLineUnitOptions {
  readonly uid: string;
  /** Of `wire: 'line'`. */
  readonly definition: UnitDefinition;
  readonly listen: Address;
  readonly faults?: readonly Fault[];
  readonly seed?: string;
  readonly clock: Clock;
  readonly hear: HearSimulation;
}

interface Current {
  readonly carrier: Carrier;
  reader: LineReader;
  lastInboundAt: number;
  isSkipping: boolean;
}

/**
 * A unit of plain lines (wire/iot-base.md). A read unit writes a value a line at its `everyMs`, an updatable unit reads lines
 * ended by `\r`, `\n` or both. It serves one connection; others wait until that closes.
 */
export class SimulatedLineUnit {
  readonly uid: string;
  readonly faults: FaultSwitch;
  readonly state: UnitState;
  readonly #options: SimulatedLineUnitOptions;
  readonly #seeded: SeededRandom;
  readonly #listener: UnitListener;
  readonly #waiting: Carrier[] = [];
  readonly #message: string;
  readonly #field: string;
  readonly #type: FieldType;
  #current: Current | undefined;
  #measuring: Timer | undefined;
  #makeWay: Timer | undefined;

  constructor(options: SimulatedLineUnitOptions) {
    const { uid, definition } = options;
    this.uid = uid;
    this.#options = options;
    this.#seeded = new SeededRandom(`${options.seed ?? ''}/${uid}`);
    this.faults = new FaultSwitch(options.faults);
    this.state = new UnitState(definition, this.#seeded);
    const { name, fields } = messagesOf(definition)[0]!;
    const [field, type] = Object.entries(fields)[0]!;
    this.#message = name;
    this.#field = field;
    this.#type = type;
    this.#listener = new UnitListener((carrier) => this.#offer(carrier));
  }

  get address(): Address | undefined {
    return this.#listener.address;
  }
  get connections(): number {
    return this.#waiting.length + (this.#current === undefined ? 0 : 1);
  }

  /** Listens, and measures from now on. Rejects with ConfigurationError `port-in-use`. */
  async start(): Promise<void> {
    const address = await this.#listener.listen(this.#options.listen);
    this.#options.hear({ kind: 'listening', unit: this.uid, address });
    this.#measureLater();
  }

  /** May be called twice. Faults end with it. */
  async stop(): Promise<void> {
    this.#measuring?.cancel();
    this.#makeWay?.cancel();
    this.faults.clear();
    for (const carrier of this.#waiting.splice(0)) carrier.destroy();
    this.#current?.carrier.destroy();
    await this.#listener.close();
  }

  #measureLater(): void {
    const everyMs = this.#options.definition.reports[this.#message]?.everyMs;
    if (everyMs === undefined) return;
    this.#measuring = this.#options.clock.after(everyMs, () => {
      this.#measureLater();
      this.state.measure(this.#message);
      this.#writeValue();
    });
  }

  #writeValue(): void {
    const carrier = this.#current?.carrier;
    if (carrier === undefined) return;
    const value = this.state.values(this.#message)[this.#field]!;
    carrier.write(new TextEncoder().encode(`${valueToLine(this.#type, value)}\n`));
    this.#options.hear({ kind: 'reported', unit: this.uid, report: this.#message, stored: true });
    if (carrier.buffered > MAX_UNSENT) carrier.destroy();
  }

  #offer(carrier: Carrier): void {
    if (this.#current === undefined) return this.#serve(carrier);
    if (this.#waiting.length >= MAX_WAITING) return carrier.destroy();
    this.#waiting.push(carrier);
    if (this.#options.definition.kind === 'updatable') this.#makeWayWhenSilent();
  }

  #makeWayWhenSilent(): void {
    this.#makeWay?.cancel();
    const current = this.#current;
    if (current === undefined || this.#waiting.length === 0) return;
    const { clock } = this.#options;
    const leftMs = current.lastInboundAt + LINE_SILENT_MS - clock.monotonic();
    if (leftMs <= 0) current.carrier.destroy();
    else this.#makeWay = clock.after(leftMs, () => this.#makeWayWhenSilent());
  }

  #serve(plain: Carrier): void {
    const { clock, hear, definition } = this.#options;
    const carrier = new FaultyCarrier({ carrier: plain, faults: this.faults, clock, random: this.#seeded });
    const { remote } = plain;
    const current: Current = {
      carrier,
      reader: new LineReader(),
      lastInboundAt: clock.monotonic(),
      isSkipping: false,
    };
    this.#current = current;
    hear({ kind: 'connected', unit: this.uid, remote });
    carrier.attach({
      octets: (chunk) => {
        current.lastInboundAt = clock.monotonic();
        if (definition.kind === 'updatable') this.#read(current, chunk);
      },
      drained: () => {},
      // Its close is all the answer that a line unit gives.
      ended: () => {
        if (!this.faults.has('mute-commands')) carrier.end();
      },
      closed: (error) => {
        hear({ kind: 'disconnected', unit: this.uid, remote, ...(error && { reason: error.message }) });
        this.#current = undefined;
        const next = this.#waiting.shift();
        if (next !== undefined) this.#serve(next);
      },
    });
    if (definition.kind === 'read') this.#writeValue();
    else this.#makeWayWhenSilent();
  }

  #read(current: Current, chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at += 1) {
      const octet = chunk.subarray(at, at + 1);
      if (current.isSkipping) {
        current.isSkipping = octet[0] !== 0x0a && octet[0] !== 0x0d;
        continue;
      }
      for (const result of current.reader.push(octet)) {
        if (result.kind === 'line') this.#take(result.text);
        else {
          // One that is too long is ignored to its end.
          this.#refuse('a line is too long');
          current.reader = new LineReader();
          current.isSkipping = true;
        }
      }
    }
  }

  #take(line: string): void {
    if (line === '') return;
    if (this.faults.has('refuse')) return this.#refuse('the simulator was told to refuse');
    const written = (this.#type.kind === 'rgb' ? colourNamed(line) : undefined) ?? line;
    const parsed = lineToValue(this.#type, written);
    if (!parsed.ok) return this.#refuse(`${JSON.stringify(line)} ${parsed.refusal.message}`);
    this.#apply(parsed.value);
  }

  #apply(value: FieldValue): void {
    const fields = { [this.#field]: value };
    this.state.apply(this.#message, fields);
    this.#options.hear({ kind: 'applied', unit: this.uid, command: this.#message, fields });
  }

  /** What it does not know it ignores. */
  #refuse(reason: string): void {
    this.#options.hear({ kind: 'refusedCommand', unit: this.uid, command: this.#message, reason });
  }
}
