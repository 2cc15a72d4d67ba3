import { createSecureContext } from 'node:tls';
import { expect, test } from 'vitest';
import { LoginGuard, MAX_REMEMBERED } from '../../../../base/links/login-guard.js';
import { settle } from '../../../support/manual-clock.js';
import { loginHex, type MemoryStream, OpeningRig } from './opening-rig.js';

const WRONG_KEY = new Uint8Array(16);
/** How often openings are looked at. */
const SWEEP_MS = 500;
const MINUTE_MS = 60_000;

test('each step may take 5 s: the initiation …', async () => {
  const rig = new OpeningRig();
  const silent = rig.connect();
  const slow = rig.connect();
  await settle();
  slow.send('010000');
  await rig.clock.advance(5_000 - SWEEP_MS);
  // Octets that come meanwhile give no more time.
  expect([silent.state, slow.state]).toEqual(['…', '…']);
  await rig.clock.advance(2 * SWEEP_MS);
  expect([silent.state, slow.state]).toEqual(['', '']);
  expect(rig.openings.refusedCount).toBe(2);
});

test('… and the login, however slowly it comes', async () => {
  const rig = new OpeningRig();
  const silent = await rig.challenged();
  const dribbling = await rig.challenged();
  const login = loginHex('ObjTest', dribbling.challenge);
  for (let second = 0; second < 4; second += 1) {
    dribbling.send(login.slice(2 * second, 2 * second + 2));
    await rig.clock.advance(1_000);
  }
  dribbling.send(login.slice(8, 94));
  await rig.clock.advance(1_000 - SWEEP_MS);
  expect([silent.state.slice(36), dribbling.state.slice(36)]).toEqual(['…', '…']);
  await rig.clock.advance(2 * SWEEP_MS);
  expect([silent.state.slice(36), dribbling.state.slice(36)]).toEqual(['', '']);
  expect(dribbling.destroyed).toBe(true);
  expect(rig.opened).toEqual([]);
});

test('a step begins when the one before is over', async () => {
  const rig = new OpeningRig();
  const stream = rig.connect();
  await rig.clock.advance(4_500);
  stream.send('01000000');
  await settle();
  await rig.clock.advance(4_500);
  stream.send(loginHex('ObjTest', stream.challenge));
  await settle();
  expect(rig.opened).toHaveLength(1);
  // From here on it is the session's.
  await rig.clock.advance(MINUTE_MS);
  expect(stream.destroyed).toBe(false);
});

test('the whole may take 20 s, whatever its steps may', async () => {
  const rig = new OpeningRig({ limits: { openingStepMs: 15_000 } });
  const [inTime, late] = [rig.connect(), rig.connect()];
  await rig.clock.advance(14_000);
  inTime.send('01000000');
  late.send('01000000');
  await rig.clock.advance(6_000 - SWEEP_MS);
  inTime.send(loginHex('ObjTest', inTime.challenge));
  expect(rig.opened).toHaveLength(1);
  expect(late.destroyed).toBe(false);
  await rig.clock.advance(2 * SWEEP_MS);
  expect(late.destroyed).toBe(true);
});

/** What it sends is not kept. */
function expectNothingKept(stream: MemoryStream): void {
  const before = process.memoryUsage().arrayBuffers;
  const mebioctet = Buffer.alloc(1024 * 1024);
  for (let count = 0; count < 50; count += 1) stream.push(mebioctet);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(25e6);
}

test('who was refused and does not close is cut after 2 s; what he sends meanwhile is thrown away', async () => {
  const rig = new OpeningRig();
  const stream = rig.connect();
  await settle();
  stream.send('7f000000');
  await settle();
  expect(stream.state).toBe('0000');
  expectNothingKept(stream);
  await rig.clock.advance(2_000 - SWEEP_MS);
  expect(stream.destroyed).toBe(false);
  await rig.clock.advance(2 * SWEEP_MS);
  expect(stream.destroyed).toBe(true);
  expect(stream.written).toBe('0000');
});

