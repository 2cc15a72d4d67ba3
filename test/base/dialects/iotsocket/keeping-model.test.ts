import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OwnAnswer } from '../../../../base/dialects/iotsocket/own-request.js';
import type { Peer } from '../../../../base/dialects/iotsocket/peer.js';
import { LATE_ANSWER_MS } from '../../../../base/dialects/iotsocket/request-table.js';
import { payloadFormats } from '../../../../protocol/iotsocket/transmission.js';
import { settle } from '../../../support/manual-clock.js';
import { MemoryConcentrator } from './memory-concentrator.js';
import { uidHex } from './octet-peer.js';
import type { MemoryStream } from './session-rig.js';

const TIMEOUT_MS = 10_000;
/** Times are counted in ticks of 100 ms, and looked at as often. */
const BLUR_MS = 300;
/** Whether the disk is still at it is looked at every second. */
const HELD_BLUR_MS = 1_000;
const UIDS = ['A', 'B'];

/** What an answer says that belongs to no request. */
const NO_ID = 0xffff_ffff;

/** What may happen. `who` 0 is the central, 1 and 2 are the objects. */
type Event =
  | { readonly kind: 'ask'; readonly who: number; readonly object: number; readonly number: number }
  | { readonly kind: 'own'; readonly object: number; readonly timeoutMs: number }
  | { readonly kind: 'answer'; readonly who: number; readonly which: number }
  | { readonly kind: 'guess'; readonly who: number; readonly object: number; readonly number: number }
  | { readonly kind: 'open' | 'drop' | 'sleep' | 'end'; readonly who: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'stall' | 'go on' };

const who = fc.nat(2);
const object = fc.integer({ min: 1, max: 2 });
const events: fc.Arbitrary<Event> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('ask' as const), who, object, number: fc.nat(2) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('own' as const),
      object,
      timeoutMs: fc.constantFrom(2_000, 15_000, 30_000),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('answer' as const), who, which: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('guess' as const), who, object, number: fc.nat(4) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('open' as const), who }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('drop' as const, 'sleep' as const), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const), who }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.constantFrom(100, 2_000, 6_000, 11_000, 40_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('stall' as const, 'go on' as const) }) },
);

/** A request as the model knows it. Its payload is its `id`, which grows with every request. */
interface Asked {
  readonly id: number;
  /** 0: the central; −1: the base itself. */
  readonly from: number;
  readonly fromSession: number;
  readonly to: number;
  readonly toSession: number;
  /** Of the base's own requests the first delivery tells. */
  number: number | undefined;
  readonly timeoutMs: number;
  /** Where there was nobody to ask. */
  readonly isHopeless: boolean;
  isDelivered: boolean;
  /** Which of all things it was that the one asked answered. */
  answeredAt: number | undefined;
  /** Codes of the answers that reached who asked. */
  readonly answers: number[];
  /** Time of its clock: since the acceptance of the base's own, else since delivery, while the one asked is there. */
  ranMs: number;
  /** How long the disk has kept it from one who is there. */
  heldMs: number;
  /** … or all that one was to get, for longer than an answer may take. */
  isHeld: boolean;
}

interface Side {
  readonly peer: Peer;
  stream: MemoryStream | undefined;
  read: number;
  /** The last of all things that reached it. */
  lastAt: number;
  /** How long the disk has kept its mail from it. */
  heldMs: number;
}

class Model {
  readonly concentrator = new MemoryConcentrator(UIDS);
  readonly #sides: readonly Side[];
  readonly #all: Asked[] = [];
  readonly #settled: { readonly asked: Asked; readonly answer: OwnAnswer }[] = [];
  /** Counts what happens: requests and answers are ordered by it. */
  #at = 0;

  constructor() {
    const { central, objects } = this.concentrator;
    this.#sides = [central, ...objects].map((peer) => ({ peer, stream: undefined, read: 0, lastAt: 0, heldMs: 0 }));
  }

