import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test } from 'vitest';
import { settle } from '../../../support/manual-clock.js';
import { temporaryFolder } from '../../config/temporary-folder.js';
import { makeCertificates } from '../../uplinks/certificates.js';
import { ConcentratorRig, type RigOptions } from './concentrator-rig.js';
import { uidHex } from './octet-peer.js';
import { expectNext, type Leave, leave, pass, request, response, slowErasure, until } from './peers-away.js';

let rig: ConcentratorRig;
const rigs: ConcentratorRig[] = [];
const start = async (options: RigOptions = {}): Promise<ConcentratorRig> => {
  rig = await ConcentratorRig.start(options);
  rigs.push(rig);
  return rig;
};
afterEach(async () => {
  for (const each of rigs.splice(0)) await each.stop();
});

const OBJ = uidHex('ObjTest');
const OTHER = uidHex('Other');
const KIB = 1_024;
const ways: Leave[] = ['drop', 'a0', 'a1'];

describe('an object that comes back', () => {
  test.each(ways)('is sent requests and responses in order and in one piece (%s)', async (how) => {
    await start();
    const central = await rig.central();
    let object = await rig.open('ObjTest');
    object.write(request(1));
    await expectNext(central, request(1, 0, OBJ));
    await leave(rig, object, how);
    central.write(request(5, 3, OBJ) + response(1, '00', OBJ) + request(6, 0, OBJ));
    expect(await central.isQuiet()).toBe(true);

    object = await rig.connect();
    const chunks: string[] = [];
    object.stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString('hex')));
    await object.open({ uid: 'ObjTest' });
    const kept = request(5, 3) + response(1, '00') + request(6);
    await expectNext(object, kept);
    expect(chunks.some((chunk) => chunk.endsWith(kept))).toBe(true);
    expect(await object.isQuiet()).toBe(true);
    object.write(response(6, '00') + response(5, '01'));
    await expectNext(central, response(6, '00', OBJ), response(5, '01', OBJ));
  });

  test('gets what is newer behind what was kept, also while that is taken from the disk', async () => {
    await start();
    const central = await rig.central();
    await leave(rig, await rig.open('ObjTest'));
    central.write(request(1, 0, OBJ) + request(2, 0, OBJ));
    expect(await central.isQuiet()).toBe(true);
    const finish = slowErasure(rig);
    const object = await rig.open('ObjTest');
    central.write(request(3, 0, OBJ));
    expect(await central.isQuiet()).toBe(true);
    expect(await object.isQuiet()).toBe(true);
    finish();
    await expectNext(object, request(1), request(2), request(3));
    central.write(request(4, 0, OBJ));
    await expectNext(object, request(4));
  });

  test('has room for what comes while its mail is on its way, in octets alone', async () => {
    await start();
    const central = await rig.central();
    await leave(rig, await rig.open('ObjTest'));
    const numbers = Array.from({ length: 250 }, (_, number) => number);
    central.write(request(0, 0, OBJ));
    expect(await central.isQuiet()).toBe(true);
    const finish = slowErasure(rig);
    const object = await rig.open('ObjTest');
    central.write(
      numbers
        .slice(1)
        .map((number) => request(number, 0, OBJ))
        .join(''),
    );
    expect(await central.isQuiet()).toBe(true);
    central.write([301, 302, 303].map((n) => request(n, 65_535, OBJ)).join(''));
    expect(await central.isQuiet()).toBe(true);
    central.write(request(304, 65_535, OBJ));
    await expectNext(central, response(304, 'a0', OBJ));
    finish();
    await expectNext(object, ...numbers.map((number) => request(number)));
    await expectNext(object, ...[301, 302, 303].map((number) => request(number, 65_535)));
    expect(await object.isQuiet()).toBe(true);
  });

  test('gets all of a full mail over TLS, where nothing is written at once', async () => {
    const folder = temporaryFolder();
    const files = { cert: join(folder, 'server.crt'), key: join(folder, 'server.key') };
    const pem = makeCertificates();
    writeFileSync(files.cert, pem.cert);
    writeFileSync(files.key, pem.key);
    await start({ options: { tls: files } });
    const tls = { ca: pem.ca, servername: 'localhost' };
    const central = await rig.central();
    await leave(rig, await rig.open('ObjTest', { tls }));
    const most = [1, 2, 3, 4];
    for (const number of most) central.write(request(number, 64 * KIB - 6, OBJ));
    expect(await central.isQuiet()).toBe(true);
    const object = await rig.open('ObjTest', { tls });
    central.write(request(5, 0, OBJ));
    for (const number of most) await expectNext(object, request(number, 64 * KIB - 6));
    await expectNext(object, request(5));
    expect(rig.warnings()).toEqual([]);
  });

  test('is not sent again what it was sent before it went', async () => {
    await start();
    const central = await rig.central();
    let object = await rig.open('ObjTest');
    central.write(request(1, 0, OBJ));
    await expectNext(object, request(1));
    await leave(rig, object);
    object = await rig.open('ObjTest');
    expect(await object.isQuiet()).toBe(true);
    object.write(response(1, '00'));
    await expectNext(central, response(1, '00', OBJ));
  });

  test('whose maximum has become too small gets neither request nor response, and the asker is told', async () => {
    await start();
    const central = await rig.central();
    let object = await rig.open('ObjTest');
    object.write(request(1));
    await central.read(22);
    await leave(rig, object);
    central.write(`${request(5, 4, OBJ)}${request(6, 3, OBJ)}48${OBJ}000100000003616263`);
    expect(await central.isQuiet()).toBe(true);
    object = await rig.open('ObjTest', { max: 9 });
    await expectNext(object, request(6, 3), response(1, '01'));
    await expectNext(central, response(5, 'a0', OBJ));
  });
});

