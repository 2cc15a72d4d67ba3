import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test } from 'vitest';
import { encodeUid } from '../../../../protocol/iotsocket/uid.js';
import { toHex } from '../../../../protocol/octets.js';
import ledLamp from '../../../../units/led-lamp.js';
import { settle } from '../../../support/manual-clock.js';
import { ConcentratorRig, type RigOptions } from './concentrator-rig.js';
import { CENTRAL_KEY, KEY, type OctetPeer, uidHex } from './octet-peer.js';
import { expectNext, leave, request, response, until } from './peers-away.js';
import { TelemetrySender } from './telemetry-sender.js';

let rig: ConcentratorRig;
const start = async (options: RigOptions = {}): Promise<void> => {
  rig = await ConcentratorRig.start(options);
};
afterEach(() => rig.stop());

const OBJ = uidHex('ObjTest');
const OTHER = uidHex('Other');
const VECTOR = `0000000001${uidHex('Devices')}${OBJ}${toHex(KEY)}`;
const OTHER_KEY = 'aa'.repeat(16);

interface Entry {
  readonly uid: string;
  readonly group?: string;
  readonly key?: string;
}
const hexOf = ({ uid, group = 'Devices', key = toHex(KEY) }: Entry): string => `${uidHex(group)}${uidHex(uid)}${key}`;
const listOf = (...entries: readonly Entry[]): string =>
  `00${entries.length.toString(16).padStart(8, '0')}${entries.map(hexOf).join('')}`;
const inFile = async (): Promise<unknown> => JSON.parse(await readFile(rig.aclFile, 'utf8'));
const written = (...entries: readonly Entry[]) =>
  Object.fromEntries(
    entries.map(({ uid, group = 'Devices', key = toHex(KEY) }) => [uid, { GroupName: group, AuthKey: key }]),
  );
const inForce = (): string[] => [...rig.units].sort();
const applied = (): number => rig.log.lines.filter(({ message }) => message === 'access list in force').length;

const http = { http: { host: '127.0.0.1', port: 0 } };
const post = (...entries: readonly Entry[]): Promise<Response> =>
  fetch(`http://127.0.0.1:${rig.ports.http}/acl`, {
    method: 'POST',
    headers: { authorization: `Bearer ${toHex(CENTRAL_KEY)}`, 'content-type': 'application/json' },
    body: JSON.stringify(
      entries.map(({ uid, group = 'Devices', key = toHex(KEY) }) => ({ GroupName: group, UID: uid, AuthKey: key })),
    ),
  });

/** The file is looked at, as often as in that time, and what has changed is in force. */
async function look(): Promise<void> {
  await rig.manual.advance(500);
  // What it says of itself, and reading it, is up to the system.
  for (let turn = 0; turn < 50; turn += 1) {
    await stat(rig.aclFile).catch(() => {});
    await settle();
  }
}

/** The ways of a list into the concentrator. */
const sources = {
  central: async (...entries: readonly Entry[]): Promise<void> => {
    const central = await rig.central();
    central.write(listOf(...entries));
    expect(await central.isQuiet()).toBe(true);
  },
  http: async (...entries: readonly Entry[]): Promise<void> => {
    expect((await post(...entries)).status).toBe(200);
  },
  file: async (...entries: readonly Entry[]): Promise<void> => {
    await writeFile(rig.aclFile, JSON.stringify(written(...entries)));
    const before = applied();
    // Within a second.
    await rig.manual.advance(1_000);
    await until(() => applied() > before);
  },
};
const every = ['central', 'http', 'file'] as const;

