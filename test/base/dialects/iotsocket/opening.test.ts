import { afterEach, expect, test } from 'vitest';
import { fromHex } from '../../../../protocol/octets.js';
import { settle } from '../../../support/manual-clock.js';
import { ConcentratorRig, type RigOptions } from './concentrator-rig.js';
import { type OctetPeer, uidHex } from './octet-peer.js';
import { loginHex, OpeningRig } from './opening-rig.js';

let rig: ConcentratorRig;
const start = async (options: RigOptions = {}): Promise<void> => {
  rig = await ConcentratorRig.start(options);
};
afterEach(() => rig?.stop());

const OBJ = uidHex('ObjTest');
const WRONG = '11'.repeat(32);
const hex = (octet: number): string => octet.toString(16).padStart(2, '0');

/** A connection, as far as the challenge; gives that. */
async function challenged(initiation = '01000000'): Promise<{ peer: OctetPeer; challenge: string }> {
  const peer = await rig.connect();
  peer.socket.setNoDelay();
  peer.write(initiation);
  const answer = await peer.read(18);
  expect(answer.slice(0, 4)).toBe('8000');
  return { peer, challenge: answer.slice(4) };
}

/** What a login is answered until the connection ends. */
async function refusedLogin(login: (challenge: string) => string, initiation?: string): Promise<string> {
  const { peer, challenge } = await challenged(initiation);
  peer.write(login(challenge));
  return peer.readAll();
}

test.each([
  ['01000000', '01'],
  ['00000000', ''],
])('the vector of the challenge answer opens a session (%s)', async (initiation, verdict) => {
  const openings = new OpeningRig({ challenge: '000102030405060708090a0b0c0d0e0f' });
  const stream = await openings.challenged(undefined, initiation);
  expect(stream.written).toBe('8000000102030405060708090a0b0c0d0e0f');
  stream.send(`${OBJ}9d6033ea4cea99b5f17316672d846d98228fb4e366243ae3f667ba44bb1e8b2f`);
  await settle();
  expect(openings.opened).toMatchObject([{ uid: 'ObjTest', maxTransmission: 0, address: '192.168.1.2' }]);
  expect(Buffer.from(openings.opened[0]!.verdict).toString('hex')).toBe(verdict);
  // What the answer to the initiation and the challenge need is one write.
  expect(stream.writes).toEqual([18]);
});

test('the longest transmission that the client takes, and octets behind the opening, go to the session', async () => {
  const openings = new OpeningRig();
  const stream = await openings.challenged(undefined, '01000800');
  stream.send(`${loginHex('', stream.challenge, fromHex('00112233445566778899aabbccddeeff'))}1020`);
  await settle();
  expect(openings.opened).toMatchObject([{ uid: '', maxTransmission: 2_048 }]);
  expect(openings.opened[0]!.rest.toString('hex')).toBe('1020');
});

test.each(['01', '00'])('an opening of version %s may be cut at every octet', async (version) => {
  const openings = new OpeningRig({ limits: { loginsPerMinute: 1_000 } });
  const initiation = `${version}000000`;
  for (let cut = 1; cut < 4; cut += 1) {
    const stream = openings.connect();
    await settle();
    stream.send(initiation.slice(0, 2 * cut));
    expect(stream.state).toBe('…');
    stream.send(initiation.slice(2 * cut));
    expect(stream.state).toMatch(/^8000[0-9a-f]{32}…$/);
  }
  for (let cut = 1; cut < 48; cut += 1) {
    const stream = await openings.challenged(undefined, initiation);
    const login = loginHex('ObjTest', stream.challenge);
    stream.send(login.slice(0, 2 * cut));
    expect(openings.opened).toHaveLength(cut - 1);
    stream.send(login.slice(2 * cut));
    expect(openings.opened).toHaveLength(cut);
    expect(stream.state.slice(36)).toBe('…');
  }
});

