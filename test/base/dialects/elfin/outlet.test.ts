import { setImmediate as turnOver } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { defaultElfinLimits } from '../../../../base/dialects/elfin/elfin-limits.js';
import { ElfinSession } from '../../../../base/dialects/elfin/elfin-session.js';
import { Outlet, SLICE_OCTETS } from '../../../../base/dialects/elfin/outlet.js';
import type { SessionHost } from '../../../../base/dialects/elfin/session-host.js';
import { Turn } from '../../../../base/dialects/turn.js';
import { ManualClock, settle } from '../../../support/manual-clock.js';
import { MemoryCarrier } from '../memory-carrier.js';

/** A peer that takes so many octets, and then as many more as it is told. */
class SlowCarrier extends MemoryCarrier {
  readonly writes: number[] = [];
  came = '';
  room: number;
  hasEnded = false;

  constructor(room: number) {
    super('192.0.2.1:1');
    this.room = room;
  }

  override write(octets: Uint8Array): boolean {
    this.writes.push(octets.length);
    this.came += Buffer.from(octets).toString('latin1');
    const taken = Math.min(this.room, octets.length);
    this.room -= taken;
    this.buffered += octets.length - taken;
    return this.buffered === 0;
  }

  override end(): void {
    this.hasEnded = true;
  }

  takes(octets: number): void {
    this.room = octets - this.buffered;
    this.buffered = 0;
  }
}

const text = (octets: number): Uint8Array =>
  Buffer.from('abcdefghij'.repeat(Math.ceil(octets / 10))).subarray(0, octets);

test('what is short goes out when the turn ends, in order and each by itself', async () => {
  const carrier = new SlowCarrier(1e9);
  const outlet = new Outlet(carrier, new Turn());
  expect([outlet.send(text(1)), outlet.send(text(SLICE_OCTETS - 1))]).toEqual([true, true]);
  expect([carrier.writes, outlet.waitingOctets]).toEqual([[], SLICE_OCTETS]);
  await turnOver();
  expect([carrier.writes, outlet.waitingOctets]).toEqual([[1, SLICE_OCTETS - 1], 0]);
  outlet.send(text(2));
  await turnOver();
  expect(carrier.writes).toEqual([1, SLICE_OCTETS - 1, 2]);
});

test('what is more goes out at once, behind what is short: as it is, or in slices', async () => {
  const carrier = new SlowCarrier(1e9);
  const outlet = new Outlet(carrier, new Turn());
  for (const octets of [1, SLICE_OCTETS, SLICE_OCTETS + 1]) expect(outlet.send(text(octets))).toBe(true);
  expect(carrier.writes).toEqual([1, SLICE_OCTETS, SLICE_OCTETS, 1]);
  expect([outlet.isFull, outlet.waitingOctets]).toEqual([false, 0]);
  await turnOver();
  expect(carrier.writes).toHaveLength(4);
});

test('what is short is not written past what is not taken', async () => {
  const carrier = new SlowCarrier(5);
  const outlet = new Outlet(carrier, new Turn());
  for (const each of ['abcdef', 'ghi', 'jkl']) expect(outlet.send(Buffer.from(each))).toBe(true);
  await turnOver();
  expect([carrier.came, outlet.isFull, outlet.waitingOctets]).toEqual(['abcdef', true, 6]);
  expect(outlet.send(Buffer.from('mno'))).toBe(false);
  carrier.takes(1e9);
  expect([outlet.drained(), carrier.came]).toEqual([true, 'abcdefghijklmno']);
});

test('what is not waits, in order, and goes out as there is room', () => {
  const carrier = new SlowCarrier(SLICE_OCTETS + 100);
  const outlet = new Outlet(carrier, new Turn());
  const [large, small] = [text(5 * SLICE_OCTETS), Buffer.from('the end')];
  expect([outlet.send(large), outlet.send(small)]).toEqual([false, false]);
  expect(carrier.writes).toEqual([SLICE_OCTETS, SLICE_OCTETS]);
  expect([outlet.isFull, outlet.waitingOctets]).toEqual([true, 3 * SLICE_OCTETS + small.length]);
  carrier.takes(2 * SLICE_OCTETS);
  expect(outlet.drained()).toBe(false);
  expect(outlet.waitingOctets).toBe(SLICE_OCTETS + small.length);
  carrier.takes(1e9);
  expect(outlet.drained()).toBe(true);
  expect(carrier.came).toBe(`${Buffer.from(large)}the end`);
  expect([outlet.isFull, outlet.waitingOctets]).toEqual([false, 0]);
});