describe('a central that comes back', () => {
  test.each(ways)('is sent requests and responses in order (%s)', async (how) => {
    await start({ objects: ['ObjTest', 'Other'] });
    let central = await rig.central();
    const object = await rig.open('ObjTest');
    const other = await rig.open('Other');
    central.write(request(1, 0, OBJ) + request(2, 0, OTHER));
    await expectNext(object, request(1));
    await expectNext(other, request(2));
    await leave(rig, central, how);
    object.write(request(7));
    expect(await object.isQuiet()).toBe(true);
    other.write(response(2, '00') + request(7, 2));
    expect(await other.isQuiet()).toBe(true);
    object.write(response(1, '01'));
    expect(await object.isQuiet()).toBe(true);
    central = await rig.central();
    await expectNext(
      central,
      ...[request(7, 0, OBJ), response(2, '00', OTHER), request(7, 2, OTHER), response(1, '01', OBJ)],
    );
    central.write(response(7, '00', OTHER) + response(7, '01', OBJ));
    await expectNext(other, response(7, '00'));
    await expectNext(object, response(7, '01'));
  });

  test('is told of what ended while it was away', async () => {
    await start();
    let central = await rig.central();
    const object = await rig.open('ObjTest');
    central.write(request(1, 0, OBJ));
    await expectNext(object, request(1));
    await leave(rig, central);
    await pass(rig, 10_200, object);
    central = await rig.central();
    await expectNext(central, response(1, 'a1', OBJ));
  });
});