  async happen(event: Event): Promise<void> {
    this.#at += 1;
    switch (event.kind) {
      case 'ask':
        this.#ask(event.who, event.who === 0 ? event.object : 0, event.number);
        break;
      case 'own':
        this.#askOwn(event.object, event.timeoutMs);
        break;
      case 'answer':
        this.#answer(event.who, event.which);
        break;
      case 'guess':
        this.#guess(event.who, event.object, event.number);
        break;
      case 'open':
        this.#connect(event.who);
        break;
      case 'drop':
        this.#sides[event.who]!.stream?.destroy();
        break;
      case 'sleep':
        this.#send(event.who, 'f0a0');
        break;
      case 'end':
        this.#send(event.who, 'f000');
        break;
      case 'pass':
        await this.#pass(event.ms);
        break;
      case 'stall':
        this.concentrator.stall();
        break;
      case 'go on':
        this.concentrator.goOn();
        break;
    }
    await this.#look();
  }

  /** Everybody comes back, and time goes by: now every request must have its answer. */
  async finish(): Promise<void> {
    this.concentrator.goOn();
    for (const who of this.#sides.keys()) if (this.#sides[who]!.peer.session === undefined) this.#connect(who);
    await this.#look();
    // The longest time of a request, and that for which a late answer is waited for.
    await this.#pass(31_000 + LATE_ANSWER_MS);
    for (const asked of this.#all)
      if (this.#isAskerThere(asked)) expect([asked, asked.answers.length]).toEqual([asked, 1]);
    expect(this.concentrator.disk.size).toBe(0);
    expect(this.concentrator.relay.inFlight).toBe(0);
    expect(this.concentrator.relay.keptOctets).toBe(0);
    await this.concentrator.stop();
  }

  #connect(who: number): void {
    const side = this.#sides[who]!;
    this.#read(who);
    side.stream = this.concentrator.open(side.peer);
    side.read = 0;
  }

  #send(who: number, hex: string): void {
    const { peer, stream } = this.#sides[who]!;
    if (peer.session !== undefined) stream!.send(hex);
  }

  #ask(from: number, to: number, number: number): void {
    const { peer } = this.#sides[from]!;
    if (peer.session === undefined) return;
    // Where answers come late, two requests with one number could not be told apart by who asked.
    if (peer.isResuming && this.#open(from, to, number).length > 0) return;
    const { id } = this.#expectAnswer(from, to, number, TIMEOUT_MS);
    const uid = from === 0 ? `38${uidHex(UIDS[to - 1]!)}` : '30';
    this.#send(from, `${uid}${hex(number, 2)}000004${hex(id, 4)}`);
  }

  #askOwn(to: number, timeoutMs: number): void {
    const asked = this.#expectAnswer(-1, to, undefined, timeoutMs);
    const data = Buffer.from(hex(asked.id, 4), 'hex');
    const payload = { format: payloadFormats.binary, options: 0, data };
    void this.concentrator.relay
      .ask({ uid: UIDS[to - 1]!, payload, timeoutMs })
      .then((answer) => this.#settled.push({ asked, answer }));
  }

  #expectAnswer(from: number, to: number, number: number | undefined, timeoutMs: number): Asked {
    const asked: Asked = {
      id: this.#at,
      from,
      fromSession: from < 0 ? 0 : this.#sides[from]!.peer.sessionNumber,
      to,
      toSession: this.#sides[to]!.peer.sessionNumber,
      number,
      timeoutMs,
      isHopeless: !this.#sides[to]!.peer.hasSession,
      isDelivered: false,
      answeredAt: undefined,
      answers: [],
      ranMs: 0,
      heldMs: 0,
      isHeld: false,
    };
    this.#all.push(asked);
    return asked;
  }

