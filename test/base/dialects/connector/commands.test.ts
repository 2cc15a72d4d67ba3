import { afterEach, expect, test } from 'vitest';
import { InternalError } from '../../../../protocol/errors.js';
import { settle } from '../../../support/manual-clock.js';
import { MemoryStore } from '../../../support/memory-store.js';
import { ConnectorRig } from './connector-rig.js';

let rig: ConnectorRig;
afterEach(() => rig.stop());

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('a command reaches its device, and the answer its sender', async () => {
  rig = await ConnectorRig.start();
  const device = await rig.device('lamp');
  const outcome = rig.command('lamp', 'on', { origin: '192.0.2.7' });
  const told = await device.next();
  expect(Object.keys(told)).toEqual(['id', 'payload', 'origin_remote_address', 'message_type', 'timestamp']);
  expect(told).toEqual({
    id: expect.stringMatching(uuid),
    payload: 'on',
    origin_remote_address: '192.0.2.7',
    message_type: 'command',
    timestamp: Math.floor(rig.manual.now() / 1_000),
  });
  device.answer(told, 'done');
  expect(await outcome).toMatchObject({ outcome: 'ok', payload: { format: 'utf8', value: 'done' } });
  expect(rig.reports()).toEqual([]);
  expect(rig.connections.list()).toMatchObject([{ unit: 'lamp', receivedMessages: 1, sentMessages: 1 }]);
});

test('a query says that it is one, and an unknown origin is empty', async () => {
  rig = await ConnectorRig.start();
  const device = await rig.device('lamp');
  const outcome = rig.command('lamp', 'colour?', { command: 'query' });
  const told = await device.next();
  expect(told).toMatchObject({ message_type: 'query', origin_remote_address: '' });
  device.answer(told, 'red');
  expect((await outcome).outcome).toBe('ok');
});

test.each([
  ['a text of JSON', 'on', 'json', 'on'],
  ['an object', { on: true }, 'json', '{"on":true}'],
  ['a number', 7, 'json', '7'],
  ['null', null, 'json', 'null'],
  ['UTF-8', 'é {"a', 'utf8', 'é {"a'],
  ['ASCII', 'on', 'ascii', 'on'],
] as const)('a payload is a text for the device: %s', async (_name, payload, format, text) => {
  rig = await ConnectorRig.start();
  const device = await rig.device('lamp');
  const outcome = rig.command('lamp', payload, { format });
  const told = await device.next();
  expect(told.payload).toBe(text);
  device.answer(told, '');
  expect(await outcome).toMatchObject({ outcome: 'ok', payload: { format: 'utf8', value: '' } });
});

test('octets have no place in a message', async () => {
  rig = await ConnectorRig.start();
  await rig.device('lamp');
  const outcome = await rig.command('lamp', [1, 2], { format: 'binary' });
  expect(outcome).toMatchObject({ outcome: 'refused', reason: expect.stringContaining('takes text') });
});

test.each([
  ['an object', { t: 21.5, __proto__: null }],
  ['a number', 7],
  ['null', null],
  ['false', false],
  ['a list', [1, [2]]],
])('an answer that is no text is JSON: %s', async (_name, payload) => {
  rig = await ConnectorRig.start();
  const device = await rig.device('lamp');
  const outcome = rig.command('lamp', 'x');
  device.answer(await device.next(), payload);
  expect(await outcome).toMatchObject({ outcome: 'ok', payload: { format: 'json', value: payload } });
});

test('an answer need not have a payload', async () => {
  rig = await ConnectorRig.start();
  const device = await rig.device('lamp');
  const outcome = rig.command('lamp', 'x');
  device.say({ id: (await device.next()).id });
  const { payload, ...rest } = await outcome;
  expect([rest.outcome, payload]).toEqual(['ok', undefined]);
});

test('answers may come in any order', async () => {
  rig = await ConnectorRig.start();
  const device = await rig.device('lamp');
  const outcomes = ['a', 'b', 'c'].map((payload) => rig.command('lamp', payload));
  const told = [await device.next(), await device.next(), await device.next()];
  for (const each of told.reverse()) device.answer(each, each.payload.toUpperCase());
  expect((await Promise.all(outcomes)).map(({ payload }) => payload?.value)).toEqual(['A', 'B', 'C']);
});

