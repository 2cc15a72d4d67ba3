/** Connections that have proved nothing yet (reference/limits.md, "Pre-auth sockets"): one bench or NAT is one address. */
export const MAX_UNPROVED = 256;
export const MAX_UNPROVED_PER_ADDRESS = 16;

/** A connection over which nobody has proved who they are. */
export interface UnprovedConnection {
  /** Where it comes from, without a port. */
  readonly address: string;
  destroy(): void;
}

export interface UnprovedBounds {
  readonly inAll: number;
  readonly perAddress: number;
}

/** Those of one address. */
interface OfAddress {
  size: number;
  /** By step; oldest first. */
  readonly steps: Set<UnprovedConnection>[];
}

/**
 * Bounds connections that have proved nothing. Past the bound the oldest of them goes, of the same address first; the
 * newcomer is never refused, so an attacker cannot lock his neighbours out. Where they are in several steps, it is the
 * oldest of the step with the most: a crowd that says nothing takes no place from those that go on.
 */
export class Unproved {
  readonly #bounds: UnprovedBounds;
  readonly #byAddress = new Map<string, OfAddress>();
  readonly #stepOf = new Map<UnprovedConnection, number>();
  /** How many are in each step. */
  readonly #inStep: number[] = [];

  constructor(bounds: UnprovedBounds = { inAll: MAX_UNPROVED, perAddress: MAX_UNPROVED_PER_ADDRESS }) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#stepOf.size;
  }

  /** Takes a newcomer in, in step 0; another may be destroyed for it. */
  add(connection: UnprovedConnection): void {
    const { address } = connection;
    const own = this.#byAddress.get(address);
    if (own !== undefined && own.size >= this.#bounds.perAddress)
      this.#evict(own.steps[largest(own.steps.map(countOf))]!);
    else if (this.size >= this.#bounds.inAll) this.#evict(this.#busiest());
    // Not the one from above: it goes with the last of its connections.
    const theirs = this.#byAddress.get(address) ?? { size: 0, steps: [] };
    if (theirs.size === 0) this.#byAddress.set(address, theirs);
    this.#enter(theirs, connection, 0);
  }

  /** It has come as far as that step, a small number; there it is the newest. */
  move(connection: UnprovedConnection, step: number): void {
    const before = this.#stepOf.get(connection);
    if (before === undefined) return;
    const own = this.#byAddress.get(connection.address)!;
    this.#leave(own, connection, before);
    this.#enter(own, connection, step);
  }

  /** It has proved itself, or is gone. May be called twice. */
  delete(connection: UnprovedConnection): void {
    const step = this.#stepOf.get(connection);
    if (step === undefined) return;
    const own = this.#byAddress.get(connection.address)!;
    this.#leave(own, connection, step);
    this.#stepOf.delete(connection);
    if (own.size === 0) this.#byAddress.delete(connection.address);
  }

  #enter(own: OfAddress, connection: UnprovedConnection, step: number): void {
    while (own.steps.length <= step) own.steps.push(new Set());
    while (this.#inStep.length <= step) this.#inStep.push(0);
    own.steps[step]!.add(connection);
    own.size += 1;
    this.#inStep[step]! += 1;
    this.#stepOf.set(connection, step);
  }

  #leave(own: OfAddress, connection: UnprovedConnection, step: number): void {
    own.steps[step]!.delete(connection);
    own.size -= 1;
    this.#inStep[step]! -= 1;
  }

  #evict(own: ReadonlySet<UnprovedConnection>): void {
    const [oldest] = own;
    this.delete(oldest!);
    oldest!.destroy();
  }

  /** Those of one address in the step with the most. */
  #busiest(): ReadonlySet<UnprovedConnection> {
    const step = largest(this.#inStep);
    let busiest: ReadonlySet<UnprovedConnection> = new Set();
    for (const own of this.#byAddress.values()) {
      const each = own.steps[step];
      if (each !== undefined && each.size > busiest.size) busiest = each;
    }
    return busiest;
  }
}

const countOf = ({ size }: ReadonlySet<unknown>): number => size;

/** Where the largest number is; the first of equals. */
const largest = (numbers: readonly number[]): number => numbers.indexOf(Math.max(...numbers));