describe('a session that ends', () => {
  test.each(['00', '01', '02', '03'] as const)('with close %s of the object keeps nothing', async (code) => {
    await start();
    const central = await rig.central();
    let object = await rig.open('ObjTest');
    central.write(request(1, 0, OBJ));
    await expectNext(object, request(1));
    object.write(request(9));
    await expectNext(central, request(9, 0, OBJ));
    await leave(rig, object, code);
    await expectNext(central, response(1, 'a1', OBJ));
    central.write(request(2, 0, OBJ));
    await expectNext(central, response(2, 'a0', OBJ));
    object = await rig.open('ObjTest');
    // Who asked is another session: it is not told the answer.
    central.write(response(9, '00', OBJ));
    expect(await central.isQuiet()).toBe(true);
    expect(await object.isQuiet()).toBe(true);
    expect(rig.kept.size).toBe(0);
  });

  test.each(['00', '01', '02', '03'] as const)('with close %s of the central keeps nothing', async (code) => {
    await start();
    let central = await rig.central();
    const object = await rig.open('ObjTest');
    object.write(request(1));
    await expectNext(central, request(1, 0, OBJ));
    central.write(request(9, 0, OBJ));
    await expectNext(object, request(9));
    await leave(rig, central, code);
    await expectNext(object, response(1, 'a1'));
    object.write(request(2));
    await expectNext(object, response(2, 'a0'));
    central = await rig.central();
    object.write(response(9, '00'));
    expect(await object.isQuiet()).toBe(true);
    expect(await central.isQuiet()).toBe(true);
  });

  test('because its time is over answers A1 for all it was asked, and throws its mail away', async () => {
    await start();
    const central = await rig.central();
    let object = await rig.open('ObjTest');
    central.write(request(1, 0, OBJ));
    await expectNext(object, request(1));
    await leave(rig, object);
    central.write(request(2, 0, OBJ));
    await pass(rig, 59_900, central);
    expect(rig.kept.size).toBe(1);
    await rig.manual.advance(700);
    await expectNext(central, response(1, 'a1', OBJ), response(2, 'a1', OBJ));
    expect(rig.kept.size).toBe(0);
    object = await rig.open('ObjTest');
    expect(await object.isQuiet()).toBe(true);
  });

  test('of the central because its time is over answers A1 to its objects', async () => {
    await start();
    const central = await rig.central();
    const object = await rig.open('ObjTest');
    await leave(rig, central);
    object.write(request(2));
    await pass(rig, 59_900, object);
    await rig.manual.advance(700);
    await expectNext(object, response(2, 'a1'));
    object.write(request(3));
    await expectNext(object, response(3, 'a0'));
    expect(rig.kept.size).toBe(0);
  });

  test('at once where nothing is to be kept', async () => {
    await start({ options: { keepSessionMs: 0 } });
    const central = await rig.central();
    let object = await rig.open('ObjTest');
    central.write(request(1, 0, OBJ));
    await expectNext(object, request(1));
    await leave(rig, object);
    await expectNext(central, response(1, 'a1', OBJ));
    central.write(request(2, 0, OBJ));
    await expectNext(central, response(2, 'a0', OBJ));
    object = await rig.open('ObjTest');
    expect(await object.isQuiet()).toBe(true);
  });
});

describe('time', () => {
  test('stands for a kept request, and runs from its delivery', async () => {
    await start();
    const central = await rig.central();
    let object = await rig.open('ObjTest');
    await leave(rig, object);
    central.write(request(1, 0, OBJ));
    await pass(rig, 50_000, central);
    object = await rig.open('ObjTest');
    await expectNext(object, request(1));
    await pass(rig, 9_900, central, object);
    await rig.manual.advance(300);
    await expectNext(central, response(1, 'a1', OBJ));
    object.write(response(1, '00'));
    expect(await object.isQuiet()).toBe(true);
    expect(await central.isQuiet()).toBe(true);
  });

  test('stands for a request that was delivered before its object went, and goes on with it', async () => {
    await start();
    const central = await rig.central();
    let object = await rig.open('ObjTest');
    central.write(request(1, 0, OBJ) + request(2, 0, OBJ));
    await expectNext(object, request(1), request(2));
    await pass(rig, 4_000, central, object);
    await leave(rig, object);
    await pass(rig, 50_000, central);
    object = await rig.open('ObjTest');
    await pass(rig, 5_800, central, object);
    object.write(response(2, '00'));
    await expectNext(central, response(2, '00', OBJ));
    await rig.manual.advance(400);
    await expectNext(central, response(1, 'a1', OBJ));
  });

  test('stands for requests to a central that is away', async () => {
    await start();
    let central = await rig.central();
    const object = await rig.open('ObjTest');
    object.write(request(1));
    await expectNext(central, request(1, 0, OBJ));
    await pass(rig, 4_000, central, object);
    await leave(rig, central);
    object.write(request(2));
    await pass(rig, 50_000, object);
    central = await rig.central();
    await expectNext(central, request(2, 0, OBJ));
    await pass(rig, 5_800, central, object);
    await rig.manual.advance(400);
    await expectNext(object, response(1, 'a1'));
    await pass(rig, 3_600, central, object);
    await rig.manual.advance(400);
    await expectNext(object, response(2, 'a1'));
  });
});