test('an answer counts only from the device that was asked, and only once', async () => {
  rig = await ConnectorRig.start();
  const lamp = await rig.device('lamp');
  const thief = await rig.device('thief');
  const outcome = rig.command('lamp', 'x');
  const told = await lamp.next();
  thief.answer(told, 'mine');
  await thief.isRead();
  lamp.answer(told, 'done');
  lamp.answer(told, 'again');
  expect(await outcome).toMatchObject({ outcome: 'ok', payload: { value: 'done' } });
  await rig.until('both are reports', () => rig.reports().length === 2);
  expect(rig.reports()).toEqual([
    ['thief', 'json', { id: told.id, payload: 'mine' }],
    ['lamp', 'json', { id: told.id, payload: 'again' }],
  ]);
});

test('an answer may be a binary message; other octets are reports as they came', async () => {
  rig = await ConnectorRig.start();
  const device = await rig.device('lamp');
  const outcome = rig.command('lamp', 'x');
  const told = await device.next();
  const other = Buffer.from(JSON.stringify({ id: 'other', payload: 'no' }));
  device.say(other);
  device.say(Buffer.from(JSON.stringify({ id: told.id, payload: 'done' })));
  expect(await outcome).toMatchObject({ outcome: 'ok', payload: { value: 'done' } });
  await rig.until('the other is a report', () => rig.reports().length === 1);
  expect(rig.reports()).toEqual([['lamp', 'binary', [...other]]]);
});

test('a device that is not connected is unreachable at once', async () => {
  rig = await ConnectorRig.start();
  const device = await rig.device('lamp');
  device.socket.close();
  await rig.until('it is away', () => rig.presence().length === 2);
  expect(await rig.command('lamp', 'x')).toMatchObject({ outcome: 'unreachable', reason: 'it is not connected' });
  expect(await rig.command('nobody', 'x')).toMatchObject({ outcome: 'refused' });
});

test('a command with a time to live waits for the device', async () => {
  rig = await ConnectorRig.start();
  (await rig.device('lamp')).socket.close();
  await rig.until('it is away', () => rig.presence().length === 2);
  const outcome = rig.command('lamp', 'later', { ttlMs: 60_000 });
  await rig.manual.advance(59_000);
  const device = await rig.device('lamp');
  device.answer(await device.next(), 'at last');
  expect(await outcome).toMatchObject({ outcome: 'ok', payload: { value: 'at last' } });
});

test('a command whose time to live is over has expired, and is not delivered', async () => {
  rig = await ConnectorRig.start();
  (await rig.device('lamp')).socket.close();
  await rig.until('it is away', () => rig.presence().length === 2);
  const outcome = rig.command('lamp', 'later', { ttlMs: 60_000 });
  await rig.manual.advance(60_000);
  expect((await outcome).outcome).toBe('expired');
  const device = await rig.device('lamp');
  await device.isRead();
  expect(device.told).toEqual([]);
});

test('who does not answer in time is told as such, and a late answer is a report', async () => {
  rig = await ConnectorRig.start({ options: { answerTimeoutMs: 8_000 } });
  const device = await rig.device('lamp');
  let ended = '';
  const outcome = rig.command('lamp', 'x').then((each) => {
    ended = each.outcome;
    return each;
  });
  const told = await device.next();
  await rig.manual.advance(7_999);
  expect(ended).toBe('');
  await rig.manual.advance(1);
  expect((await outcome).outcome).toBe('timeout');
  device.answer(told, 'late');
  await rig.until('it is a report', () => rig.reports().length === 1);
});

test('a command under way when the connection ends may have been done: it is unknown, and is not repeated', async () => {
  rig = await ConnectorRig.start();
  const device = await rig.device('lamp');
  const outcome = rig.command('lamp', 'x', { ttlMs: 60_000 });
  const told = await device.next();
  device.socket.terminate();
  expect(await outcome).toMatchObject({ outcome: 'unknown', reason: 'its connection ended before it answered' });
  const again = await rig.device('lamp');
  again.answer(told, 'done');
  await again.isRead();
  expect(again.told).toEqual([]);
  expect(rig.reports()).toEqual([['lamp', 'json', { id: told.id, payload: 'done' }]]);
});

