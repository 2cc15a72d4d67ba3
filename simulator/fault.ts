import { ConfigurationError } from '../protocol/errors.js';

/**
 * What a simulated unit does wrong on demand:
 * `silence` — half-open: reads, answers and writes nothing, and keeps its connections;
 * `cut` — drops each connection after so many octets (both directions), or at a random moment;
 * `slow` — writes octet by octet with a pause after each (in steps of the coarse clock, 25 ms);
 * `garbage` — random octets between what it writes;
 * `wrong-key` — proves itself with a key that is not its own;
 * `mute-commands` — applies commands and never answers them;
 * `refuse` — refuses every command.
 */
export type Fault =
  | { readonly kind: 'silence' }
  | { readonly kind: 'cut'; readonly afterOctets?: number }
  | { readonly kind: 'slow'; readonly everyMs: number }
  | { readonly kind: 'garbage' }
  | { readonly kind: 'wrong-key' }
  | { readonly kind: 'mute-commands' }
  | { readonly kind: 'refuse' };

export type FaultKind = Fault['kind'];

export const faultKinds = [
  'silence',
  'cut',
  'slow',
  'garbage',
  'wrong-key',
  'mute-commands',
  'refuse',
] as const satisfies readonly FaultKind[];

/** An opening of 70 octets then takes 1.4 s: slow, and still within what a base waits. */
const SLOW_EVERY_MS = 20;
const MAX_NUMBER = 1_000_000;

/** A fault as people write it: `silence`, `cut`, `cut:200` (octets), `slow`, `slow:50` (ms). Throws `config-invalid`. */
export function parseFault(text: string): Fault {
  const [name = '', number, ...rest] = text.split(':');
  const kind = faultKinds.find((known) => known === name);
  if (kind === undefined || rest.length > 0)
    throw invalid(`${JSON.stringify(text)} is no fault; there are ${faultKinds.join(', ')}`);
  if (number === undefined) return kind === 'slow' ? { kind, everyMs: SLOW_EVERY_MS } : { kind };
  const value = /^\d{1,7}$/.test(number) ? Number(number) : Number.NaN;
  if (!(value >= 1 && value <= MAX_NUMBER)) throw invalid(`${text}: the number must be 1 to ${MAX_NUMBER}`);
  if (kind === 'cut') return { kind, afterOctets: value };
  if (kind === 'slow') return { kind, everyMs: value };
  throw invalid(`${text}: only cut (octets) and slow (ms) take a number`);
}

const invalid = (message: string): ConfigurationError => new ConfigurationError('config-invalid', message);

/** The faults of one unit, switched on and off while it runs. One of each kind at a time. */
export class FaultSwitch {
  #faults: readonly Fault[];
  readonly #hearers = new Set<() => void>();

  constructor(faults: readonly Fault[] = []) {
    this.#faults = faults;
  }

  set(fault: Fault): void {
    this.#change([...this.#faults.filter(({ kind }) => kind !== fault.kind), fault]);
  }

  /** One kind, or all. */
  clear(kind?: FaultKind): void {
    this.#change(kind === undefined ? [] : this.#faults.filter((fault) => fault.kind !== kind));
  }

  get<K extends FaultKind>(kind: K): Extract<Fault, { readonly kind: K }> | undefined {
    return this.#faults.find((fault): fault is Extract<Fault, { readonly kind: K }> => fault.kind === kind);
  }

  has(kind: FaultKind): boolean {
    return this.get(kind) !== undefined;
  }

  /** Calls after every change; call what it gives to end that. */
  onChange(hear: () => void): () => void {
    this.#hearers.add(hear);
    return () => void this.#hearers.delete(hear);
  }

  #change(faults: readonly Fault[]): void {
    this.#faults = faults;
    for (const hear of [...this.#hearers]) hear();
  }
}