describe('bounds', () => {
  test('100 transmissions are kept for one peer, the next is A0', async () => {
    await start({ objects: ['ObjTest', 'Other'] });
    const central = await rig.central();
    await leave(rig, await rig.open('ObjTest'));
    await leave(rig, await rig.open('Other'));
    const numbers = Array.from({ length: 100 }, (_, number) => number);
    central.write(numbers.map((number) => request(number, 0, OBJ)).join(''));
    expect(await central.isQuiet()).toBe(true);
    central.write(request(100, 0, OBJ) + request(100, 0, OTHER));
    await expectNext(central, response(100, 'a0', OBJ));
    expect(await central.isQuiet()).toBe(true);
    await expectNext(await rig.open('ObjTest'), ...numbers.map((number) => request(number)));
    await expectNext(await rig.open('Other'), request(100));
  });

  test('256 KiB are kept for one peer, an octet more is A0', async () => {
    await start();
    const central = await rig.central();
    await leave(rig, await rig.open('ObjTest'));
    for (const number of [1, 2, 3]) central.write(request(number, 64 * KIB - 6, OBJ));
    central.write(request(4, 64 * KIB - 5, OBJ));
    await expectNext(central, response(4, 'a0', OBJ));
    central.write(request(5, 64 * KIB - 6, OBJ));
    expect(await central.isQuiet()).toBe(true);
    central.write(request(6, 0, OBJ));
    await expectNext(central, response(6, 'a0', OBJ));
    const object = await rig.open('ObjTest');
    for (const number of [1, 2, 3, 5]) await expectNext(object, request(number, 64 * KIB - 6));
  });

  test('so much is kept for all together, an octet more is A0; what was delivered makes room', async () => {
    await start({ objects: ['ObjTest', 'Other'], limits: { keptOctetsInAll: 1_000 } });
    const central = await rig.central();
    await leave(rig, await rig.open('ObjTest'));
    await leave(rig, await rig.open('Other'));
    central.write(request(1, 494, OBJ) + request(2, 495, OTHER) + request(3, 494, OTHER));
    await expectNext(central, response(2, 'a0', OTHER));
    central.write(request(4, 0, OBJ));
    await expectNext(central, response(4, 'a0', OBJ));
    await expectNext(await rig.open('ObjTest'), request(1, 494));
    central.write(request(5, 494, OTHER));
    expect(await central.isQuiet()).toBe(true);
    central.write(request(6, 0, OTHER));
    await expectNext(central, response(6, 'a0', OTHER));
    await expectNext(await rig.open('Other'), request(3, 494), request(5, 494));
  });

  test('what is on its way out still counts', async () => {
    await start({ objects: ['ObjTest', 'Other'], limits: { keptOctetsInAll: 1_000 } });
    const central = await rig.central();
    await leave(rig, await rig.open('ObjTest'));
    await leave(rig, await rig.open('Other'));
    central.write(request(1, 994, OBJ));
    expect(await central.isQuiet()).toBe(true);
    const finish = slowErasure(rig);
    const object = await rig.open('ObjTest');
    central.write(request(2, 0, OTHER));
    await expectNext(central, response(2, 'a0', OTHER));
    finish();
    await expectNext(object, request(1, 994));
    central.write(request(3, 994, OTHER));
    expect(await central.isQuiet()).toBe(true);
  });

  test('6 000 requests of 64 KiB for an absent central stay within the bound and are refused aloud past it', async () => {
    await start({ limits: { transmissionsPerS: 1e9, transmissionBurst: 1e9 } });
    rig.isHeard = false;
    let central = await rig.central();
    const object = await rig.open('ObjTest');
    await leave(rig, central);
    const payload = Buffer.alloc(65_535, 0xab);
    const write = (octets: Buffer): Promise<void> | undefined =>
      object.stream.write(octets) ? undefined : new Promise((resolve) => object.stream.once('drain', resolve));
    const before = heldOctets();
    let most = 0;
    for (let number = 0; number < 6_000; number += 1) {
      object.stream.write(Buffer.of(0x30, number >> 8, number & 0xff, 0x00, 0xff, 0xff));
      await write(payload);
      if (number % 1_000 === 999) most = Math.max(most, heldOctets());
    }
    const answers = await object.read(5_997 * 7);
    expect(answers.slice(0, 14)).toBe(response(3, 'a0'));
    expect(answers.slice(-14)).toBe(response(5_999, 'a0'));
    expect(await object.isQuiet()).toBe(true);
    expect([...rig.kept.values()].map(({ hex }) => hex.slice(34, 38))).toEqual(['0000', '0001', '0002']);
    // Of 375 MiB.
    expect(most - before).toBeLessThan(64 * KIB * KIB);
    central = await rig.central();
    for (const number of [0, 1, 2]) expect((await central.read(22 + 65_535)).slice(34, 38)).toBe(`000${number}`);
    expect(await central.isQuiet()).toBe(true);
  });
});