test('what waits is counted with all that it keeps in memory', async () => {
  const carrier = new SlowCarrier(0);
  const outlet = new Outlet(carrier, new Turn());
  const chunk = new Uint8Array(5 * SLICE_OCTETS);
  outlet.send(chunk.subarray(0, 1));
  await turnOver();
  // That one is the carrier's.
  expect(outlet.keptOctets).toBe(0);
  outlet.send(chunk.subarray(0, 1));
  outlet.send(new Uint8Array(10));
  expect([outlet.waitingOctets, outlet.keptOctets]).toEqual([11, chunk.length + 10]);
  carrier.takes(1e9);
  expect([outlet.drained(), outlet.keptOctets]).toEqual([true, 0]);
});

test('a write that gave false and left nothing behind holds nobody up', async () => {
  const carrier = new SlowCarrier(1e9);
  carrier.write = (octets) => {
    carrier.writes.push(octets.length);
    return false;
  };
  const outlet = new Outlet(carrier, new Turn());
  outlet.send(text(10));
  await turnOver();
  expect([carrier.writes, outlet.isFull, outlet.send(text(10))]).toEqual([[10], false, true]);
});

test('the end comes behind what waits', () => {
  const carrier = new SlowCarrier(0);
  const outlet = new Outlet(carrier, new Turn());
  outlet.send(text(2 * SLICE_OCTETS));
  outlet.end();
  expect(carrier.hasEnded).toBe(false);
  carrier.takes(1e9);
  expect([outlet.drained(), carrier.hasEnded]).toEqual([true, true]);
});

test('the end comes behind what is short, and does not wait for the turn', async () => {
  const carrier = new SlowCarrier(1e9);
  const outlet = new Outlet(carrier, new Turn());
  outlet.send(text(3));
  outlet.end();
  expect([carrier.writes, carrier.hasEnded]).toEqual([[3], true]);
  await turnOver();
  expect(carrier.writes).toEqual([3]);
});

test('what nobody takes any more is not written when the turn ends', async () => {
  const carrier = new SlowCarrier(1e9);
  const outlet = new Outlet(carrier, new Turn());
  outlet.send(text(3));
  outlet.discard();
  await turnOver();
  expect([carrier.writes, outlet.waitingOctets]).toEqual([[], 0]);
});

const WAITING_OCTETS = 1_024;

/** Two connections in lines, in a tunnel of user `u`; whoever asks something is answered `WAITING_OCTETS` octets. */
function twoSessions(unsentOctets: number) {
  const [asked, left]: [string[], string[]] = [[], []];
  const woken: ElfinSession[] = [];
  const clock = new ManualClock();
  const host = {
    clock,
    limits: { ...defaultElfinLimits, unsentOctets },
    turn: new Turn(),
    relayed: { messages: 0, octets: 0, dropped: 0 },
    counted() {},
    usersRevision: 0,
    admits: () => true,
    control: (_session: unknown, { kind }: { kind: string }) => {
      asked.push(kind);
      return new Uint8Array(WAITING_OCTETS);
    },
    wake: (session: ElfinSession) => void woken.push(session),
    left: (_session: unknown, reason: string) => void left.push(reason),
    gone() {},
  } as unknown as SessionHost;
  const carriers = [new SlowCarrier(1e9), new SlowCarrier(0)] as const;
  const sessions = carriers.map((carrier) => {
    const session = new ElfinSession(host, { carrier, proved() {} }, 'line');
    carrier.attach(session);
    return session;
  }) as [ElfinSession, ElfinSession];
  const [first, second] = sessions.map((session) => ({ session, device: undefined, octets: 0, messages: 0 }));
  const tunnel = { user: 'u', first: first!, second: second!, openedAt: 0, ordinal: 1, isOpen: true };
  sessions[0].asFirst = tunnel;
  sessions[1].asSecond = tunnel;
  const say = (text: string): void => sessions[0].octets(Buffer.from(new TextEncoder().encode(text).buffer));
  const wake = (): void => {
    for (const session of woken.splice(0)) session.goOn();
  };
  /** Neither takes anything more. */
  const fill = async (): Promise<void> => {
    for (const carrier of carriers) carrier.room = 0;
    for (const { outlet } of sessions) outlet.send(text(1));
    await turnOver();
  };
  return { clock, carriers, sessions, asked, left, say, wake, fill };
}