test('nine wrong logins a minute are only wrong; after the tenth the pair is refused for a minute, also with the right key', async () => {
  const rig = new OpeningRig({ objects: ['ObjTest', 'Other'] });
  for (let count = 0; count < 9; count += 1) expect(await rig.login('ObjTest', { key: WRONG_KEY })).toBe('00');
  // Nine, and a right one: it begins anew.
  expect(await rig.login('ObjTest')).toBe('in');
  for (let count = 0; count < 9; count += 1) await rig.login('ObjTest', { key: WRONG_KEY });
  expect(await rig.login('ObjTest')).toBe('in');
  await rig.clock.advance(2 * MINUTE_MS);
  for (let count = 0; count < 9; count += 1) expect(await rig.login('ObjTest', { key: WRONG_KEY })).toBe('00');
  expect(await rig.login('ObjTest', { key: WRONG_KEY })).toBe('…');
  expect(await rig.login('ObjTest')).toBe('00');
  expect(await rig.login('ObjTest', { initiation: '00000000' })).toBe('');
  // Another UID of that address, and that UID of another address.
  expect(await rig.login('Other')).toBe('in');
  expect(await rig.login('ObjTest', { address: '192.168.1.3' })).toBe('in');
  await rig.clock.advance(MINUTE_MS - 1_000);
  expect(await rig.login('ObjTest')).toBe('00');
  await rig.clock.advance(1_000);
  expect(await rig.login('ObjTest')).toBe('in');
});

test('nine wrong logins in one minute and nine in the next are not ten in one', async () => {
  const rig = new OpeningRig();
  for (let minute = 0; minute < 5; minute += 1) {
    for (let count = 0; count < 9; count += 1) await rig.login('ObjTest', { key: WRONG_KEY });
    await rig.clock.advance(MINUTE_MS);
  }
  expect(await rig.login('ObjTest')).toBe('in');
});

test('the refusals of a pair double, from one minute to fifteen', async () => {
  const rig = new OpeningRig({ limits: { loginsPerMinute: 1_000 } });
  for (const minutes of [1, 2, 4, 8, 15, 15]) {
    for (let count = 0; count < 10; count += 1) await rig.login('ObjTest', { key: WRONG_KEY });
    await rig.clock.advance(minutes * MINUTE_MS - 2_000);
    expect(`${minutes}: ${await rig.login('ObjTest')}`).toBe(`${minutes}: 00`);
    // Looked at again; wrong, so that what was is not forgotten.
    await rig.clock.advance(2_000);
  }
  // Who waits long enough begins with a minute again.
  await rig.clock.advance(60 * MINUTE_MS);
  for (let count = 0; count < 10; count += 1) await rig.login('ObjTest', { key: WRONG_KEY });
  await rig.clock.advance(MINUTE_MS);
  expect(await rig.login('ObjTest')).toBe('in');
});

test('so many pairs and addresses are remembered; past them the oldest is forgotten', () => {
  const guard = new LoginGuard(1);
  guard.failed('10.0.0.1', 'x', 0);
  // Each is a pair and an address.
  for (let count = 1; count < MAX_REMEMBERED / 2; count += 1) guard.failed(`10.1.${count}`, 'x', 0);
  expect(guard.allows('10.0.0.1', 'x', 0)).toBe(false);
  guard.failed('10.2.0.1', 'x', 0);
  expect(guard.allows('10.0.0.1', 'x', 0)).toBe(true);
  expect(guard.allows('10.1.1', 'x', 0)).toBe(false);
});

test('an address with ten wrong logins in a minute, of whatever UIDs, waits 1 s for the answer to a wrong one, not to a right one', async () => {
  const rig = new OpeningRig({ objects: ['ObjTest', 'Other'] });
  for (let count = 0; count < 9; count += 1) expect(await rig.login(`u${count}`)).toBe('00');
  const wrong = await rig.challenged();
  wrong.send(loginHex('ObjTest', wrong.challenge, WRONG_KEY));
  // Whatever he sends behind it is not read.
  wrong.send(loginHex('ObjTest', wrong.challenge));
  expectNothingKept(wrong);
  const old = await rig.challenged(undefined, '00000000');
  old.send(loginHex('ObjTest', old.challenge, WRONG_KEY));
  await rig.clock.advance(1_000 - SWEEP_MS);
  expect([wrong.state.slice(36), old.state.slice(36)]).toEqual(['…', '…']);
  expect(await rig.login('Other')).toBe('in');
  expect(await rig.login('u1', { address: '192.168.1.3' })).toBe('00');
  await rig.clock.advance(2 * SWEEP_MS);
  expect([wrong.state.slice(36), old.state.slice(36)]).toEqual(['00', '']);
  expect(rig.opened.map(({ uid }) => uid)).toEqual(['Other']);
});

