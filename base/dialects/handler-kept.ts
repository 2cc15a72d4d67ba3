import { StoreError } from '../../protocol/errors.js';
import type { Keeping, KeptInput, KeptTransmissions } from '../core/kept-transmissions.js';
import type { Kept } from '../core/store.js';

/** What one handler may keep, where it does not say otherwise (reference/limits.md, "Kept session"). */
const MAX_KEPT_OCTETS = 64 * 1024 * 1024;
/** What one transmission counts beside its octets. */
const ROW_OCTETS = 64;
/**
 * The concentrator's rows bear no handler's name: versions before this one kept nothing else. In the others the handler's
 * name between two of these is before the UID, where no UID of a handler can have one.
 */
const CONCENTRATOR = 'iotsocket';
const MARK = '\u001f';
const marked = new RegExp(`^${MARK}[a-z][a-z0-9-]{0,31}${MARK}`);

/** The transmissions that one handler keeps: it sees and erases no other's. */
export class HandlerKept {
  readonly #all: KeptTransmissions;
  readonly #mark: string;
  readonly #maxOctets: number;
  /** Octets of each that is kept. */
  readonly #own = new Map<number, number>();
  #octets = 0;

  constructor(all: KeptTransmissions, handler: string, maxOctets = MAX_KEPT_OCTETS) {
    this.#all = all;
    this.#mark = handler === CONCENTRATOR ? '' : `${MARK}${handler}${MARK}`;
    this.#maxOctets = maxOctets;
  }

  /** As {@link KeptTransmissions.keep}; past the bound nothing is kept, and `stored` rejects with StoreError `store-busy`. */
  keep(items: readonly KeptInput[]): Keeping {
    const octets = items.reduce((sum, item) => sum + ROW_OCTETS + item.octets.length, 0);
    if (this.#octets + octets > this.#maxOctets) return refused(items.length, this.#maxOctets);
    const { positions, stored } = this.#all.keep(items.map((item) => ({ ...item, unit: this.#mark + item.unit })));
    for (const [index, position] of positions.entries()) this.#add(position, items[index]!.octets);
    stored.catch(() => this.#forget(positions));
    return { positions, stored };
  }

  /** As {@link KeptTransmissions.unkeep}; positions of others are left alone. */
  unkeep(positions: readonly number[]): Promise<void> {
    const own = positions.filter((position) => this.#own.has(position));
    this.#forget(own);
    return this.#all.unkeep(own);
  }

  /** What it kept in an earlier run. Once. */
  take(): readonly Kept[] {
    const mark = this.#mark;
    const isOwn = mark === '' ? ({ unit }: Kept) => !marked.test(unit) : ({ unit }: Kept) => unit.startsWith(mark);
    const taken = this.#all.take(isOwn).map((kept) => ({ ...kept, unit: kept.unit.slice(mark.length) }));
    for (const { position, octets } of taken) this.#add(position, octets);
    return taken;
  }

  #add(position: number, { length }: Uint8Array): void {
    this.#own.set(position, ROW_OCTETS + length);
    this.#octets += ROW_OCTETS + length;
  }

  #forget(positions: readonly number[]): void {
    for (const position of positions) {
      this.#octets -= this.#own.get(position) ?? 0;
      this.#own.delete(position);
    }
  }
}

function refused(count: number, maxOctets: number): Keeping {
  const why = `the handler keeps ${Math.floor(maxOctets / 1_048_576)} MiB of transmissions; there is no room for more`;
  const stored = Promise.reject<void>(new StoreError('store-busy', why));
  stored.catch(() => {});
  // No row has this position.
  return { positions: Array.from({ length: count }, () => 0), stored };
}
