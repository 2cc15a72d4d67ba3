/** A transmission for a peer that is away, as it is to be sent to it. */
export interface KeptItem {
  readonly octets: Buffer;
  /** Of a request: who asked, so that it can be told. `undefined`: a response. */
  readonly request: { readonly objectKey: string; readonly tracking: number; readonly isOwn: boolean } | undefined;
  /** Its place in the store; `undefined`: it is not there, as it is on its way out, or means nothing after a restart. */
  readonly position: number | undefined;
}

/** What one peer's mail may have. */
export interface MailRoom {
  readonly items: number;
  readonly octets: number;
}

/** Octets of all mail: one sum for all peers. */
export interface MailTotal {
  octets: number;
}

/**
 * What waits for one peer, in order, within bounds: past them the newest is refused. What is on its way out is before all
 * that waits, and can still be withdrawn.
 */
export class KeptMail {
  readonly #room: MailRoom;
  readonly #total: MailTotal;
  readonly #maxTotal: number;
  #waiting: KeptItem[] = [];
  #waitingOctets = 0;
  #leaving: KeptItem[] = [];

  constructor(room: MailRoom, total: MailTotal, maxTotal: number) {
    this.#room = room;
    this.#total = total;
    this.#maxTotal = maxTotal;
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** For a peer with a connection, to which it goes in a moment, only octets are counted: so much is written to it too. */
  hasRoom(octets: number, isConnected: boolean): boolean {
    return (
      (isConnected || this.#waiting.length < this.#room.items) &&
      this.#waitingOctets + octets <= this.#room.octets &&
      this.#total.octets + octets <= this.#maxTotal
    );
  }

  add(item: KeptItem): void {
    this.#waiting.push(item);
    this.#waitingOctets += item.octets.length;
    this.#total.octets += item.octets.length;
  }

  /** Whether a request to the object with this mail was not delivered yet. */
  has(tracking: number): boolean {
    const isIt = ({ request }: KeptItem): boolean => request?.tracking === tracking;
    return this.#leaving.some(isIt) || this.#waiting.some(isIt);
  }

  /** Takes out a request that was not delivered; `undefined`: it is not there. */
  remove(tracking: number, objectKey: string): KeptItem | undefined {
    const isIt = ({ request }: KeptItem): boolean => request?.tracking === tracking && request.objectKey === objectKey;
    return this.#removeLeaving(isIt) ?? this.#removeWaiting(isIt);
  }

  removeAt(position: number): KeptItem | undefined {
    return this.#removeWaiting((item) => item.position === position);
  }

  /** All that waits is on its way out. Gives its places in the store, from which it is to be taken. */
  takeOut(): readonly number[] {
    const taken = this.#waiting;
    this.#waiting = [];
    this.#waitingOctets = 0;
    this.#leaving.push(...taken.map((item) => ({ ...item, position: undefined })));
    return positionsOf(taken);
  }

  /** Takes out all requests, on their way or not, and leaves the responses. */
  takeRequests(): readonly KeptItem[] {
    const isRequest = ({ request }: KeptItem): boolean => request !== undefined;
    const requests = [...this.#leaving.filter(isRequest), ...this.#waiting.filter(isRequest)];
    for (const each of requests)
      this.#removeLeaving((item) => item === each) ?? this.#removeWaiting((item) => item === each);
    return requests;
  }

  /** The next that is on its way out. */
  next(): KeptItem | undefined {
    return this.#removeLeaving(() => true);
  }

  /** What is on its way out waits again, before all the others. `store` gives each of all its place in the store. */
  putBack(store: (item: KeptItem) => number | undefined): void {
    const all = [...this.#leaving, ...this.#waiting];
    this.#leaving = [];
    this.#waiting = all.map((item) => ({ ...item, position: item.position ?? store(item) }));
    this.#waitingOctets = octetsOf(all);
  }

  /** Nothing is left of it. Gives the places in the store, and how many of it were responses. */
  clear(): { readonly positions: readonly number[]; readonly responses: number } {
    const all = [...this.#leaving, ...this.#waiting];
    this.#leaving = [];
    this.#waiting = [];
    this.#waitingOctets = 0;
    this.#total.octets -= octetsOf(all);
    return { positions: positionsOf(all), responses: all.filter(({ request }) => request === undefined).length };
  }

  #removeLeaving(matches: (item: KeptItem) => boolean): KeptItem | undefined {
    const item = removeFirst(this.#leaving, matches);
    if (item !== undefined) this.#total.octets -= item.octets.length;
    return item;
  }

  #removeWaiting(matches: (item: KeptItem) => boolean): KeptItem | undefined {
    const item = removeFirst(this.#waiting, matches);
    if (item === undefined) return undefined;
    this.#waitingOctets -= item.octets.length;
    this.#total.octets -= item.octets.length;
    return item;
  }
}

function removeFirst(items: KeptItem[], matches: (item: KeptItem) => boolean): KeptItem | undefined {
  const at = items.findIndex(matches);
  return at === -1 ? undefined : items.splice(at, 1)[0];
}

const positionsOf = (items: readonly KeptItem[]): number[] =>
  items.flatMap(({ position }) => (position === undefined ? [] : [position]));

const octetsOf = (items: readonly KeptItem[]): number => items.reduce((sum, { octets }) => sum + octets.length, 0);
