import type { Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { settle } from '../../../support/manual-clock.js';
import { ConcentratorRig, type RigOptions } from './concentrator-rig.js';
import { OctetPeer, uidHex } from './octet-peer.js';

let rig: ConcentratorRig;
/** Peers that the rig does not end before it stops. */
const own: OctetPeer[] = [];
const start = async (options: RigOptions = {}): Promise<void> => {
  rig = await ConcentratorRig.start(options);
};
afterEach(async () => {
  for (const { socket } of own.splice(0)) socket.destroy();
  await rig.stop();
});

const OBJ = uidHex('ObjTest');
const OTHER = uidHex('Other');
/** Its UID is empty. */
const CENTRAL = '';
/** How often sessions are looked at. */
const SWEEP_MS = 500;

/** A peer in a session. What it writes is under way at once, also while earlier octets are not acknowledged. */
async function open(uid: string): Promise<OctetPeer> {
  const peer = await rig.open(uid);
  peer.socket.setNoDelay();
  return peer;
}

/** Lets time pass while others give signs of life; what was written meanwhile has arrived. */
async function pass(ms: number, ...alive: readonly OctetPeer[]): Promise<void> {
  for (let left = ms; left > 0; left -= 10_000) {
    await rig.manual.advance(Math.min(left, 10_000));
    for (const peer of alive) peer.write('20');
    await arrived();
  }
}

/** What was written before has been read, on both sides: a stranger came, was refused, and is gone. */
async function arrived(): Promise<void> {
  const stranger = await rig.connect();
  stranger.write('7f000000');
  await stranger.readAll();
}

test('a session is pinged after 15 s without octets from it, once, and dead at 45 s', async () => {
  await start({ objects: ['ObjTest', 'Other'] });
  const object = await open('ObjTest');
  const witness = await open('Other');
  await pass(15_000 - SWEEP_MS, witness);
  expect(object.unread).toBe('');
  await pass(SWEEP_MS, witness);
  expect(object.unread).toBe('10');
  await pass(30_000 - SWEEP_MS, witness);
  expect(object.unread).toBe('10');
  expect(rig.presence).toEqual(['ObjTest online', 'Other online']);
  await pass(SWEEP_MS, witness);
  expect(await object.readAll()).toBe('10');
  expect(rig.presence.slice(2)).toEqual(['ObjTest offline: its connection was lost']);
});

test('any octet is a sign of life: the next ping comes 15 s after it', async () => {
  await start({ objects: ['ObjTest', 'Other'] });
  const object = await open('ObjTest');
  const witness = await open('Other');
  for (let round = 0; round < 4; round += 1) {
    await pass(15_000 - SWEEP_MS, witness);
    expect(object.unread).toBe('');
    await pass(SWEEP_MS, witness);
    expect(await object.read(1)).toBe('10');
    // A pong, and the first octet of something that is not complete.
    object.write(round % 2 === 0 ? '20' : '2030');
    await arrived();
    if (round % 2 === 1) {
      object.write('0007000000');
      expect(await object.read(7)).toBe('400007a0000000');
    }
  }
  expect(rig.presence).toEqual(['ObjTest online', 'Other online']);
});

test('what is written to a silent object proves nothing', async () => {
  await start();
  const central = await open(CENTRAL);
  const object = await open('ObjTest');
  for (let number = 0; number < 8; number += 1) {
    central.write(`38${OBJ}000${number}000000`);
    await pass(5_000, central);
  }
  await pass(5_000 - SWEEP_MS, central);
  expect(rig.presence).toEqual(['ObjTest online']);
  await pass(SWEEP_MS, central);
  expect(rig.presence[1]).toBe('ObjTest offline: its connection was lost');
  const got = await object.readAll();
  expect(got.match(/3000\d\d000000/g)).toHaveLength(8);
  expect(got.replace(/3000\d\d000000/g, '')).toBe('10');
});

test('the central is pinged and dead after the same times', async () => {
  await start();
  const central = await open(CENTRAL);
  const witness = await open('ObjTest');
  await pass(15_000, witness);
  expect(central.unread).toBe('10');
  await pass(30_000, witness);
  expect(await central.readAll()).toBe('10');
  expect(rig.warnings()).toContain('the central has no connection its connection was lost');
});

test('a group may have times of its own', async () => {
  await start({ group: { pingAfterMs: 4_000, deadAfterMs: 9_000 } });
  const central = await open(CENTRAL);
  const object = await open('ObjTest');
  await pass(4_000 - SWEEP_MS, central);
  expect(object.unread).toBe('');
  await pass(SWEEP_MS, central);
  expect(object.unread).toBe('10');
  await pass(5_000 - SWEEP_MS, central);
  expect(rig.presence).toEqual(['ObjTest online']);
  await pass(SWEEP_MS, central);
  expect(await object.readAll()).toBe('10');
});

test('of many idle sessions each is pinged, and those that answer stay', async () => {
  const objects = Array.from({ length: 50 }, (_, index) => `o${index}`);
  await start({ objects });
  const peers = await Promise.all(objects.map((uid) => open(uid)));
  await rig.manual.advance(15_000);
  for (const [index, peer] of peers.entries()) {
    expect(await peer.read(1)).toBe('10');
    if (index % 2 === 0) peer.write('20');
  }
  await arrived();
  await pass(30_000, ...peers.filter((_, index) => index % 2 === 0));
  for (const [index, peer] of peers.entries()) if (index % 2 === 1) await peer.readAll();
  expect(rig.presence.filter((line) => line.includes('offline'))).toHaveLength(25);
});

test.each([
  ['a0', 'it sleeps'],
  ['a1', 'it closed its connection for a while'],
])('after close %s the session is kept: what is asked meanwhile waits, for 60 s', async (code, reason) => {
  await start({ objects: ['ObjTest', 'Other'] });
  const central = await open(CENTRAL);
  const object = await open('ObjTest');
  object.write(`f0${code}`);
  expect(await object.readAll()).toBe('');
  expect(rig.presence).toEqual(['ObjTest online', `ObjTest offline: ${reason}`]);
  central.write(`38${OBJ}0007000000`);
  await pass(60_000 - SWEEP_MS, central);
  const again = await open('ObjTest');
  expect(await again.read(6)).toBe('300007000000');
  again.write(`40000700000000f0${code}`);
  await again.readAll();
  expect(await central.read(23)).toBe(`48${OBJ}000700000000`);
  central.write(`38${OBJ}0008000000`);
  await pass(60_000 - SWEEP_MS, central);
  expect(central.unread).toBe('');
  await pass(SWEEP_MS, central);
  expect(await central.read(23)).toBe(`48${OBJ}0008a1000000`);
  central.write(`38${OBJ}0009000000`);
  expect(await central.read(23)).toBe(`48${OBJ}0009a0000000`);
});

test.each(['00', '01', '02', '03', '55', 'ff'])('after close %s the session is over', async (code) => {
  await start();
  const central = await open(CENTRAL);
  const object = await open('ObjTest');
  object.write(`f0${code}`);
  expect(await object.readAll()).toBe('');
  expect(rig.presence).toEqual(['ObjTest online', `ObjTest offline: it closed its session (code ${code})`]);
  central.write(`38${OBJ}0007000000`);
  expect(await central.read(23)).toBe(`48${OBJ}0007a0000000`);
  const again = await open('ObjTest');
  expect(await again.isQuiet()).toBe(true);
});

test('what comes behind a close is not read', async () => {
  await start();
  const central = await open(CENTRAL);
  const object = await open('ObjTest');
  object.write('f0a0300001000000ff');
  expect(await object.readAll()).toBe('');
  expect(await central.isQuiet()).toBe(true);
  expect(rig.requests).toEqual([]);
  expect(rig.warnings()).toEqual([]);
});

test('a drop keeps the session', async () => {
  await start();
  const central = await open(CENTRAL);
  const object = await open('ObjTest');
  await object.cut();
  while (rig.presence.length < 2) await settle();
  expect(rig.presence[1]).toBe('ObjTest offline: its connection was lost');
  central.write(`38${OBJ}0007000000`);
  await arrived();
  const again = await open('ObjTest');
  expect(await again.read(6)).toBe('300007000000');
});

test('where sessions are not kept, a drop is the end of one', async () => {
  await start({ options: { keepSessionMs: 0 } });
  const central = await open(CENTRAL);
  const object = await open('ObjTest');
  await object.cut();
  while (rig.presence.length < 2) await settle();
  central.write(`38${OBJ}0007000000`);
  expect(await central.read(23)).toBe(`48${OBJ}0007a0000000`);
});

test('who broke the protocol is told 00, and its session is over', async () => {
  await start();
  const central = await open(CENTRAL);
  const object = await open('ObjTest');
  object.write('60');
  expect(await object.readAll()).toBe('f000');
  expect(rig.refused).toEqual(['ObjTest']);
  central.write(`38${OBJ}0007000000`);
  expect(await central.read(23)).toBe(`48${OBJ}0007a0000000`);
  central.write('00ffffffff');
  expect(await central.readAll()).toBe('f000');
});

/** A peer in a session that never closes its side, whatever it is told. */
async function stubborn(uid: string): Promise<{ socket: Socket; got: () => string }> {
  const peer = await OctetPeer.open(rig.ports.tcp, { uid });
  own.push(peer);
  peer.socket.allowHalfOpen = true;
  return { socket: peer.socket, got: () => peer.unread };
}

/** Who writes to a side that is gone learns it. */
async function learnsThatItIsGone(socket: Socket): Promise<void> {
  while (!socket.destroyed) {
    socket.write(Buffer.from('10', 'hex'));
    await settle();
  }
}

test('a peer that was told goodbye has 2 s to close', async () => {
  await start();
  const { socket, got } = await stubborn('ObjTest');
  socket.write(Buffer.from('60', 'hex'));
  while (got() !== 'f000') await settle();
  await rig.manual.advance(1_500);
  socket.write(Buffer.from('10', 'hex'));
  const witness = await open('ObjTest');
  await arrived();
  expect(socket.destroyed).toBe(false);
  await rig.manual.advance(1_000);
  await learnsThatItIsGone(socket);
  expect(await witness.isQuiet()).toBe(true);
});

test('a changed key ends the session, and says so', async () => {
  await start();
  const central = await open(CENTRAL);
  const object = await open('ObjTest');
  const group = uidHex('Devices');
  central.write(`0000000001${group}${OBJ}${'55'.repeat(16)}`);
  expect(await object.readAll()).toBe('f001');
  await arrived();
  expect(rig.presence).toEqual(['ObjTest online', 'ObjTest offline: it has another key, or none, in the access list']);
});

test('stop says 01 to all and ends when they have closed', async () => {
  await start({ objects: ['ObjTest', 'Other'] });
  for (const uid of ['ObjTest', 'Other', '']) own.push(await OctetPeer.open(rig.ports.tcp, { uid }));
  // Not yet in a session.
  const early = await OctetPeer.connect(rig.ports.tcp);
  own.push(early);
  early.write('01000000');
  await early.read(18);
  await rig.stop();
  for (const peer of own) expect(await peer.readAll()).toBe(peer === early ? '' : 'f001');
  expect(rig.manual.waiting).toBe(0);
  await expect(OctetPeer.connect(rig.ports.tcp)).rejects.toThrow('ECONNREFUSED');
  // Twice.
  await rig.stop();
});

test('stop waits 2 s for those that do not close, and cuts them', async () => {
  await start({ objects: ['ObjTest', 'Other'] });
  const peers = [await stubborn('ObjTest'), await stubborn('Other')];
  let isOver = false;
  const stopped = rig.stop().then(() => {
    isOver = true;
  });
  for (const { got } of peers) while (got() !== 'f001') await settle();
  await rig.manual.advance(1_900);
  expect(isOver).toBe(false);
  await rig.manual.advance(100);
  await stopped;
  for (const { socket } of peers) await learnsThatItIsGone(socket);
  expect(rig.manual.waiting).toBe(0);
});

test('nothing is left of peers that came and went', async () => {
  await start({ objects: ['ObjTest', 'Other'], limits: { loginFailures: 1 } });
  const sockets = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
  const before = sockets();
  const timers = rig.manual.waiting;
  const central = await open(CENTRAL);
  for (let round = 0; round < 20; round += 1) {
    const object = await open('ObjTest');
    object.write('300001000000');
    await central.read(22);
    central.write(`48${OBJ}000100000000`);
    await object.read(7);
    if (round % 2 === 0) object.write('f001');
    else object.socket.destroy();
    await object.readAll();
    const wrong = await rig.connect();
    wrong.write('01000000');
    await wrong.read(18);
    wrong.write(`${OTHER}${'00'.repeat(32)}`);
    if (round % 2 === 0) wrong.socket.destroy();
    await settle();
    await arrived();
  }
  central.write('f001');
  await central.readAll();
  for (let ms = 0; ms < 80_000; ms += 5_000) await rig.manual.advance(5_000);
  while (sockets() > before) await settle();
  // One of them is looking at the file of the access list.
  while (rig.manual.waiting < timers) await settle();
  expect(rig.manual.waiting).toBe(timers);
  await rig.stop();
  expect(rig.manual.waiting).toBe(0);
});
