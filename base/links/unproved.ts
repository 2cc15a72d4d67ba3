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

/**
 * Bounds connections that have proved nothing. Past the bound the oldest of them goes, of the same address first; the
 * newcomer is never refused, so an attacker cannot lock his neighbours out. Where they are in several steps, it is the
 * oldest of the step with the most: a crowd that says nothing takes no place from those that go on.
 */
export class Unproved {
  readonly #bounds: UnprovedBounds;
  /** By address and step; oldest first. */
  readonly #byAddress = new Map<string, Set<UnprovedConnection>[]>();
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
    const own = this.#byAddress.get(connection.address);
    if (own !== undefined && sizeOf(own) >= this.#bounds.perAddress) this.#evict(own[largest(own.map(countOf))]!);
    else if (this.size >= this.#bounds.inAll) this.#evict(this.#busiest());
    this.#put(connection, 0);
  }

  /** It has come as far as that step, a small number; there it is the newest. */
  move(connection: UnprovedConnection, step: number): void {
    if (!this.#stepOf.has(connection)) return;
    this.delete(connection);
    this.#put(connection, step);
  }

  /** It has proved itself, or is gone. May be called twice. */
  delete(connection: UnprovedConnection): void {
    const step = this.#stepOf.get(connection);
    if (step === undefined) return;
    const own = this.#byAddress.get(connection.address)!;
    own[step]!.delete(connection);
    if (sizeOf(own) === 0) this.#byAddress.delete(connection.address);
    this.#stepOf.delete(connection);
    this.#inStep[step]! -= 1;
  }

  #put(connection: UnprovedConnection, step: number): void {
    const own = this.#byAddress.get(connection.address) ?? [];
    this.#byAddress.set(connection.address, own);
    while (own.length <= step) own.push(new Set());
    own[step]!.add(connection);
    this.#stepOf.set(connection, step);
    while (this.#inStep.length <= step) this.#inStep.push(0);
    this.#inStep[step]! += 1;
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
      const each = own[step];
      if (each !== undefined && each.size > busiest.size) busiest = each;
    }
    return busiest;
  }
}

const countOf = ({ size }: ReadonlySet<unknown>): number => size;

const sizeOf = (own: readonly ReadonlySet<unknown>[]): number => own.reduce((sum, { size }) => sum + size, 0);

/** Where the largest number is; the first of equals. */
const largest = (numbers: readonly number[]): number => numbers.indexOf(Math.max(...numbers));