test.each(['01', '00'])('an opening of version %s may come octet by octet', async (version) => {
  await start();
  const peer = await rig.connect();
  peer.socket.setNoDelay();
  const slowly = async (octets: string): Promise<void> => {
    for (const octet of octets.match(/../g)!) {
      peer.write(octet);
      await settle();
    }
  };
  await slowly(`${version}000000`);
  const challenge = (await peer.read(18)).slice(4);
  await slowly(loginHex('ObjTest', challenge));
  if (version === '01') expect(await peer.read(1)).toBe('01');
  expect(await peer.isQuiet()).toBe(true);
  expect(rig.presence).toEqual(['ObjTest online']);
});

test('each connection has a challenge of its own', async () => {
  const openings = new OpeningRig({ limits: { unprovedPerAddress: 256 } });
  const challenges = new Set<string>();
  for (let count = 0; count < 100; count += 1) challenges.add((await openings.challenged()).challenge);
  expect(challenges.size).toBe(100);
});

test('a proof is good for its own connection only', async () => {
  await start();
  const first = await challenged();
  const second = await challenged();
  second.peer.write(loginHex('ObjTest', first.challenge));
  expect(await second.peer.readAll()).toBe('00');
});

test('in version 0 nothing is sent after a right answer, and frames may come in the same segment', async () => {
  await start();
  const central = await rig.central({ version: 0, with: '10' });
  expect(await central.read(1)).toBe('20');
  const object = await rig.open('ObjTest', { version: 0, with: '1030765f000007424f4e4a4f555230' });
  expect(await object.read(1)).toBe('20');
  expect(await central.read(29)).toBe(`38${OBJ}765f000007424f4e4a4f5552`);
  // The last one had only begun.
  object.write('0001000000');
  expect(await central.read(22)).toBe(`38${OBJ}0001000000`);
  expect(object.unread).toBe('');
});

test('in version 0 a wrong answer is a close without an octet, also with frames behind it', async () => {
  await start();
  expect(await refusedLogin(() => `${OBJ}${WRONG}`, '00000000')).toBe('');
  expect(await refusedLogin((challenge) => loginHex('Nobody', challenge), '00000000')).toBe('');
  expect(await refusedLogin(() => `${OBJ}${WRONG}10300001000000`, '00000000')).toBe('');
  expect(rig.presence).toEqual([]);
  expect(rig.requests).toEqual([]);
});

test('in version 1 a right answer is 01, a wrong one 00 and a close', async () => {
  await start();
  const { peer, challenge } = await challenged();
  peer.write(loginHex('ObjTest', challenge));
  expect(await peer.read(1)).toBe('01');
  expect(await refusedLogin(() => `${OBJ}${WRONG}`)).toBe('00');
  expect(await refusedLogin((challenge) => loginHex('Nobody', challenge))).toBe('00');
  expect(await refusedLogin(() => `${OBJ}${WRONG}10300001000000`)).toBe('00');
  // The central's zeros with an object's key, and an object with the central's.
  expect(await refusedLogin((challenge) => loginHex('', challenge))).toBe('00');
  expect(
    await refusedLogin((challenge) => loginHex('ObjTest', challenge, fromHex('00112233445566778899aabbccddeeff'))),
  ).toBe('00');
  // One bit.
  expect(await refusedLogin((challenge) => loginHex('ObjTest', challenge).replace(/.$/, (end) => hexOther(end)))).toBe(
    '00',
  );
  expect(await peer.isQuiet()).toBe(true);
  expect(rig.presence).toEqual(['ObjTest online']);
});

const hexOther = (digit: string): string => (Number.parseInt(digit, 16) ^ 1).toString(16);

test('of all 256 first octets of a connection only 00 and 01 are answered with a challenge, and nothing changes', async () => {
  await start();
  const honest = await rig.open('ObjTest');
  const central = await rig.central();
  const taken: number[] = [];
  for (let first = 0; first < 256; first += 1) {
    const peer = await rig.connect();
    peer.write(`${hex(first)}000000`);
    const answer = await peer.read(2);
    if (answer === '8000') {
      taken.push(first);
      await peer.read(16);
    } else {
      expect(`${first}: ${answer}`).toBe(`${first}: 0000`);
      expect(await peer.readAll()).toBe('');
    }
  }
  expect(taken).toEqual([0, 1]);
  expect(await honest.isQuiet()).toBe(true);
  expect(await central.isQuiet()).toBe(true);
  expect(rig.presence).toEqual(['ObjTest online']);
});