/** Octets that the process holds, in JavaScript's heap and beside it, after the collector went through. */
function heldOctets(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe('mail on its way out', () => {
  test('goes to the connection that replaces the one it was for, once', async () => {
    await start();
    const central = await rig.central();
    await leave(rig, await rig.open('ObjTest'));
    central.write(request(1, 0, OBJ) + request(2, 0, OBJ));
    expect(await central.isQuiet()).toBe(true);
    const finish = slowErasure(rig);
    const first = await rig.open('ObjTest');
    const second = await rig.open('ObjTest');
    expect(await first.readAll()).toBe('f0a1');
    finish();
    await expectNext(second, request(1), request(2));
    expect(await second.isQuiet()).toBe(true);
  });

  test('waits again, on disk, when its peer goes before it is sent', async () => {
    await start();
    const central = await rig.central();
    await leave(rig, await rig.open('ObjTest'));
    central.write(request(1, 0, OBJ) + request(2, 0, OBJ));
    expect(await central.isQuiet()).toBe(true);
    const finish = slowErasure(rig);
    const object = await rig.open('ObjTest');
    central.write(request(3, 0, OBJ));
    expect(await central.isQuiet()).toBe(true);
    await leave(rig, object);
    central.write(request(4, 0, OBJ));
    expect(await central.isQuiet()).toBe(true);
    finish();
    await until(() => rig.kept.size === 4);
    expect([...rig.kept.values()].map(({ hex }) => hex)).toEqual([1, 2, 3, 4].map((number) => request(number)));
    await expectNext(await rig.open('ObjTest'), ...[1, 2, 3, 4].map((number) => request(number)));
    expect(rig.kept.size).toBe(0);
  });

  test('does not wait for a disk that refuses: its requests are A0, and never delivered', async () => {
    await start();
    const central = await rig.central();
    const first = await rig.open('ObjTest');
    first.write(request(9));
    await expectNext(central, request(9, 0, OBJ));
    await leave(rig, first);
    central.write(request(1, 0, OBJ) + response(9, '00', OBJ));
    expect(await central.isQuiet()).toBe(true);
    const finish = slowErasure(rig);
    const object = await rig.open('ObjTest');
    await pass(rig, 5_000, central, object);
    central.write(request(2, 0, OBJ));
    await pass(rig, 4_800, central, object);
    await rig.manual.advance(1_500);
    await expectNext(central, response(1, 'a0', OBJ), response(2, 'a0', OBJ));
    central.write(request(1, 1, OBJ));
    expect(await central.isQuiet()).toBe(true);
    finish();
    await expectNext(object, response(9, '00'), request(1, 1));
    expect(await object.isQuiet()).toBe(true);
  });

  test('is thrown away with the session it was for, and meets no newer one', async () => {
    await start();
    const central = await rig.central();
    await leave(rig, await rig.open('ObjTest'));
    central.write(request(1, 1, OBJ));
    expect(await central.isQuiet()).toBe(true);
    const finish = slowErasure(rig);
    await leave(rig, await rig.open('ObjTest'), '00');
    await expectNext(central, response(1, 'a1', OBJ));
    // The same number, for the session after that.
    await leave(rig, await rig.open('ObjTest'));
    central.write(request(1, 2, OBJ));
    expect(await central.isQuiet()).toBe(true);
    finish();
    await settle();
    const object = await rig.open('ObjTest');
    await expectNext(object, request(1, 2));
    expect(await object.isQuiet()).toBe(true);
    expect(await central.isQuiet()).toBe(true);
    object.write(response(1, '00'));
    await expectNext(central, response(1, '00', OBJ));
  });

  test('is withdrawn when who asked has gone, and its number is another session’s', async () => {
    await start();
    let central = await rig.central();
    await leave(rig, await rig.open('ObjTest'));
    central.write(request(1, 1, OBJ) + request(2, 1, OBJ));
    expect(await central.isQuiet()).toBe(true);
    const finish = slowErasure(rig);
    const object = await rig.open('ObjTest');
    await leave(rig, central, '00');
    central = await rig.central();
    central.write(request(1, 2, OBJ));
    expect(await central.isQuiet()).toBe(true);
    // Nobody guesses an answer to what was not delivered.
    object.write(response(1, '00'));
    expect(await object.isQuiet()).toBe(true);
    finish();
    await expectNext(object, request(1, 2));
    expect(await object.isQuiet()).toBe(true);
    expect(await central.isQuiet()).toBe(true);
  });
});

describe('who asked has gone', () => {
  test('what the central asked is withdrawn when its session ends', async () => {
    await start();
    let central = await rig.central();
    await leave(rig, await rig.open('ObjTest'));
    central.write(request(1, 0, OBJ));
    expect(await central.isQuiet()).toBe(true);
    expect(rig.kept.size).toBe(1);
    await leave(rig, central, '00');
    expect(rig.kept.size).toBe(0);
    central = await rig.central();
    expect(await (await rig.open('ObjTest')).isQuiet()).toBe(true);
    expect(await central.isQuiet()).toBe(true);
  });

  test('what the central asked is withdrawn when its own keeping ends first', async () => {
    await start();
    const central = await rig.central();
    const object = await rig.open('ObjTest');
    await leave(rig, central);
    await pass(rig, 30_000, object);
    const again = await rig.central();
    await leave(rig, object);
    again.write(request(1, 0, OBJ));
    expect(await again.isQuiet()).toBe(true);
    await leave(rig, again);
    await rig.manual.advance(60_600);
    expect(rig.kept.size).toBe(0);
  });

  test('what an object asked is withdrawn when its session ends', async () => {
    await start({ objects: ['ObjTest', 'Other'] });
    let central = await rig.central();
    let object = await rig.open('ObjTest');
    const other = await rig.open('Other');
    await leave(rig, central);
    object.write(request(1));
    other.write(request(1, 1));
    expect(await object.isQuiet()).toBe(true);
    expect(await other.isQuiet()).toBe(true);
    await leave(rig, object, '00');
    expect([...rig.kept.values()].map(({ hex }) => hex)).toEqual([request(1, 1, OTHER)]);
    object = await rig.open('ObjTest');
    central = await rig.central();
    await expectNext(central, request(1, 1, OTHER));
    expect(await central.isQuiet()).toBe(true);
    central.write(response(1, '00', OBJ));
    expect(await central.isQuiet()).toBe(true);
    expect(await object.isQuiet()).toBe(true);
  });
});

test('the number of a kept request is under way for who asked: A2', async () => {
  await start({ objects: ['ObjTest', 'Other'] });
  const central = await rig.central();
  const other = await rig.open('Other');
  await leave(rig, await rig.open('ObjTest'));
  central.write(request(1, 0, OBJ) + request(1, 1, OBJ) + request(1, 0, OTHER));
  await expectNext(central, response(1, 'a2', OBJ));
  await expectNext(other, request(1));
  await leave(rig, central);
  other.write(request(8) + request(8));
  await expectNext(other, response(8, 'a2'));
  const object = await rig.open('ObjTest');
  await expectNext(object, request(1));
  expect(await object.isQuiet()).toBe(true);
  await expectNext(await rig.central(), request(8, 0, OTHER));
});

test('an answer to a request that is only kept is nobody’s', async () => {
  await start();
  const central = await rig.central();
  const first = await rig.open('ObjTest');
  const finish = slowErasure(rig);
  await leave(rig, first);
  central.write(request(1, 0, OBJ));
  expect(await central.isQuiet()).toBe(true);
  const object = await rig.open('ObjTest');
  object.write(response(1, '00'));
  expect(await object.isQuiet()).toBe(true);
  finish();
  await expectNext(object, request(1));
  object.write(response(1, '01'));
  await expectNext(central, response(1, '01', OBJ));
});

describe('on disk', () => {
  const kept = (): string[] => [...rig.kept.values()].map(({ unit, hex }) => `${unit}: ${hex}`);
  const leftOf = ({ kept: left }: ConcentratorRig) =>
    [...left.values()].map(({ unit, hex }) => ({ unit, octets: Buffer.from(hex, 'hex') }));

  test('is all that is kept, as it will be sent, and no longer when it is sent', async () => {
    await start();
    let central = await rig.central();
    let object = await rig.open('ObjTest');
    object.write(request(9));
    await expectNext(central, request(9, 0, OBJ));
    await leave(rig, object);
    central.write(request(1, 2, OBJ) + response(9, '00', OBJ));
    expect(await central.isQuiet()).toBe(true);
    expect(kept()).toEqual([`ObjTest: ${request(1, 2)}`, `ObjTest: ${response(9, '00')}`]);
    const finish = slowErasure(rig);
    object = await rig.open('ObjTest');
    expect(await object.isQuiet()).toBe(true);
    expect(kept()).toHaveLength(2);
    finish();
    await expectNext(object, request(1, 2), response(9, '00'));
    expect(kept()).toEqual([]);

    await leave(rig, central);
    object.write(request(2));
    expect(await object.isQuiet()).toBe(true);
    expect(kept()).toEqual([`: ${request(2, 0, OBJ)}`]);
    central = await rig.central();
    await expectNext(central, request(2, 0, OBJ));
    expect(kept()).toEqual([]);
  });

  test('what the disk refuses is answered A0, and is not kept', async () => {
    await start();
    const central = await rig.central();
    const first = await rig.open('ObjTest');
    first.write(request(9));
    await expectNext(central, request(9, 0, OBJ));
    await leave(rig, first);
    rig.isDiskFull = true;
    central.write(request(1, 0, OBJ) + response(9, '00', OBJ));
    await expectNext(central, response(1, 'a0', OBJ));
    rig.isDiskFull = false;
    central.write(request(1, 1, OBJ));
    const object = await rig.open('ObjTest');
    await expectNext(object, request(1, 1));
    expect(await object.isQuiet()).toBe(true);

    await leave(rig, central);
    rig.isDiskFull = true;
    object.write(request(2));
    await expectNext(object, response(2, 'a0'));
  });

  test('is still what was kept when the base stops, and is delivered once by the next', async () => {
    await start();
    let central = await rig.central();
    let object = await rig.open('ObjTest');
    await leave(rig, object);
    central.write(request(1, 3, OBJ) + request(2, 0, OBJ));
    expect(await central.isQuiet()).toBe(true);
    await rig.stop();
    expect(kept()).toHaveLength(2);

    await start({ kept: leftOf(rig) });
    central = await rig.central();
    // It is as much under way as before.
    central.write(request(2, 1, OBJ));
    await expectNext(central, response(2, 'a2', OBJ));
    await pass(rig, 50_000, central);
    object = await rig.open('ObjTest');
    await expectNext(object, request(1, 3), request(2));
    object.write(response(2, '00'));
    await expectNext(central, response(2, '00', OBJ));
    await pass(rig, 9_900, central, object);
    await rig.manual.advance(300);
    await expectNext(central, response(1, 'a1', OBJ));
    expect(kept()).toEqual([]);
  });

  test('is what was kept for the central too, and its answers find who asked', async () => {
    await start();
    const first = await rig.open('ObjTest');
    await leave(rig, await rig.central());
    first.write(request(1) + request(2));
    expect(await first.isQuiet()).toBe(true);
    await rig.stop();

    await start({ kept: leftOf(rig) });
    const central = await rig.central();
    await expectNext(central, request(1, 0, OBJ), request(2, 0, OBJ));
    central.write(response(2, '00', OBJ));
    expect(await central.isQuiet()).toBe(true);
    expect(kept()).toEqual([`ObjTest: ${response(2, '00')}`]);
    const object = await rig.open('ObjTest');
    await expectNext(object, response(2, '00'));
    central.write(response(1, '01', OBJ));
    await expectNext(object, response(1, '01'));
  });

  test('what a failing disk has changed is erased, and not sent', async () => {
    const whole = Buffer.from(request(1), 'hex');
    const damaged = [whole.subarray(0, -1), Buffer.concat([whole, whole]), Buffer.of(), Buffer.from('10', 'hex')];
    await start({ kept: damaged.map((octets) => ({ unit: 'ObjTest', octets })) });
    const object = await rig.open('ObjTest');
    expect(await object.isQuiet()).toBe(true);
    expect(rig.kept.size).toBe(0);
  });

  test('is kept no longer than a session after a restart', async () => {
    await start({ kept: [{ unit: 'ObjTest', octets: Buffer.from(request(1), 'hex') }] });
    const central = await rig.central();
    await pass(rig, 59_900, central);
    expect(rig.kept.size).toBe(1);
    await rig.manual.advance(700);
    await expectNext(central, response(1, 'a1', OBJ));
    expect(rig.kept.size).toBe(0);
  });

  test('is erased where whom it is for, or who asked, is no longer there', async () => {
    const left = [
      { unit: 'Gone', octets: Buffer.from(request(1), 'hex') },
      { unit: 'ObjTest', octets: Buffer.from(request(2), 'hex') },
      { unit: '', octets: Buffer.from(request(3, 0, uidHex('Gone')), 'hex') },
      { unit: '', octets: Buffer.from(request(4, 0, OBJ), 'hex') },
    ];
    await start({ kept: left });
    expect(kept()).toEqual([`ObjTest: ${request(2)}`, `: ${request(4, 0, OBJ)}`]);
    await start({ kept: left, hasCentral: false });
    expect(kept()).toEqual([]);
    await start({ kept: left, options: { keepSessionMs: 0 } });
    expect(kept()).toEqual([]);
  });
});
