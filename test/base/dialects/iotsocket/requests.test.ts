import { afterEach, expect, test } from 'vitest';
import { LATE_ANSWER_MS } from '../../../../base/dialects/iotsocket/request-table.js';
import { ConcentratorRig, type RigOptions } from './concentrator-rig.js';
import { uidHex } from './octet-peer.js';

let rig: ConcentratorRig;
const start = async (options: RigOptions = {}): Promise<void> => {
  rig = await ConcentratorRig.start(options);
};
afterEach(() => rig.stop());

const OBJ = uidHex('ObjTest');
const OTHER = uidHex('Other');
const ZERO = '00'.repeat(16);

test('the vectors of a request and its response travel octet by octet', async () => {
  await start();
  const central = await rig.central();
  const object = await rig.open('ObjTest');
  object.write('30765f000007424f4e4a4f5552');
  expect(await central.read(29)).toBe(`38${OBJ}765f000007424f4e4a4f5552`);
  central.write(`48${OBJ}765f00a0000d7b226f6b223a2274727565227d`);
  expect(await object.read(20)).toBe('40765f00a0000d7b226f6b223a2274727565227d');
});

test('requests of objects and their responses are core messages too', async () => {
  await start();
  const central = await rig.central();
  const object = await rig.open('ObjTest');
  object.write('300001a000057b2261223a317d'.replace('0005', '0007'));
  await central.read(29);
  central.write(`48${OBJ}0001011000026e6f`);
  await object.read(9);
  expect(rig.requests.map(({ uid, payload }) => [uid, payload])).toEqual([
    ['ObjTest', { format: 'json', value: { a: 1 } }],
  ]);
  expect(rig.responses).toEqual([{ id: rig.requests[0]!.id, uid: 'ObjTest', code: 1 }]);
});

test('the central asks an object, and an object answers only what was asked of it', async () => {
  await start({ objects: ['ObjTest', 'Other'] });
  const central = await rig.central();
  const object = await rig.open('ObjTest');
  const other = await rig.open('Other');
  object.write('40000700000000');
  central.write(`38${OBJ}00070000026869`);
  expect(await object.read(8)).toBe('3000070000026869');
  other.write('40000700000000');
  expect(await other.isQuiet()).toBe(true);
  object.write('40000700000000');
  expect(await central.read(23)).toBe(`48${OBJ}000700000000`);
  object.write('40000700000000');
  expect(await object.isQuiet()).toBe(true);
  expect(await central.isQuiet()).toBe(true);
});

test('the same number to one object is A2, to two objects it is allowed', async () => {
  await start({ objects: ['ObjTest', 'Other'] });
  const central = await rig.central();
  const object = await rig.open('ObjTest');
  const other = await rig.open('Other');
  central.write(`38${OBJ}0007000000`);
  central.write(`38${OBJ}0007000000`);
  central.write(`38${OTHER}0007000000`);
  expect(await central.read(23)).toBe(`48${OBJ}0007a2000000`);
  expect(await object.read(6)).toBe('300007000000');
  expect(await other.read(6)).toBe('300007000000');
  expect(await object.isQuiet()).toBe(true);
});

test('an object whose number is under way is answered A2', async () => {
  await start();
  const central = await rig.central();
  const object = await rig.open('ObjTest');
  object.write('300007000000300007000000');
  expect(await object.read(7)).toBe('400007a2000000');
  expect(await central.read(22)).toBe(`38${OBJ}0007000000`);
  expect(await central.isQuiet()).toBe(true);
  central.write(`48${OBJ}000700000000`);
  expect(await object.read(7)).toBe('40000700000000');
  object.write('300007000000');
  expect(await central.read(22)).toBe(`38${OBJ}0007000000`);
});

test('without a central an object is answered A0, and its request is told all the same', async () => {
  await start({ hasCentral: false });
  const object = await rig.open('ObjTest');
  object.write('300009000000');
  expect(await object.read(7)).toBe('400009a0000000');
  expect(rig.requests).toHaveLength(1);
  expect(rig.responses).toEqual([{ id: rig.requests[0]!.id, uid: 'ObjTest', code: 0xa0 }]);
});