  /** Answers one of the newest requests that it has, answered before or not: never one whose number it has seen since. */
  #answer(who: number, which: number): void {
    const delivered = this.#all.filter(({ to, isDelivered }) => to === who && isDelivered);
    const newest = delivered.filter(
      (each) => !delivered.some((other) => other.id > each.id && isSameNumber(other, each)),
    );
    const asked = newest.at(-1 - which);
    if (asked === undefined || this.#sides[who]!.peer.session === undefined) return;
    asked.answeredAt ??= this.#at;
    const uid = who === 0 ? `48${uidHex(UIDS[asked.from - 1]!)}` : '40';
    this.#send(who, `${uid}${hex(asked.number!, 2)}00000004${hex(asked.id, 4)}`);
  }

  /** Answers what it was not asked, or what is over. */
  #guess(who: number, object: number, number: number): void {
    const isAsked = this.#all.some(
      (each) =>
        each.to === who &&
        each.isDelivered &&
        each.answers.length === 0 &&
        each.number === number &&
        (who !== 0 || each.from === object),
    );
    if (isAsked) return;
    this.#send(who, `${who === 0 ? `48${uidHex(UIDS[object - 1]!)}` : '40'}${hex(number, 2)}00000004${hex(NO_ID, 4)}`);
  }

  async #pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 10_000) {
      const step = Math.min(left, 10_000);
      // They are alive.
      for (const who of this.#sides.keys()) this.#send(who, '20');
      for (const side of this.#sides) if (side.peer.isResuming) side.heldMs += step;
      for (const asked of this.#all) {
        if (asked.answers.length > 0) continue;
        const isRunning = asked.isDelivered && this.#sides[asked.to]!.peer.session !== undefined;
        asked.isHeld ||= !asked.isDelivered && this.#sides[asked.to]!.heldMs >= TIMEOUT_MS - BLUR_MS;
        if (asked.from < 0 || isRunning) asked.ranMs += step;
        else if (this.#sides[asked.to]!.peer.session !== undefined) asked.heldMs += step;
      }
      await this.concentrator.clock.advance(step);
      await this.#look();
    }
  }

  /** What has reached everybody since, and whether it may have. */
  async #look(): Promise<void> {
    await settle(2);
    for (const who of this.#sides.keys()) this.#read(who);
    for (const side of this.#sides) if (!side.peer.isResuming) side.heldMs = 0;
    for (const { asked, answer } of this.#settled.splice(0)) {
      const { data } = answer.payload;
      this.#answered(asked, answer.code, data.length === 0 ? undefined : Buffer.from(data).readUInt32BE());
    }
    for (const asked of this.#all) {
      if (asked.answers.length > 0 || !this.#isTold(asked)) continue;
      expect(asked.ranMs, `request ${asked.id} has no answer`).toBeLessThan(asked.timeoutMs + BLUR_MS);
      expect(asked.heldMs, `request ${asked.id} is held up`).toBeLessThan(TIMEOUT_MS + HELD_BLUR_MS);
      expect(this.#sides[asked.to]!.peer.sessionNumber, `request ${asked.id} was forgotten`).toBe(asked.toSession);
    }
  }

  #read(who: number): void {
    const side = this.#sides[who]!;
    if (side.stream === undefined) return;
    const octets = Buffer.from(side.stream.written, 'hex');
    while (side.read < octets.length) side.read += this.#take(who, octets.subarray(side.read));
  }

  /** Gives how many octets it was. */
  #take(who: number, octets: Buffer): number {
    const type = octets[0]! >> 4;
    if (type === 1 || type === 2) return 1;
    if (type === 15) return 2;
    const hasUid = (octets[0]! & 0x08) !== 0;
    expect(hasUid).toBe(who === 0);
    const at = hasUid ? 17 : 1;
    const other = hasUid ? 1 + UIDS.findIndex((uid) => uidHex(uid) === octets.toString('hex', 1, 17)) : 0;
    const number = octets.readUInt16BE(at);
    const block = at + (type === 3 ? 2 : 3);
    const length = octets.readUInt16BE(block + 1);
    const id = length === 0 ? undefined : octets.readUInt32BE(block + 3);
    if (type === 3) this.#delivered(who, other, number, id!);
    else this.#answeredTo(who, other, number, octets[at + 2]!, id);
    return block + 3 + length;
  }

  #delivered(who: number, other: number, number: number, id: number): void {
    const asked = this.#all.find((each) => each.id === id)!;
    expect(asked.to).toBe(who);
    expect(who === 0 ? asked.from : other).toBe(who === 0 ? other : 0);
    asked.number ??= number;
    expect(asked.number).toBe(number);
    expect(asked.isDelivered, `request ${id} is delivered twice`).toBe(false);
    expect(asked.answers, `request ${id} is delivered after its end`).toEqual([]);
    expect(this.#isAskerThere(asked), `request ${id} is delivered though who asked has gone`).toBe(true);
    asked.isDelivered = true;
    this.#inOrder(who, id);
  }

  #answeredTo(who: number, other: number, number: number, code: number, id: number | undefined): void {
    const open = this.#open(who, other, number);
    // Which of several with the same number is meant: the second one is told that there is a first.
    const asked = id === undefined ? (code === 0xa2 ? open.at(-1) : open[0]) : open.find((each) => each.id === id);
    expect(asked, `an answer ${code.toString(16)} to ${number} that was not asked for`).toBeDefined();
    this.#answered(asked!, code, id);
    if (id !== undefined) this.#inOrder(who, asked!.answeredAt!);
  }

  #answered(asked: Asked, code: number, id: number | undefined): void {
    expect(asked.answers, `request ${asked.id} is answered twice`).toEqual([]);
    if (id !== undefined) {
      expect(id).toBe(asked.id);
      expect(asked.answeredAt).toBeDefined();
    } else if (code === 0xa0) expect(asked.isHopeless || asked.isHeld, `request ${asked.id} is refused`).toBe(true);
    else if (code === 0xa1) {
      const isOver = asked.ranMs >= asked.timeoutMs - BLUR_MS;
      const isEnded = this.#sides[asked.to]!.peer.sessionNumber !== asked.toSession;
      expect(isOver || isEnded, `request ${asked.id} is over too soon`).toBe(true);
    } else expect(code).toBe(0xa2);
    asked.answers.push(code);
  }

  #inOrder(who: number, at: number): void {
    const side = this.#sides[who]!;
    expect(at, 'the order is kept').toBeGreaterThanOrEqual(side.lastAt);
    side.lastAt = at;
  }

  /** What the present session of that side has asked with that number, and has no answer to. */
  #open(from: number, to: number, number: number): readonly Asked[] {
    return this.#all.filter(
      (each) =>
        each.from === from &&
        each.to === to &&
        each.number === number &&
        each.answers.length === 0 &&
        this.#isAskerThere(each),
    );
  }

  #isAskerThere({ from, fromSession }: Asked): boolean {
    return from < 0 || this.#sides[from]!.peer.sessionNumber === fromSession;
  }

  /** Who asked would have been told an answer by now. */
  #isTold(asked: Asked): boolean {
    if (asked.from < 0) return true;
    const { peer } = this.#sides[asked.from]!;
    return peer.session !== undefined && !peer.isResuming && peer.sessionNumber === asked.fromSession;
  }
}

const isSameNumber = (one: Asked, other: Asked): boolean =>
  one.number === other.number && (one.to !== 0 || one.from === other.from);

const hex = (value: number, octets: number): string => value.toString(16).padStart(2 * octets, '0');

test('each request is delivered and answered at most once, in time, in order, and exactly once where who asked stays', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(events, { maxLength: 80, size: 'max' }), async (all) => {
      const model = new Model();
      for (const who of [0, 1, 2]) await model.happen({ kind: 'open', who });
      for (const event of all) await model.happen(event);
      await model.finish();
    }),
    { numRuns: 1_000, interruptAfterTimeLimit: 5_000, markInterruptAsFailure: false },
  );
});