describe('a list of the central', () => {
  test('may be cut at every octet', async () => {
    await start({ objects: ['Old'] });
    const central = await rig.central();
    const lists = [VECTOR, listOf({ uid: 'Other' })];
    for (let cut = 1; cut < VECTOR.length / 2; cut += 1) {
      const list = lists[cut % 2]!;
      central.write(list.slice(0, 2 * cut));
      await settle();
      central.write(list.slice(2 * cut));
      expect(await central.isQuiet()).toBe(true);
      expect(inForce()).toEqual([cut % 2 === 0 ? 'ObjTest' : 'Other']);
    }
    expect(await inFile()).toEqual(written({ uid: 'ObjTest' }));
  });

  test('may come octet by octet, with others right behind it', async () => {
    await start({ objects: ['Old'] });
    const central = await rig.central();
    const all = `${VECTOR}10${listOf()}10${listOf({ uid: 'Other' })}`;
    for (let at = 0; at < all.length; at += 2) {
      central.write(all.slice(at, at + 2));
      if (at % 20 === 0) await settle(1);
    }
    expect(await central.read(2)).toBe('2020');
    expect(await central.isQuiet()).toBe(true);
    expect(inForce()).toEqual(['Other']);
    expect(applied()).toBe(4);
  });

  test.each([
    ['an unknown group', listOf({ uid: 'A' }, { uid: 'B', group: 'devices' }), 'did you mean "Devices"?'],
    ['a UID twice', listOf({ uid: 'A' }, { uid: 'B' }, { uid: 'A' }), 'entry 1 has the same UID'],
    ['no UID', listOf({ uid: 'A' }, { uid: '' }), 'entry 2 of the access list has no UID'],
    [
      'a UID with 00 inside',
      listOf({ uid: 'A' }).replace(uidHex('A'), `${'00'.repeat(13)}410042`),
      'the UID of entry 1',
    ],
    ['a UID that is not UTF-8', listOf({ uid: 'A' }).replace(uidHex('A'), `${'00'.repeat(15)}ff`), 'not UTF-8'],
    ['a unit of units.known', listOf({ uid: 'A' }, { uid: 'lamp' }), 'a unit of units.known'],
    ['an entry too many', listOf(...[1, 2, 3, 4, 5].map((n) => ({ uid: `A${n}` }))), '4 are allowed'],
  ])('with %s is refused with close 00, and the list before stays', async (_what, list, why) => {
    await start({ typed: { lamp: ledLamp }, limits: { accessListEntries: 4 } });
    const before = await readFile(rig.aclFile, 'utf8');
    const object = await rig.open('ObjTest');
    const central = await rig.central();
    central.write(`${list}${request(1, 0, OBJ)}`);
    expect(await central.readAll()).toBe('f000');
    expect(inForce()).toEqual(['ObjTest']);
    expect(await readFile(rig.aclFile, 'utf8')).toBe(before);
    expect(await object.isQuiet()).toBe(true);
    expect(rig.warnings().join('\n')).toContain(why);
    expect(rig.warnings().join('\n')).not.toContain(toHex(KEY));
  });

  test('has at most so many entries', async () => {
    await start({ limits: { accessListEntries: 4 } });
    await sources.central({ uid: 'A' }, { uid: 'B' }, { uid: 'C' }, { uid: 'D' });
    expect(inForce()).toEqual(['A', 'B', 'C', 'D']);
  });

  test('with 2³²−1 entries is refused before one has come', async () => {
    await start();
    const central = await rig.central();
    central.write('00ffffffff');
    expect(await central.readAll()).toBe('f000');
    expect(inForce()).toEqual(['ObjTest']);
  });

  test('of 1 000 that ends after one changes nothing', async () => {
    await start();
    const central = await rig.central();
    central.write(`00000003e8${hexOf({ uid: 'A' })}`);
    await leave(rig, central);
    expect(inForce()).toEqual(['ObjTest']);
    // A close in the middle of it is an octet of it.
    const again = await rig.central();
    again.write(`00000003e8${hexOf({ uid: 'A' })}f0a0`);
    await settle();
    await rig.manual.advance(10_600);
    expect(await again.readAll()).toBe('f000');
    expect(inForce()).toEqual(['ObjTest']);
  });

  test('that ends in the middle leaves nothing behind, a hundred times', async () => {
    await start();
    const part = Buffer.from(`000000ea60${hexOf({ uid: 'A' })}`, 'hex');
    const more = Buffer.alloc(48 * 20_000, 1);
    const most: number[] = [];
    for (let round = 0; round < 100; round += 1) {
      const central = await rig.central();
      central.stream.write(part);
      await new Promise<void>((resolve) => central.stream.write(more, () => resolve()));
      await leave(rig, central);
      if (round % 33 === 0) most.push(residentOctets());
    }
    // Of 92 MiB.
    expect(most.at(-1)! - most[0]!).toBeLessThan(32 * 1_024 * 1_024);
    expect(inForce()).toEqual(['ObjTest']);
  });

  test('is in force for what comes right behind it', async () => {
    await start({ objects: ['ObjTest', 'Other'] });
    const [object, other] = [await rig.open('ObjTest'), await rig.open('Other')];
    const central = await rig.central();
    central.write(`${request(1, 0, OBJ)}${listOf({ uid: 'Other' })}${request(2, 0, OBJ)}${request(3, 0, OTHER)}`);
    await expectNext(central, response(1, 'a1', OBJ), response(2, 'a0', OBJ));
    expect(await object.readAll()).toBe(`${request(1)}f001`);
    await expectNext(other, request(3));
  });
});