test('a connection that waits for the other end and for its own answer goes on when neither is in the way', async () => {
  const { carriers, sessions, asked, say, wake, fill } = twoSessions(defaultElfinLimits.unsentOctets);
  await fill();
  say('data;u;x;x;1;2;bc\nquery;u\nquery;u\n');
  expect([asked.length, sessions[1].outlet.waitingOctets]).toEqual([1, 2]);
  carriers[0].takes(1e9);
  sessions[0].drained();
  wake();
  // The other end is still full.
  expect(asked.length).toBe(1);
  carriers[1].takes(1e9);
  sessions[1].drained();
  wake();
  expect(asked.length).toBe(2);
});

test('what came while a connection was held is read in its order', async () => {
  const { carriers, sessions, asked, say, wake, fill } = twoSessions(defaultElfinLimits.unsentOctets);
  const [mac1, mac2] = ['F0FE6B00000A', 'F0FE6B00000B'];
  await fill();
  say(`query;u\nquery;u\nconnme;u;${mac1}\n`);
  say(`connthem;u;${mac1};${mac2}\n`);
  for (let times = 0; times < 4; times += 1) {
    // Each answer is taken when the next one waits.
    carriers[0].takes(WAITING_OCTETS);
    sessions[0].drained();
    wake();
  }
  expect(asked).toEqual(['query', 'query', 'connme', 'connthem']);
});

test('a connection that is gone leaves no timer behind', async () => {
  const { clock, sessions, carriers } = twoSessions(defaultElfinLimits.unsentOctets);
  sessions[0].slowDown(1_000);
  sessions[1].ended();
  expect(clock.waiting).toBe(2);
  for (const carrier of carriers) carrier.destroy();
  await settle();
  expect(clock.waiting).toBe(0);
});

test('what senders left for an end is so much at most, without its own answer; one octet more, and it is cut', async () => {
  for (const [more, isCut] of [
    [0, false],
    [1, true],
  ] as const) {
    const message = 'data;u;x;x;1;2;ab\n';
    const { carriers, sessions, left, say, fill } = twoSessions(2 * message.length - more);
    await fill();
    carriers[0].takes(1e9);
    sessions[0].drained();
    // An answer of its own, which is not counted.
    sessions[1].octets(Buffer.from('query;u\n'));
    for (let times = 0; times < 2; times += 1) {
      // Another tunnel has taken the place of the one before.
      sessions[0].goesOnWithout(sessions[1]);
      sessions[0].goOn();
      say(message);
    }
    expect([left.length, carriers[1].peer.isDestroyed]).toEqual([isCut ? 1 : 0, isCut]);
  }
});

test('a connection whose peer has ended, and takes nothing that waits for it, is cut', async () => {
  const clock = new ManualClock();
  const carrier = new MemoryCarrier('192.0.2.1:1');
  const said: string[] = [];
  const host = {
    clock,
    limits: defaultElfinLimits,
    turn: new Turn(),
    left: (_session: unknown, reason: string) => void said.push(reason),
    gone: () => void said.push('gone'),
  } as unknown as SessionHost;
  const session = new ElfinSession(host, { carrier, proved() {} }, 'line');
  carrier.attach(session);
  carrier.isStalled = true;
  session.outlet.send(text(10));
  carrier.peer.end();
  await clock.advance(defaultElfinLimits.stalledMs - 1);
  expect([said, carrier.peer.isDestroyed]).toEqual([['its connection was closed'], false]);
  await clock.advance(1);
  await settle();
  expect([said.at(-1), carrier.peer.isDestroyed, clock.waiting]).toEqual(['gone', true, 0]);
});