test('who waits for a late answer and goes leaves nothing behind', async () => {
  const rig = new OpeningRig({ limits: { loginFailures: 1 } });
  const stream = await rig.challenged();
  stream.send(loginHex('Nobody', stream.challenge));
  await settle();
  stream.destroy();
  await settle();
  // The look at openings alone.
  expect(rig.clock.waiting).toBe(1);
  await rig.clock.advance(5_000);
  expect(rig.openings.refusedCount).toBe(0);
  rig.openings.stop();
  expect(rig.clock.waiting).toBe(0);
});

test('a UID that is not known costs the same proof, and is refused alike', async () => {
  const rig = new OpeningRig();
  const answers: string[] = [];
  for (const uid of ['ObjTest', 'Nobody', '']) {
    const before = rig.proofs;
    answers.push(`${await rig.login(uid, { key: WRONG_KEY })} after ${rig.proofs - before} proof`);
  }
  expect(answers).toEqual(Array(3).fill('00 after 1 proof'));
  // The key that unknown UIDs are compared with lets nobody in.
  expect(await rig.login('Nobody', { key: new Uint8Array(16) })).toBe('00');
  for (let count = 0; count < 10; count += 1) await rig.login('Nobody2', { key: WRONG_KEY });
  for (let count = 0; count < 10; count += 1) await rig.login('ObjTest', { key: WRONG_KEY });
  const before = rig.proofs;
  expect([await rig.login('Nobody2'), await rig.login('ObjTest')]).toEqual(['00', '00']);
  expect(rig.proofs).toBe(before);
});

test('of one address the seventeenth connection without a session ends the oldest; what has one does not count', async () => {
  const rig = new OpeningRig();
  const neighbour = rig.connect('192.168.1.3');
  const streams = await Promise.all(Array.from({ length: 16 }, () => rig.challenged()));
  streams[0]!.send(loginHex('ObjTest', streams[0]!.challenge));
  await settle();
  rig.connect();
  await settle();
  expect(streams.filter(({ destroyed }) => destroyed)).toEqual([]);
  rig.connect();
  await settle();
  expect(streams.map(({ destroyed }, index) => (destroyed ? index : -1)).filter((index) => index >= 0)).toEqual([1]);
  expect(neighbour.destroyed).toBe(false);
  expect(streams[0]!.destroyed).toBe(false);
});

test('a crowd of its own address that says nothing, or nothing within TLS, takes no place from who answers the challenge', async () => {
  const rig = new OpeningRig({ secureContext: createSecureContext() });
  const honest = await rig.challenged();
  for (let count = 0; count < 100; count += 1) {
    const stranger = rig.connect();
    await settle(1);
    if (count % 2 === 0) stranger.send('81000000');
  }
  await settle();
  honest.send(loginHex('ObjTest', honest.challenge));
  await settle();
  expect(rig.opened).toHaveLength(1);
});

test('stop ends every opening, and looks at none any more', async () => {
  const rig = new OpeningRig();
  const streams = [rig.connect(), await rig.challenged()];
  rig.openings.stop();
  rig.openings.stop();
  expect(streams.map(({ destroyed }) => destroyed)).toEqual([true, true]);
  await settle();
  expect(rig.clock.waiting).toBe(0);
});

test('the same refusal of the same address is said once, and refusals of many addresses do not fill the log', async () => {
  const rig = new OpeningRig();
  for (let count = 0; count < 5; count += 1) await rig.login('Nobody');
  expect(rig.log.lines.map(({ message, fields }) => [message, fields])).toEqual([
    ['a connection was refused; said once', { address: '192.168.1.2', reason: 'its UID is not in the access list' }],
  ]);
  for (let host = 0; host < 200; host += 1) await rig.login('ObjTest', { key: WRONG_KEY, address: `10.0.0.${host}` });
  expect(rig.log.lines.length).toBeLessThan(25);
});