describe('two lists at once', () => {
  test('of a central and the one that replaces it: half a list is none', async () => {
    await start();
    const first = await rig.central();
    first.write(listOf({ uid: 'A' }, { uid: 'B' }).slice(0, 150));
    await settle();
    const second = await rig.central();
    second.write(listOf({ uid: 'C' }, { uid: 'D' }));
    expect(await first.readAll()).toBe('f0a1');
    expect(await second.isQuiet()).toBe(true);
    expect(inForce()).toEqual(['C', 'D']);
  });

  test('over TCP and HTTP are in force one after the other, each whole', async () => {
    await start({ options: http });
    const central = await rig.central();
    for (let round = 0; round < 5; round += 1) {
      const over = [
        [{ uid: `T1${round}` }, { uid: `T2${round}` }],
        [{ uid: `H1${round}` }, { uid: `H2${round}` }],
      ] as const;
      central.write(listOf(...over[0]));
      const [answer] = await Promise.all([post(...over[1]), central.isQuiet()]);
      expect(answer.status).toBe(200);
      const last = over.find(([{ uid }]) => inForce().includes(uid))!;
      expect(inForce()).toEqual(last.map(({ uid }) => uid));
      expect(await inFile()).toEqual(written(...last));
    }
    expect(applied()).toBe(11);
  });

  test('one refused does not keep the other from being in force', async () => {
    await start({ options: http });
    const answers = await Promise.all([post({ uid: 'A', group: 'None' }), post({ uid: 'B' }), post({ uid: '' })]);
    expect(answers.map(({ status }) => status)).toEqual([400, 200, 400]);
    expect(await answers[0].text()).toContain('there is no group');
    expect(inForce()).toEqual(['B']);
  });
});

describe('the file', () => {
  test('is written for its owner alone, and the one before is kept', async () => {
    await start();
    const before = await readFile(rig.aclFile, 'utf8');
    await sources.central({ uid: 'Other', key: OTHER_KEY });
    expect(await inFile()).toEqual(written({ uid: 'Other', key: OTHER_KEY }));
    expect((await stat(rig.aclFile)).mode & 0o777).toBe(0o600);
    expect(await readFile(`${rig.aclFile}.prev`, 'utf8')).toBe(before);
    expect((await stat(`${rig.aclFile}.prev`)).mode & 0o777).toBe(0o600);
  });

  test('that cannot be written keeps the list before in force', async () => {
    await start({ options: http });
    const object = await rig.open('ObjTest');
    await mkdir(`${rig.aclFile}.new`);
    expect((await post({ uid: 'Other' })).status).not.toBe(200);
    expect(inForce()).toEqual(['ObjTest']);
    expect(await inFile()).toEqual(written({ uid: 'ObjTest' }));
    expect(await object.isQuiet()).toBe(true);
    await rm(`${rig.aclFile}.new`, { recursive: true });
    expect((await post({ uid: 'Other' })).status).toBe(200);
  });

  test('written by the base itself is not news to it', async () => {
    await start();
    await sources.central({ uid: 'Other' });
    for (let times = 0; times < 4; times += 1) await look();
    expect(applied()).toBe(2);
    expect(rig.warnings()).toEqual([]);
  });

  test('changed by hand is in force within a second', async () => {
    await start();
    await sources.file({ uid: 'ObjTest' }, { uid: 'Other' });
    expect(inForce()).toEqual(['ObjTest', 'Other']);
    await (await rig.open('Other')).cut();
  });

  test.each([
    ['is no JSON', '{\n  "A": {,', ':2:9:'],
    ['is empty', '', ':1:1:'],
    ['has a wrong key', '{"A": {"GroupName": "Devices", "AuthKey": "43"}}', 'entry "A": AuthKey must be 32'],
    ['names no group', `{"A": {"GroupName": "None", "AuthKey": "${toHex(KEY)}"}}`, 'there is no group "None"'],
    ['has a unit of units.known', JSON.stringify(written({ uid: 'lamp' })), 'a unit of units.known'],
  ])('that %s keeps the list before in force, and says why', async (_what, text, why) => {
    await start({ typed: { lamp: ledLamp } });
    const object = await rig.open('ObjTest');
    await writeFile(rig.aclFile, text);
    await look();
    await until(() => rig.warnings().length > 0);
    expect(inForce()).toEqual(['ObjTest']);
    expect(rig.warnings()[0]).toContain(why);
    expect(await object.isQuiet()).toBe(true);
    // Said once; mended, it is in force.
    await look();
    expect(rig.warnings()).toHaveLength(1);
    await sources.file({ uid: 'Other' });
    expect(await object.readAll()).toBe('f001');
  });

  test('that is taken away keeps the list before in force; an empty list is written', async () => {
    await start();
    const object = await rig.open('ObjTest');
    await rm(rig.aclFile);
    await look();
    await until(() => rig.warnings().length > 0);
    expect(inForce()).toEqual(['ObjTest']);
    expect(rig.warnings().join()).toContain('is not there any more');
    await writeFile(rig.aclFile, JSON.stringify(written({ uid: 'ObjTest' })));
    await look();
    expect(await object.isQuiet()).toBe(true);
    await sources.file();
    expect(await object.readAll()).toBe('f001');
    expect(inForce()).toEqual([]);
  });

  test('that cannot be used keeps the base from starting', async () => {
    await start();
    for (const [accessList, code] of [
      ['{', 'config-not-json'],
      [JSON.stringify(written({ uid: 'A', group: 'None' })), 'config-invalid'],
    ] as const) {
      const wrong = new ConcentratorRig({ accessList });
      await expect(wrong.start()).rejects.toMatchObject({ code });
      await rm(wrong.folder, { recursive: true });
    }
  });
});

