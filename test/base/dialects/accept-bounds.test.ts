import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ConnectionBounds, PendingCarrier } from '../../../base/dialects/handler.js';
import { PROOF_MS } from '../../../base/dialects/handler-scope.js';
import type { Carrier } from '../../../base/links/carrier.js';
import { settle } from '../../support/manual-clock.js';
import { HostRig } from './host-rig.js';

/** Bounds of one `accept` that are not the defaults, over real sockets. */

let rig: HostRig;

beforeEach(async () => {
  rig = new HostRig();
  await rig.boot();
});
afterEach(() => rig.end());

interface Taken extends PendingCarrier {
  readonly closed: Promise<Error | undefined>;
  isClosed: boolean;
}

/** Accepts within those bounds. Gives the port, and what was taken. */
async function accepting(bounds: Partial<ConnectionBounds>): Promise<{ port: number; taken: Taken[] }> {
  const context = await rig.start();
  const taken: Taken[] = [];
  const take = ({ carrier, proved }: PendingCarrier): void => {
    let close!: (error?: Error) => void;
    const closed = new Promise<Error | undefined>((resolve) => {
      close = resolve;
    });
    const each: Taken = { carrier, proved, closed, isClosed: false };
    taken.push(each);
    const isClosed = (error?: Error): void => {
      each.isClosed = true;
      close(error);
    };
    carrier.attach({ octets() {}, drained() {}, ended: () => carrier.end(), closed: isClosed });
  };
  const { address } = await context.accept({ host: '127.0.0.1', port: 0 }, take, { bounds });
  return { port: address.port, taken };
}

/** Connects, and waits until the base has it. */
async function connected({ port, taken }: { port: number; taken: Taken[] }, from?: string): Promise<Socket> {
  const count = taken.length;
  const socket = await rig.dialIn(port, from);
  while (taken.length === count) await settle();
  return socket;
}

const areClosed = (taken: readonly Taken[]): boolean[] => taken.map(({ isClosed }) => isClosed);

test('as many connections as the bound says; past it newcomers are closed, until one goes', async () => {
  const listening = await accepting({ connections: 2 });
  const first = await connected(listening);
  await connected(listening);
  const third = await rig.dialIn(listening.port);
  await once(third, 'close');
  expect(areClosed(listening.taken)).toEqual([false, false]);
  first.destroy();
  await listening.taken[0]!.closed;
  await connected(listening);
  expect(areClosed(listening.taken)).toEqual([true, false, false]);
});

test('as many of one address without proof as the bound says; past it the oldest goes, and none that has proved itself', async () => {
  const listening = await accepting({ unprovedPerAddress: 2 });
  const { taken } = listening;
  await connected(listening);
  taken[0]!.proved();
  for (const _ of [1, 2]) await connected(listening);
  expect(areClosed(taken)).toEqual([false, false, false]);
  await connected(listening);
  await taken[1]!.closed;
  await connected(listening, '127.0.0.2');
  expect(areClosed(taken)).toEqual([false, true, false, false, false]);
});

test('as many without proof in all as the bound says; past it one of the address with the most goes', async () => {
  const listening = await accepting({ unproved: 3, unprovedPerAddress: 3 });
  const { taken } = listening;
  for (const from of ['127.0.0.2', '127.0.0.1', '127.0.0.1']) await connected(listening, from);
  expect(areClosed(taken)).toEqual([false, false, false]);
  await connected(listening, '127.0.0.3');
  await taken[1]!.closed;
  expect(areClosed(taken)).toEqual([false, true, false, false]);
});

test('a connection may be without proof for as long as the bound says, and no longer', async () => {
  const listening = await accepting({ proveMs: 75_000 });
  const { taken } = listening;
  for (const _ of [1, 2]) await connected(listening);
  taken[0]!.proved();
  await rig.clock.advance(74_999);
  await settle();
  expect(areClosed(taken)).toEqual([false, false]);
  await rig.clock.advance(1);
  await taken[1]!.closed;
  expect(areClosed(taken)).toEqual([false, true]);
});

test('or for ever: then nothing waits for it', async () => {
  const listening = await accepting({ proveMs: Number.POSITIVE_INFINITY });
  const before = rig.clock.waiting;
  const peer = await connected(listening);
  expect(rig.clock.waiting).toBe(before);
  await rig.clock.advance(10 * PROOF_MS);
  await settle();
  expect([areClosed(listening.taken), peer.destroyed]).toEqual([[false], false]);
});

const BLOCK = 64 * 1024;

/** Writes blocks until the system takes no more. One block is then under way. */
function fill(carrier: Carrier): void {
  const block = new Uint8Array(BLOCK);
  while (carrier.buffered === 0) carrier.write(block);
  expect(carrier.buffered).toBe(BLOCK);
}

test('a peer may leave as many octets untaken as the bound says; one more, and it is cut', async () => {
  const listening = await accepting({ untakenOctets: 3 * BLOCK });
  (await connected(listening)).pause();
  const [{ carrier, closed }] = listening.taken as [Taken];
  fill(carrier);
  carrier.write(new Uint8Array(2 * BLOCK));
  expect([carrier.buffered, areClosed(listening.taken)]).toEqual([3 * BLOCK, [false]]);
  await Promise.resolve();
  expect(areClosed(listening.taken)).toEqual([false]);
  carrier.writeAll([new Uint8Array(1)]);
  expect(await closed).toMatchObject({ code: 'link-stalled' });
});

test('a peer may take nothing for as long as the bound says, and is cut then', async () => {
  const listening = await accepting({ stalledMs: 5_000 });
  const peer = await connected(listening);
  peer.pause();
  const [{ carrier, closed }] = listening.taken as [Taken];
  fill(carrier);
  await rig.clock.advance(4_999);
  await settle();
  expect(areClosed(listening.taken)).toEqual([false]);
  await rig.clock.advance(1);
  expect(await closed).toMatchObject({ code: 'link-stalled' });
});

test('one that takes something in that time is not cut, and has all of it at the end', async () => {
  const listening = await accepting({ stalledMs: 5_000 });
  const peer = await connected(listening);
  peer.pause();
  const [{ carrier }] = listening.taken as [Taken];
  fill(carrier);
  await rig.clock.advance(4_999);
  peer.resume();
  while (carrier.buffered > 0) await settle();
  await rig.clock.advance(10_000);
  await settle();
  expect(areClosed(listening.taken)).toEqual([false]);
});