test.each([
  ['01', '00'],
  ['00', ''],
])(
  'of all 256 first octets of a login of version %s only that of a UID is right, and nothing changes',
  async (version, verdict) => {
    await start({ limits: { loginFailures: 1_000 } });
    const honest = await rig.open('ObjTest');
    for (let first = 0; first < 256; first += 1) {
      const answer = await refusedLogin(
        // The right key, but of another UID than the one in the list; `00` as first octet with a wrong key.
        (challenge) => (first === 0 ? `${OBJ}${WRONG}` : `${hex(first)}${loginHex('ObjTest', challenge).slice(2)}`),
        `${version}000000`,
      );
      expect(`${first}: ${answer}`).toBe(`${first}: ${verdict}`);
    }
    expect(await honest.isQuiet()).toBe(true);
    expect(rig.presence).toEqual(['ObjTest online']);
    // What a stranger calls himself does not get into the log.
    expect(JSON.stringify(rig.log.lines)).not.toMatch(/ÿ|\\u00/);
  },
);

test('frames instead of a login are a wrong login', async () => {
  await start();
  for (const frames of ['10'.repeat(48), `f000${'00'.repeat(46)}`, `30765f000007424f4e4a4f5552${'10'.repeat(35)}`])
    expect(await refusedLogin(() => frames)).toBe('00');
  expect(rig.requests).toEqual([]);
});

test('octets before the challenge: up to 64 are an answer, and a wrong one; more end the connection', async () => {
  const openings = new OpeningRig();
  for (const [octets, state] of [
    [48, /^8000[0-9a-f]{32}00$/],
    [64, /^8000[0-9a-f]{32}00$/],
    [65, /^$/],
  ] as const) {
    const stream = openings.connect();
    await settle();
    stream.send(`01000000${'11'.repeat(octets)}`);
    await settle();
    expect(stream.state).toMatch(state);
  }
  const early = openings.connect();
  await settle();
  early.send(`01000000${'11'.repeat(47)}`);
  await settle();
  expect(early.state).toMatch(/^8000[0-9a-f]{32}…$/);
  expect(openings.opened).toEqual([]);
});

test('TLS that is not there, and a version that is not known, are answered 0000', async () => {
  await start();
  for (const initiation of ['81000800', '80000000', '02000000', '7fffffff', 'ffffffff']) {
    const peer = await rig.connect();
    peer.write(initiation);
    expect(await peer.readAll()).toBe('0000');
  }
  expect(rig.warnings().join()).toContain('TLS is asked for, and there is none');
  expect(rig.warnings().join()).toContain('version 2 is not spoken here');
});

test('options that are not known are ignored, as old concentrators do', async () => {
  await start();
  const { peer, challenge } = await challenged('01ff0800');
  peer.write(loginHex('ObjTest', challenge));
  expect(await peer.read(1)).toBe('01');
});

test('redirection, always: everybody is sent to the address of the vector', async () => {
  await start({ options: { redirect: { host: 'node2.example', port: 50505, aboveSessions: 0 } } });
  for (const version of ['00', '01']) {
    const peer = await rig.connect();
    peer.write(`${version}000000`);
    expect(await peer.readAll()).toBe('81000d6e6f6465322e6578616d706c65c549');
  }
  expect(rig.warnings()).toEqual([]);
});

test('redirection by load: from the set number of objects on newcomers are sent away, and taken again below it', async () => {
  await start({
    objects: ['a', 'b', 'c'],
    options: { redirect: { host: 'node2.example', port: 50505, aboveSessions: 2 } },
  });
  // The central's session does not count.
  const central = await rig.central();
  const first = await rig.open('a');
  await rig.open('b');
  const third = await rig.connect();
  third.write('01000000');
  expect(await third.readAll()).toBe('81000d6e6f6465322e6578616d706c65c549');
  first.write('f001');
  await first.readAll();
  await rig.open('c');
  expect(await central.isQuiet()).toBe(true);
});