test('the central is answered A0 for no object, no UID, zeros, and an object that never came', async () => {
  await start();
  const central = await rig.central();
  central.write(`38${OTHER}0001000000`);
  expect(await central.read(23)).toBe(`48${OTHER}0001a0000000`);
  central.write('300002000000');
  expect(await central.read(23)).toBe(`48${ZERO}0002a0000000`);
  central.write(`38${ZERO}0003000000`);
  expect(await central.read(23)).toBe(`48${ZERO}0003a0000000`);
  central.write(`38${OBJ}0004000000`);
  expect(await central.read(23)).toBe(`48${OBJ}0004a0000000`);
  // A response without a UID, or for nobody, is dropped.
  central.write(`40000100000048${OBJ}000100000000`.replace('400001000000', '40000100000000'));
  expect(await central.isQuiet()).toBe(true);
});

test('a request that is not answered in time is A1, and its late answer meets nobody', async () => {
  await start();
  const central = await rig.central();
  const object = await rig.open('ObjTest');
  object.write('300007000000');
  await central.read(22);
  central.write(`38${OBJ}0009000000`);
  await object.read(6);
  await rig.manual.advance(9_900);
  expect(await object.isQuiet()).toBe(true);
  await rig.manual.advance(300);
  expect(await object.read(7)).toBe('400007a1000000');
  expect(await central.read(23)).toBe(`48${OBJ}0009a1000000`);
  // The number is still owed an answer: a newer request with it would be given that one.
  object.write('300007000000');
  expect(await object.read(7)).toBe('400007a2000000');
  central.write(`38${OBJ}0009000000`);
  expect(await central.read(23)).toBe(`48${OBJ}0009a2000000`);
  central.write(`48${OBJ}000700000000`);
  object.write('40000900000000');
  expect(await object.isQuiet()).toBe(true);
  expect(await central.isQuiet()).toBe(true);
  // It has come: the number is free.
  object.write('300007000000');
  expect(await central.read(22)).toBe(`38${OBJ}0007000000`);
  central.write(`38${OBJ}0009000000`);
  expect(await object.read(6)).toBe('300009000000');
});

test('a number whose answer never comes is free again after a while', async () => {
  await start();
  const central = await rig.central();
  const object = await rig.open('ObjTest');
  object.write('300007000000');
  await central.read(22);
  await rig.manual.advance(10_200);
  expect(await object.read(7)).toBe('400007a1000000');
  for (let passed = 0; passed < LATE_ANSWER_MS; passed += 10_000) {
    await object.isQuiet();
    await central.isQuiet();
    await rig.manual.advance(10_000);
  }
  await rig.manual.advance(300);
  object.write('300007000000');
  expect(await central.read(22)).toBe(`38${OBJ}0007000000`);
});

test('numbers wrap at 16 bits', async () => {
  await start();
  const central = await rig.central();
  const object = await rig.open('ObjTest');
  object.write('30ffff00000030000000000030000100000a'.slice(0, 24));
  expect(await central.read(44)).toBe(`38${OBJ}ffff00000038${OBJ}0000000000`);
  central.write(`48${OBJ}00000000000048${OBJ}ffff00000000`);
  expect(await object.read(14)).toBe('4000000000000040ffff00000000');
});

test('many requests in one read are answered with one write', async () => {
  await start();
  const central = await rig.central();
  const object = await rig.open('ObjTest');
  let writes = 0;
  central.stream.on('data', () => {
    writes += 1;
  });
  object.write(Array.from({ length: 100 }, (_, n) => `30${n.toString(16).padStart(4, '0')}000000`).join(''));
  await central.read(2_200);
  expect(writes).toBe(1);
});