test('the same when a newer connection takes its place', async () => {
  rig = await ConnectorRig.start();
  const device = await rig.device('lamp');
  const outcome = rig.command('lamp', 'x');
  await device.next();
  const newer = await rig.device('lamp');
  expect((await outcome).outcome).toBe('unknown');
  const next = rig.command('lamp', 'y');
  newer.answer(await newer.next(), 'from the newer');
  expect(await next).toMatchObject({ outcome: 'ok', payload: { value: 'from the newer' } });
});

test('nothing is sent before it is on disk that it is sent', async () => {
  rig = await ConnectorRig.start();
  const device = await rig.device('lamp');
  let open = (): void => {};
  const outcome = rig.command('lamp', 'x');
  // Behind the command's own commit.
  rig.store.gate = new Promise((resolve) => {
    open = resolve;
  });
  await rig.until('it is accepted', () => rig.store.of('command').length === 1);
  await settle(5);
  await device.isRead();
  expect(device.told).toEqual([]);
  rig.store.gate = undefined;
  open();
  const told = await device.next();
  expect(rig.store.of('sent').map(({ life }) => life)).toEqual(['connection 1']);
  device.answer(told, '');
  expect((await outcome).outcome).toBe('ok');
});

test('what the disk does not take is not sent', async () => {
  rig = await ConnectorRig.start();
  (await rig.device('lamp')).socket.close();
  await rig.until('it is away', () => rig.presence().length === 2);
  const outcome = rig.command('lamp', 'x', { ttlMs: 60_000 });
  await rig.until('it is accepted', () => rig.store.of('command').length === 1);
  rig.store.isFailing = true;
  const device = await rig.device('lamp');
  await device.isRead();
  expect(device.told).toEqual([]);
  rig.store.isFailing = false;
  await rig.manual.advance(1_000);
  expect(await outcome).toMatchObject({ outcome: 'refused', reason: expect.stringContaining('disk is full') });
});

test('a device that goes while the disk works was not sent anything: what is patient goes to its next connection', async () => {
  rig = await ConnectorRig.start();
  const device = await rig.device('lamp');
  let open = (): void => {};
  const patient = rig.command('lamp', 'patient', { ttlMs: 60_000 });
  const impatient = rig.command('lamp', 'impatient');
  rig.store.gate = new Promise((resolve) => {
    open = resolve;
  });
  device.socket.terminate();
  await rig.until('it is away', () => rig.presence().length === 2);
  open();
  rig.store.gate = undefined;
  expect((await impatient).outcome).toBe('unreachable');
  const next = await rig.device('lamp');
  next.answer(await next.next(), '');
  expect((await patient).outcome).toBe('ok');
  expect(next.told).toEqual([]);
});

test('so many commands of one device are under way, the next when one has ended', async () => {
  rig = await ConnectorRig.start({ limits: { commandsAtOnce: 3 } });
  const device = await rig.device('lamp');
  const outcomes = ['a', 'b', 'c', 'd'].map((payload) => rig.command('lamp', payload));
  const first = await device.next();
  await rig.until('three are told', () => device.told.length === 2);
  await device.isRead();
  expect(device.told.map(({ payload }) => payload)).toEqual(['b', 'c']);
  device.answer(first, '');
  await rig.until('the fourth is told', () => device.told.length === 3);
  for (const told of device.told) device.answer(told, '');
  expect((await Promise.all(outcomes)).map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'ok', 'ok']);
});

test('a message that is longer than a device may have unread is refused', async () => {
  rig = await ConnectorRig.start();
  const device = await rig.device('lamp');
  const most = 192 * 1024;
  const envelope = Buffer.byteLength(
    JSON.stringify({
      id: '01234567-0123-0123-0123-012345678901',
      payload: '',
      origin_remote_address: '',
      message_type: 'command',
      timestamp: Math.floor(rig.manual.now() / 1_000),
    }),
  );
  // A control character has six octets in JSON.
  const left = most - envelope;
  const text = '\u0001'.repeat(Math.floor(left / 6)) + 'x'.repeat(left % 6);
  const outcome = rig.command('lamp', text, { format: 'utf8' });
  const told = await device.next();
  expect(told.payload === text).toBe(true);
  device.answer(told, '');
  expect((await outcome).outcome).toBe('ok');
  expect(await rig.command('lamp', `${text}x`, { format: 'utf8' })).toMatchObject({
    outcome: 'refused',
    reason: 'the message would have 196609 octets; at most 196608 can be sent',
  });
});

