import { beforeEach, expect, test } from 'vitest';
import { ContainedCarrier, MAX_STALLED_MS, MAX_UNTAKEN_OCTETS } from '../../../base/dialects/contained-carrier.js';
import { HandlerFaults } from '../../../base/dialects/handler-faults.js';
import type { CarrierSink } from '../../../base/links/carrier.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { QuietLog } from '../../support/quiet-log.js';
import { MemoryCarrier } from './memory-carrier.js';

let clock: ManualClock;
let log: QuietLog;
let faults: HandlerFaults;
let below: MemoryCarrier;
let carrier: ContainedCarrier;
let over: number;

beforeEach(() => {
  clock = new ManualClock();
  log = new QuietLog();
  faults = new HandlerFaults(log);
  below = new MemoryCarrier('10.0.0.9:4000');
  over = 0;
  const isOver = (): void => {
    over += 1;
  };
  carrier = new ContainedCarrier({ carrier: below, faults, clock, over: isOver });
});

function sink(told: string[], own: Partial<CarrierSink> = {}): CarrierSink {
  return {
    octets: (chunk) => void told.push(`octets ${[...chunk]}`),
    drained: () => void told.push('drained'),
    ended: () => void told.push('ended'),
    closed: (error) => void told.push(error === undefined ? 'closed' : `closed: ${error.message}`),
    ...own,
  };
}

const fail = (): never => {
  throw new Error('no');
};

test('passes on what comes and goes, and knows what the carrier below knows', async () => {
  const told: string[] = [];
  carrier.attach(sink(told));
  below.peer.write(Uint8Array.of(1, 2));
  await settle();
  expect(carrier.write(Uint8Array.of(3))).toBe(true);
  expect([carrier.remote, carrier.kind, carrier.buffered, [...below.peer.take()]]).toEqual([
    '10.0.0.9:4000',
    'tcp',
    0,
    [3],
  ]);
  carrier.pause();
  below.peer.write(Uint8Array.of(4));
  await settle();
  expect(told).toEqual(['octets 1,2']);
  carrier.resume();
  below.peer.end();
  carrier.end();
  await settle();
  expect([told, over, faults.count]).toEqual([['octets 1,2', 'octets 4', 'ended', 'closed'], 1, 0]);
});

test.each([
  ['octets', fail],
  ['octets', async () => fail()],
  ['ended', fail],
  ['ended', () => Promise.reject()],
  ['drained', fail],
] as const)('when %s throws or rejects the connection is cut, and only its end is told', async (name, broken) => {
  const told: string[] = [];
  carrier.attach(sink(told, { [name]: broken }));
  if (name === 'drained') carrier.drained();
  if (name === 'octets') below.peer.write(Uint8Array.of(1));
  if (name === 'ended') below.peer.end();
  await settle();
  expect(told.at(-1)).toBe(`closed: the handler failed in ${name}`);
  expect([below.peer.isDestroyed, faults.count, over]).toEqual([true, 1, 1]);
  expect(log.lines[0]).toMatchObject({ level: 'error', fields: { where: name } });
  told.length = 0;
  below.peer.write(Uint8Array.of(3));
  await settle();
  expect(told).toEqual([]);
});

test('what its end throws is a fault like any other', async () => {
  carrier.attach(sink([], { closed: fail }));
  below.peer.reset();
  await settle();
  expect([faults.count, faults.last, over]).toEqual([1, 'no', 1]);
});

test('a connection that breaks says why', async () => {
  const told: string[] = [];
  carrier.attach(sink(told));
  below.peer.reset('ECONNRESET');
  await settle();
  expect(told).toEqual(['closed: ECONNRESET']);
});

test('one that is destroyed before it is attached, or twice, is over once', () => {
  carrier.destroy();
  carrier.destroy();
  expect([over, below.peer.isDestroyed]).toEqual([1, true]);
});

test('it is attached once', () => {
  carrier.attach(sink([]));
  expect(() => carrier.attach(sink([]))).toThrow('once');
});

test('a peer that takes nothing is cut past the bound of what is not taken, and not at it', async () => {
  const told: string[] = [];
  carrier.attach(sink(told));
  below.isStalled = true;
  expect(carrier.write(new Uint8Array(MAX_UNTAKEN_OCTETS))).toBe(false);
  await settle();
  expect(told).toEqual([]);
  carrier.write(Uint8Array.of(1));
  await settle();
  expect(told).toEqual(['closed: the peer does not take what is sent to it']);
  expect([faults.count, clock.waiting]).toEqual([0, 0]);
});

test('a peer that takes nothing for 30 s is cut, and one that does in time is not', async () => {
  const told: string[] = [];
  carrier.attach(sink(told));
  below.isStalled = true;
  carrier.write(Uint8Array.of(1));
  await clock.advance(MAX_STALLED_MS - 1);
  carrier.drained();
  carrier.write(Uint8Array.of(1));
  carrier.write(Uint8Array.of(1));
  await clock.advance(MAX_STALLED_MS - 1);
  expect(told).toEqual(['drained']);
  await clock.advance(1);
  expect(told).toEqual(['drained', 'closed: the peer does not take what is sent to it']);
  expect(clock.waiting).toBe(0);
});

test('what is written to one that is closed leaves no timer behind', async () => {
  carrier.attach(sink([]));
  carrier.destroy();
  await settle();
  expect([carrier.write(Uint8Array.of(1)), clock.waiting]).toEqual([false, 0]);
});

test('a kind of fault is logged once, and a fault whose text changes fills the log no further than its bound', () => {
  for (let number = 0; number < 500; number += 1) faults.add('octets', new Error('the same'));
  expect([faults.count, log.lines.length]).toEqual([500, 1]);
  for (let number = 0; number < 500; number += 1) faults.add('octets', new Error(`another ${number}`));
  expect([faults.count, log.lines.length, faults.last]).toEqual([1_000, 65, 'another 499']);
});

test('a peer that takes something every 30 s is slow, and is not cut', async () => {
  const told: string[] = [];
  carrier.attach(sink(told));
  below.isStalled = true;
  carrier.write(new Uint8Array(10));
  for (let left = 9; left > 0; left -= 1) {
    below.buffered = left;
    await clock.advance(MAX_STALLED_MS);
  }
  expect(told).toEqual([]);
  await clock.advance(MAX_STALLED_MS);
  expect(told).toEqual(['closed: the peer does not take what is sent to it']);
});

test('its bounds are the ones that it is given', async () => {
  const told: string[] = [];
  const bounds = { untakenOctets: 8, stalledMs: 1_000 };
  carrier = new ContainedCarrier({ carrier: below, faults, clock, bounds });
  carrier.attach(sink(told));
  below.isStalled = true;
  carrier.writeAll([new Uint8Array(5), new Uint8Array(3)]);
  await clock.advance(999);
  expect(told).toEqual([]);
  await clock.advance(1);
  expect(told).toHaveLength(1);
});

test('several are written in their order', async () => {
  carrier.attach(sink([]));
  expect(carrier.writeAll([Uint8Array.of(1, 2), Uint8Array.of(3)])).toBe(true);
  expect([...below.peer.take()]).toEqual([1, 2, 3]);
});
