import { returnCodes } from '../../../protocol/iotsocket/transmission.js';
import { decodeUid } from '../../../protocol/iotsocket/uid.js';
import type { Outlets } from './outlets.js';
import type { PeerKey } from './peer.js';
import type { RelayUnits } from './relay-ports.js';
import { blockCopyAt } from './relayed-octets.js';
import type { RequestTable } from './request-table.js';

export interface UnitRequestsOptions {
  readonly units: RelayUnits;
  readonly requests: RequestTable;
  readonly outlets: Outlets;
  readonly requestTimeoutMs: number;
}

/** The central's requests to units that are no objects. */
export class UnitRequests {
  readonly #options: UnitRequestsOptions;
  /** Their numbers, by unit, of the session that the central has now. */
  readonly #numbers = new Map<PeerKey, Set<number>>();
  #session = 0;

  constructor(options: UnitRequestsOptions) {
    this.#options = options;
  }

  /** A request whose UID is no object's. */
  ask(key: PeerKey, tracking: number, octets: Buffer, at: number, length: number): void {
    const { units, requests, outlets, requestTimeoutMs } = this.#options;
    const uid = decodeUid(Buffer.from(key, 'latin1'));
    if (uid === undefined || uid === '' || !units.has(uid) || requests.isFull)
      return outlets.answerCentral(key, tracking, returnCodes.noDestination);
    const numbers = this.#numbers.get(key) ?? new Set();
    if (numbers.has(tracking)) return outlets.answerCentral(key, tracking, returnCodes.sameTracking);
    this.#numbers.set(key, numbers.add(tracking));
    requests.add(1);
    const session = this.#session;
    void units.ask(uid, blockCopyAt(octets, at + 19, at + length), requestTimeoutMs).then(({ code, payload }) => {
      requests.add(-1);
      // Another session may have asked with that number since.
      if (session !== this.#session) return;
      numbers.delete(tracking);
      if (numbers.size === 0) this.#numbers.delete(key);
      outlets.answerCentral(key, tracking, code, payload);
    });
  }

  /** Who asked has gone: nobody is told an answer. */
  end(): void {
    this.#session += 1;
    this.#numbers.clear();
  }
}