describe('an object that is no longer in the list', () => {
  test.each(every)('loses its session at once, and does not get another (%s)', async (source) => {
    await start({ objects: ['ObjTest', 'Other'], options: http });
    const object = await rig.open('ObjTest');
    const other = await rig.open('Other');
    await sources[source]({ uid: 'Other' });
    expect(await object.readAll()).toBe('f001');
    await expect(rig.open('ObjTest')).rejects.toThrow('the verdict was 00');
    expect(await other.isQuiet()).toBe(true);
    expect(inForce()).toEqual(['Other']);
  });

  test.each(every)('loses its kept session, with all that waits for it (%s)', async (source) => {
    await start({ objects: ['ObjTest', 'Other'], options: http });
    let central = await rig.central();
    let object = await rig.open('ObjTest');
    await leave(rig, object);
    central.write(request(1, 0, OBJ));
    expect(await central.isQuiet()).toBe(true);
    expect(rig.kept.size).toBe(1);
    if (source === 'central') {
      central.write(listOf({ uid: 'Other' }));
    } else await sources[source]({ uid: 'Other' });
    await expectNext(central, response(1, 'a1', OBJ));
    await until(() => rig.kept.size === 0);
    // It comes back to the list as somebody new.
    await sources[source]({ uid: 'ObjTest' }, { uid: 'Other' });
    if (source === 'central') central = await rig.central();
    object = await rig.open('ObjTest');
    expect(await object.isQuiet()).toBe(true);
    central.write(request(1, 1, OBJ));
    await expectNext(object, request(1, 1));
  });

  test.each(every)('loses its telemetry token (%s)', async (source) => {
    await start({
      objects: ['ObjTest', 'Other'],
      options: { ...http, udp: { host: '127.0.0.1', port: 0 } },
    });
    const [token, otherToken] = [await tokenOf(await rig.open('ObjTest')), await tokenOf(await rig.open('Other'))];
    const sender = await TelemetrySender.open(rig.ports.udp);
    let central = await rig.central();
    await sender.send(`${token}10000432312e35`);
    await expectNext(central, `68${OBJ}10000432312e35`);
    if (source === 'central') {
      central.write(listOf({ uid: 'Other' }));
      expect(await central.isQuiet()).toBe(true);
    } else await sources[source]({ uid: 'Other' });
    await sender.send(`${token}10000432312e36`);
    await sender.send(`${otherToken}10000432312e37`);
    await expectNext(central, `68${OTHER}10000432312e37`);
    expect(rig.reports.map(({ uid }) => uid)).toEqual(['ObjTest', 'Other']);
    // In the list again it has no token until it has a session.
    await sources[source]({ uid: 'ObjTest' }, { uid: 'Other' });
    if (source === 'central') central = await rig.central();
    await sender.send(`${token}10000432312e38`);
    await sender.send(`${otherToken}10000432312e39`);
    await expectNext(central, `68${OTHER}10000432312e39`);
    await sender.close();
  });

  test('is answered no more, and answers no more', async () => {
    await start({ objects: ['ObjTest', 'Other'] });
    const central = await rig.central();
    const object = await rig.open('ObjTest');
    central.write(request(1, 0, OBJ));
    await expectNext(object, request(1));
    object.write(request(2));
    await expectNext(central, request(2, 0, OBJ));
    central.write(listOf({ uid: 'Other' }));
    await expectNext(central, response(1, 'a1', OBJ));
    object.write(response(1, '00') + request(3));
    expect(await object.readAll()).toBe('f001');
    central.write(response(2, '00', OBJ));
    expect(await central.isQuiet()).toBe(true);
    expect(rig.requests).toHaveLength(1);
  });
});