test("the peer's maximum counts the whole transmission as it is sent to it", async () => {
  await start();
  // 16 + 6 + 3 octets reach the central, 6 + 3 the object.
  const central = await rig.central({ max: 25 });
  const object = await rig.open('ObjTest', { max: 9 });
  object.write('3000010000036162633000020000046162636430000300000461626364');
  expect(await central.read(25)).toBe(`38${OBJ}0001000003616263`);
  expect(await object.read(14)).toBe('400002a0000000400003a0000000');
  central.write(`38${OBJ}000500000361626338${OBJ}000600000461626364`);
  expect(await object.read(9)).toBe('300005000003616263');
  expect(await central.read(23)).toBe(`48${OBJ}0006a0000000`);
  // A response that is too long is replaced.
  central.write(`48${OBJ}0001000000026162`);
  expect(await object.read(9)).toBe('400001000000026162');
  object.write('300007000000');
  await central.read(22);
  central.write(`48${OBJ}000700000003616263`);
  expect(await object.read(7)).toBe('40000701000000');
  object.write('400005000000026162');
  expect(await central.read(25)).toBe(`48${OBJ}000500000002616200`.slice(0, 50));
});

test('what begins with an octet that no object may send ends the session with close 00', async () => {
  await start();
  const allowed = new Set([0x10, 0x20, 0x30, 0x40, 0xf0]);
  const central = await rig.central();
  for (let first = 0; first < 256; first += 1) {
    if (allowed.has(first)) continue;
    const object = await rig.open('ObjTest');
    object.write(`${first.toString(16).padStart(2, '0')}${OBJ}0001000000`);
    expect(`${first}: ${await object.readAll()}`).toBe(`${first}: f000`);
  }
  expect(await central.isQuiet()).toBe(true);
  expect(rig.requests).toEqual([]);
});

test('what begins with an octet that no central may send ends its session with close 00', async () => {
  await start();
  const allowed = new Set([0x00, 0x10, 0x20, 0x30, 0x38, 0x40, 0x48, 0xf0]);
  const object = await rig.open('ObjTest');
  for (let first = 0; first < 256; first += 1) {
    if (allowed.has(first)) continue;
    const central = await rig.central();
    central.write(`${first.toString(16).padStart(2, '0')}${OBJ}0001000000`);
    expect(`${first}: ${await central.readAll()}`).toBe(`${first}: f000`);
  }
  expect(await object.isQuiet()).toBe(true);
});

test('everything may be cut at every octet', async () => {
  await start();
  const central = await rig.central();
  const object = await rig.open('ObjTest');
  const sent = ['10', '30765f000007424f4e4a4f5552', '20', '300001100003414243'].join('');
  for (let cut = 1; cut < sent.length / 2; cut += 1) {
    object.write(sent.slice(0, 2 * cut));
    await new Promise((resolve) => setImmediate(resolve));
    object.write(sent.slice(2 * cut));
    expect(await central.read(29 + 25)).toBe(`38${OBJ}765f000007424f4e4a4f555238${OBJ}0001100003414243`);
    expect(await object.read(1)).toBe('20');
    central.write(`48${OBJ}765f0000000048${OBJ}000100000000`);
    await object.read(14);
  }
});

test('a transmission must be complete within 10 s', async () => {
  await start();
  const object = await rig.open('ObjTest');
  object.write('3000');
  expect(await rig.manual.advance(0).then(() => object.unread)).toBe('');
  await waitForOctets();
  await rig.manual.advance(9_500);
  expect(object.unread).toBe('');
  await rig.manual.advance(1_000);
  expect(await object.readAll()).toBe('f000');
});

test('an object that sends too much is slowed down, and nothing is lost', async () => {
  await start({ limits: { transmissionsPerS: 50, transmissionBurst: 20 } });
  const object = await rig.open('ObjTest');
  object.write('10'.repeat(20));
  expect(await object.read(20)).toBe('20'.repeat(20));
  object.write('10');
  expect(await object.read(1)).toBe('20');
  object.write('10');
  await waitForOctets();
  expect(object.unread).toBe('');
  await rig.manual.advance(1_000);
  expect(await object.read(1)).toBe('20');
});

/** Octets written before have been read by the concentrator when a second connection has been opened. */
async function waitForOctets(): Promise<void> {
  await rig.connect().then(async (peer) => {
    peer.write('7f000000');
    await peer.readAll();
  });
}