test('past the most sessions objects are refused; the central gets in, and so does who has a session already', async () => {
  await start({ objects: ['a', 'b', 'c'], limits: { sessions: 2 } });
  const first = await rig.open('a');
  await rig.open('b');
  expect(await refusedLogin((challenge) => loginHex('c', challenge))).toBe('00');
  expect(await refusedLogin((challenge) => loginHex('c', challenge), '00000000')).toBe('');
  const central = await rig.central();
  const again = await rig.open('a');
  expect(await first.readAll()).toBe('f0a1');
  expect(await refusedLogin((challenge) => loginHex('c', challenge))).toBe('00');
  again.write('f001');
  await again.readAll();
  await rig.open('c');
  expect(await central.isQuiet()).toBe(true);
  expect(rig.presence).not.toContain('c offline');
});

test('a second session replaces the first, whose late end changes nothing', async () => {
  await start();
  const central = await rig.central();
  const first = await rig.open('ObjTest');
  central.write(`38${OBJ}0001000000`);
  expect(await first.read(6)).toBe('300001000000');
  const second = await rig.open('ObjTest');
  expect(await first.read(2)).toBe('f0a1');
  // Whatever the old connection still says is not heard.
  first.write('40000100000000f000');
  first.socket.destroy();
  await first.readAll();
  await settle();
  expect(rig.presence.filter((line) => line !== 'ObjTest online')).toEqual([]);
  central.write(`38${OBJ}0002000000`);
  expect(await second.read(6)).toBe('300002000000');
  // It is the same session: what was asked of it may be answered.
  second.write('4000010000000040000200000000');
  expect(await central.read(46)).toBe(`48${OBJ}00010000000048${OBJ}000200000000`);
  const third = await rig.central();
  expect(await central.readAll()).toBe('f0a1');
  expect(await third.isQuiet()).toBe(true);
});

test('a session that was replaced and does not close is cut after 2 s', async () => {
  await start();
  const first = await rig.open('ObjTest');
  first.socket.allowHalfOpen = true;
  const second = await rig.open('ObjTest');
  expect(await first.read(2)).toBe('f0a1');
  await rig.manual.advance(2_500);
  while (!first.socket.destroyed) {
    first.write('10');
    await settle();
  }
  expect(await second.isQuiet()).toBe(true);
});

test('15 logins of an object from one address in a minute are taken; the 16th is refused, for 5 minutes, from there', async () => {
  await start({ objects: ['ObjTest', 'Other'], limits: { loginsPerMinute: 15 } });
  let last: OctetPeer | undefined;
  for (let count = 0; count < 15; count += 1) last = await rig.open('ObjTest');
  expect(await refusedLogin((challenge) => loginHex('ObjTest', challenge))).toBe('00');
  // The one that has it keeps it; others, and the same from elsewhere, are not touched.
  expect(await last!.isQuiet()).toBe(true);
  await rig.open('Other');
  await rig.open('ObjTest', { from: '127.0.0.2' });
  expect(rig.warnings().at(-1)).toContain('it connects too often; two devices may have its UID and key');
  await rig.manual.advance(299_000);
  expect(await refusedLogin((challenge) => loginHex('ObjTest', challenge))).toBe('00');
  await rig.manual.advance(1_000);
  await rig.open('ObjTest');
});

test('an object from a public address must ask for TLS; configuration may allow it all the same', async () => {
  const state = async (options: ConstructorParameters<typeof OpeningRig>[0], ...where: [string, boolean?]) => {
    const stream = new OpeningRig(options).connect(...where);
    await settle();
    stream.send('01000000');
    await settle();
    return stream.state.replace(/(?<=^8000)[0-9a-f]{32}/, 'challenge');
  };
  for (const address of ['8.8.8.8', '2a00:1450:4001::1']) {
    expect(await state({}, address)).toBe('0000');
    expect(await state({}, address, true)).toBe('8000challenge…');
    expect(await state({ allowPlaintext: true }, address)).toBe('8000challenge…');
  }
  for (const address of ['127.0.0.1', '::1', '10.1.2.3', '172.16.0.1', '192.168.1.1', 'fe80::1', 'fd00::1'])
    expect(await state({}, address)).toBe('8000challenge…');
});