/** The token that an object gets with its session. */
async function tokenOf(object: OctetPeer): Promise<string> {
  const octets = await object.read(9);
  expect(octets.slice(0, 2)).toBe('50');
  return octets.slice(2);
}

describe('an entry that changes', () => {
  test('in its key ends the session, live or kept, of who has the old one', async () => {
    await start({ objects: ['ObjTest', 'Other'] });
    const central = await rig.central();
    const object = await rig.open('ObjTest');
    await leave(rig, await rig.open('Other'));
    central.write(request(1, 0, OTHER));
    expect(await central.isQuiet()).toBe(true);
    central.write(listOf({ uid: 'ObjTest', key: OTHER_KEY }, { uid: 'Other', key: OTHER_KEY }));
    expect(await object.readAll()).toBe('f001');
    await expectNext(central, response(1, 'a1', OTHER));
    await expect(rig.open('ObjTest')).rejects.toThrow('the verdict was 00');
    const again = await rig.open('ObjTest', { key: Buffer.from(OTHER_KEY, 'hex') });
    central.write(request(2, 0, OBJ));
    await expectNext(again, request(2));
    const other = await rig.open('Other', { key: Buffer.from(OTHER_KEY, 'hex') });
    expect(await other.isQuiet()).toBe(true);
  });

  test('in nothing keeps its session', async () => {
    await start({ objects: ['ObjTest', 'Other'] });
    const central = await rig.central();
    const object = await rig.open('ObjTest');
    await leave(rig, await rig.open('Other'));
    central.write(request(1, 0, OTHER) + listOf({ uid: 'New' }, { uid: 'Other' }, { uid: 'ObjTest' }));
    expect(await central.isQuiet()).toBe(true);
    expect(await object.isQuiet()).toBe(true);
    await expectNext(await rig.open('Other'), request(1));
  });

  test('in its group loses its telemetry, or gains it, over the session that it has', async () => {
    const group = { telemetryTokenLifeMs: 900_000, pingAfterMs: 15_000, deadAfterMs: 45_000 };
    await start({
      options: {
        udp: { host: '127.0.0.1', port: 0 },
        groups: new Map([
          ['Devices', { ...group, telemetry: true }],
          ['Silent', { ...group, telemetry: false }],
        ]),
      },
    });
    const central = await rig.central();
    const sender = await TelemetrySender.open(rig.ports.udp);
    const object = await rig.open('ObjTest');
    const token = await tokenOf(object);
    central.write(listOf({ uid: 'ObjTest', group: 'Silent' }));
    expect(await central.isQuiet()).toBe(true);
    await sender.send(`${token}10000432312e35`);
    expect(await object.isQuiet()).toBe(true);
    central.write(VECTOR);
    expect(await central.isQuiet()).toBe(true);
    const next = await tokenOf(object);
    expect(next).not.toBe(token);
    await sender.send(`${token}10000432312e36`);
    await sender.send(`${next}10000432312e37`);
    await expectNext(central, `68${OBJ}10000432312e37`);
    expect(await object.isQuiet()).toBe(true);
    await sender.close();
  });
});

/** Octets of the process, after the collector went through. */
function residentOctets(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage.rss();
}

test('a UID as long as the protocol has room for is one', async () => {
  await start();
  const uid = 'ä'.repeat(8);
  expect(encodeUid(uid)).toHaveLength(16);
  await sources.central({ uid });
  expect(await (await rig.open(uid)).isQuiet()).toBe(true);
});

test('a disk that does not take a list ends the session as our fault, and the list before stays', async () => {
  await start();
  const central = await rig.central();
  // What is not empty cannot make room for the new file.
  await mkdir(`${rig.aclFile}.new/full`, { recursive: true });
  central.write(listOf({ uid: 'Other' }));
  expect(await central.readAll()).toBe('f003');
  expect(inForce()).toEqual(['ObjTest']);
  expect(await inFile()).toEqual(written({ uid: 'ObjTest' }));
});
