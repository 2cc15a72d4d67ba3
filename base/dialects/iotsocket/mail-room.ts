import type { IotsocketLimits } from './iotsocket-limits.js';
import { type KeptItem, KeptMail, type MailTotal } from './kept-mail.js';
import type { Peer } from './peer.js';

/** What is kept outlives the base. */
export interface KeptStore {
  /** Gives its place; `failed` is called when it could not be written. */
  keep(uid: string, octets: Uint8Array, failed: () => void): number;
  /** Resolves when they are gone for good. Never rejects. */
  unkeep(positions: readonly number[]): Promise<void>;
}

export interface MailRoomOptions {
  readonly store: KeptStore;
  readonly limits: Pick<IotsocketLimits, 'keptItems' | 'keptOctets' | 'keptOctetsInAll'>;
  /** The disk did not take an item that was thought to be kept; it has been taken out. */
  readonly lost: (peer: Peer, item: KeptItem) => void;
}

/** The mail of all peers that are away: on disk as well, as far as it means anything after a restart. */
export class MailRoom {
  readonly #options: MailRoomOptions;
  readonly #total: MailTotal = { octets: 0 };

  constructor(options: MailRoomOptions) {
    this.#options = options;
  }

  /** Octets of all mail. */
  get octets(): number {
    return this.#total.octets;
  }

  /** False: there is no room. While a peer's mail is on its way out what comes behind it is in memory only. */
  keep(peer: Peer, octets: Buffer, request: KeptItem['request']): boolean {
    const mail = this.#mailOf(peer);
    if (!mail.hasRoom(octets.length, peer.session !== undefined)) return false;
    const item = { octets, request, position: undefined };
    mail.add(peer.isResuming ? item : { ...item, position: this.#store(peer, item) });
    return true;
  }

  /** As an earlier run kept it. */
  restore(peer: Peer, item: KeptItem): void {
    this.#mailOf(peer).add(item);
  }

  /** What an earlier run kept, and means nothing now. */
  forget(position: number): void {
    void this.#unkeep([position]);
  }

  /** All of a peer's mail is on its way out. Resolves when it is gone for good from the disk. */
  takeOut(peer: Peer): Promise<void> {
    return this.#unkeep(peer.mail?.takeOut() ?? []);
  }

  /** What could not be sent waits again, before all that has come since; from now on it outlives the base again. */
  putBack(peer: Peer): void {
    peer.mail?.putBack((item) => this.#store(peer, item));
  }

  /** Takes a request out that was not delivered. True: it was there. */
  withdraw(peer: Peer | undefined, tracking: number, objectKey: string): boolean {
    const item = peer?.mail?.remove(tracking, objectKey);
    if (item?.position !== undefined) void this.#unkeep([item.position]);
    return item !== undefined;
  }

  /** Throws away all that a peer has. Gives how many responses were among it. */
  clear(peer: Peer): number {
    const cleared = peer.mail?.clear();
    peer.mail = undefined;
    void this.#unkeep(cleared?.positions ?? []);
    return cleared?.responses ?? 0;
  }

  async #unkeep(positions: readonly number[]): Promise<void> {
    if (positions.length > 0) await this.#options.store.unkeep(positions);
  }

  #store(peer: Peer, { octets, request }: KeptItem): number | undefined {
    // The base itself does not wait for an answer over its restart.
    if (request?.isOwn) return undefined;
    const position = this.#options.store.keep(peer.uid, octets, () => {
      const item = peer.mail?.removeAt(position);
      if (item !== undefined) this.#options.lost(peer, item);
    });
    return position;
  }

  #mailOf(peer: Peer): KeptMail {
    const { keptItems, keptOctets, keptOctetsInAll } = this.#options.limits;
    peer.mail ??= new KeptMail({ items: keptItems, octets: keptOctets }, this.#total, keptOctetsInAll);
    return peer.mail;
  }
}
