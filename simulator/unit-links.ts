import type { Carrier } from '../base/links/carrier.js';
import { LinkError } from '../protocol/errors.js';
import { closeCodes } from '../protocol/iotsocket/transmission.js';
import type { UnitConnection } from './unit-connection.js';

/** A first base that was heard in this time keeps the unit (wire/unit.md, "Two bases"). */
export const HEARD_MS = 60_000;
/** Connections that wait while another proves itself: a chip's accept queue. */
export const MAX_WAITING = 4;

export interface UnitLinksOptions {
  /** Makes a connection of a carrier; its events come to `proved` and `closed`. */
  readonly connect: (carrier: Carrier) => UnitConnection;
  readonly monotonic: () => number;
  /** This connection is the unit's link now. */
  readonly linkUp: (connection: UnitConnection) => void;
  readonly linkDown: (connection: UnitConnection, error: Error | undefined) => void;
}

/** A unit's connections: its one link, one that proves itself, and a few that wait for their turn. */
export class UnitLinks {
  readonly #options: UnitLinksOptions;
  readonly #waiting: Carrier[] = [];
  /** All that are not closed yet, the ones that say goodbye included. */
  readonly #connections = new Set<UnitConnection>();
  #unproved: UnitConnection | undefined;
  #link: UnitConnection | undefined;
  #empty: (() => void) | undefined;

  constructor(options: UnitLinksOptions) {
    this.#options = options;
  }

  get link(): UnitConnection | undefined {
    return this.#link;
  }
  get size(): number {
    return this.#connections.size + this.#waiting.length;
  }

  /** Somebody has connected. */
  offer(carrier: Carrier): void {
    if (this.#unproved === undefined) this.#begin(carrier);
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(carrier);
    else carrier.destroy();
  }

  /** The connection's base has proved itself: it becomes the link, unless another base holds the unit. */
  proved(connection: UnitConnection): void {
    const first = this.#link;
    this.#unproved = undefined;
    if (first !== undefined && this.#options.monotonic() - first.lastInboundAt < HEARD_MS) {
      connection.close(closeCodes.tooMuchLoad, new LinkError('link-busy', 'another base holds the unit'));
    } else {
      if (first !== undefined) {
        this.#down(first, new LinkError('link-lost', 'another base took the unit over'));
        first.close(closeCodes.freeingResources);
      }
      this.#link = connection;
      this.#options.linkUp(connection);
    }
    this.#next();
  }

  closed(connection: UnitConnection, error: Error | undefined): void {
    this.#connections.delete(connection);
    if (this.#link === connection) this.#down(connection, error);
    if (this.#unproved === connection) {
      this.#unproved = undefined;
      this.#next();
    }
    if (this.size === 0) this.#empty?.();
  }

  /** Says goodbye to all; resolves when none is left. */
  async close(code: number): Promise<void> {
    for (const carrier of this.#waiting.splice(0)) carrier.destroy();
    if (this.#connections.size === 0) return;
    const emptied = new Promise<void>((resolve) => {
      this.#empty = resolve;
    });
    for (const connection of [...this.#connections]) connection.close(code);
    await emptied;
  }

  /** Power is off: nobody is told anything. */
  drop(): void {
    for (const carrier of this.#waiting.splice(0)) carrier.destroy();
    const link = this.#link;
    if (link !== undefined) this.#down(link, new LinkError('link-lost', 'the unit restarted'));
    for (const connection of [...this.#connections]) connection.destroy();
  }

  #begin(carrier: Carrier): void {
    const connection = this.#options.connect(carrier);
    this.#unproved = connection;
    this.#connections.add(connection);
    connection.start();
  }

  #next(): void {
    const carrier = this.#waiting.shift();
    if (carrier !== undefined) this.offer(carrier);
  }

  #down(connection: UnitConnection, error: Error | undefined): void {
    this.#link = undefined;
    this.#options.linkDown(connection, error);
  }
}