test('who takes nothing has commands wait for room, and is cut after 30 s', async () => {
  rig = await ConnectorRig.start({
    options: { answerTimeoutMs: 29_000 },
    limits: { commandsAtOnce: 400, deadAfterMs: 600_000 },
  });
  const device = await rig.device('lamp');
  device.socket.pause();
  const [connection] = rig.connections.list();
  const outcomes = Array.from({ length: 150 }, (_, at) =>
    rig.command('lamp', `${at}`.padEnd(60_000), { format: 'utf8', waitMs: 120_000 }),
  );
  await rig.until('all are stored', () => rig.store.of('sent').length === 150);
  await settle(20);
  const buffered = rig.connections.of('lamp')!.bufferedOctets;
  expect(buffered).toBeGreaterThan(64 * 1024);
  expect(buffered).toBeLessThanOrEqual(256 * 1024);
  expect(connection!.unit).toBe('lamp');
  await rig.manual.advance(29_000);
  expect(rig.presence()).toEqual(['lamp online']);
  await rig.manual.advance(4_000);
  expect(rig.presence()).toEqual(['lamp online', 'lamp offline: it does not take what is sent to it']);
  expect(rig.counts()['too-slow']).toBe(1);
  const kinds = (await Promise.all(outcomes)).map(({ outcome }) => outcome);
  expect(new Set(kinds)).toEqual(new Set(['timeout', 'unreachable']));
});

test('who takes things again gets the rest', async () => {
  rig = await ConnectorRig.start({ limits: { commandsAtOnce: 400 } });
  const device = await rig.device('lamp');
  device.socket.pause();
  const outcomes = Array.from({ length: 150 }, (_, at) =>
    rig.command('lamp', `${at}`.padEnd(60_000), { format: 'utf8', waitMs: 120_000 }),
  );
  await rig.until('all are stored', () => rig.store.of('sent').length === 150);
  await settle(20);
  device.socket.resume();
  for (let count = 0; count < 150; count += 1) device.answer(await device.next(), '');
  const kinds = (await Promise.all(outcomes)).map(({ outcome }) => outcome);
  expect(new Set(kinds)).toEqual(new Set(['ok']));
});

test('at the stop, what waits is kept for the next run, and what is under way is unknown', async () => {
  const store = new MemoryStore();
  rig = await ConnectorRig.start({ store });
  const device = await rig.device('lamp');
  (await rig.device('away')).socket.close();
  await rig.until('one is away', () => rig.presence().length === 3);
  const kept = rig.command('away', 'later', { ttlMs: 60_000 });
  const underWay = rig.command('lamp', 'now');
  await device.next();
  const refused = expect(kept).rejects.toThrow(InternalError);
  await rig.stop();
  await refused;
  expect(await device.closed).toBe('1001 the base is stopping');
  expect((await underWay).outcome).toBe('unknown');

  rig = await ConnectorRig.start({ store });
  expect(rig.router.get('away')).toMatchObject({ state: 'offline', dialect: 'connector', waiting: 1 });
  const back = await rig.device('away');
  const told = await back.next();
  expect(told.payload).toBe('later');
  back.answer(told, '');
  await rig.until('it has its outcome', () => rig.heard.some(({ kind }) => kind === 'outcome'));
});

test('at the stop, an answer that is on its way counts, and nothing else that a device says', async () => {
  rig = await ConnectorRig.start();
  const device = await rig.device('lamp');
  const outcomes = ['a', 'b'].map((payload) => rig.command('lamp', payload));
  const told = await device.next();
  await device.next();
  // It has not read the goodbye when it answers.
  device.socket.pause();
  const stopped = rig.host.stop();
  await rig.until('the base has said goodbye', () => rig.connections.list().length === 0);
  device.say({ temperature: 21 });
  device.answer(told, 'done');
  device.socket.resume();
  expect(await outcomes[0]).toMatchObject({ outcome: 'ok', payload: { value: 'done' } });
  await stopped;
  expect((await outcomes[1]!).outcome).toBe('unknown');
  expect(rig.reports()).toEqual([]);
});
