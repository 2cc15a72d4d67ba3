import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { DeviceRequest } from '../../../../base/dialects/connector/connector-options.js';
import { defineHandler } from '../../../../base/dialects/handler.js';
import thermometer from '../../../../units/thermometer.js';
import { settle } from '../../../support/manual-clock.js';
import { temporaryFolder } from '../../config/temporary-folder.js';
import { makeCertificates } from '../../uplinks/certificates.js';
import { ConnectorRig } from './connector-rig.js';

let rig: ConnectorRig;
afterEach(() => rig.stop());

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

describe('the id of a device', () => {
  test.each([
    ['device_id', { device_id: 'lamp-1' }],
    ['Device-Id', { 'Device-Id': 'lamp-1' }],
    ['both, when they agree', { device_id: 'lamp-1', 'Device-Id': 'lamp-1' }],
    ['with blanks around it', { 'Device-Id': '  lamp-1\t' }],
  ])('is in the header: %s', async (_name, headers) => {
    rig = await ConnectorRig.start();
    await once(rig.socket(headers as Record<string, string>), 'open');
    expect(rig.connections.units()).toEqual(['lamp-1']);
  });

  test.each([
    ['missing', {}, 'the header Device-Id is missing or empty'],
    ['empty', { device_id: '' }, 'the header Device-Id is missing or empty'],
    ['blank', { 'Device-Id': '  ' }, 'the header Device-Id is missing or empty'],
    [
      'another in each header',
      { device_id: 'a', 'Device-Id': 'b' },
      'the headers device_id and Device-Id name two devices',
    ],
    [
      'empty in one header',
      { device_id: 'a', 'Device-Id': '' },
      'the headers device_id and Device-Id name two devices',
    ],
    ['twice in one header', { device_id: ['a', 'a'] }, 'the header device_id is there more than once'],
    ['of 129 characters', { device_id: 'x'.repeat(129) }, "the device's id is longer than 128 characters"],
    ['a step up in a path', { device_id: '..' }, "the device's id is a step in a path: no URL could name it"],
    ['with a tabulator in it', { device_id: 'a\tb' }, "the device's id has characters that cannot be printed"],
    ['with a C1 control', { device_id: 'a\u0085b' }, "the device's id has characters that cannot be printed"],
    [
      'with a character that turns the line around',
      { device_id: Buffer.from('a\u202eb').toString('latin1') },
      "the device's id has characters that cannot be printed",
    ],
  ])('is refused with 400: %s', async (_name, headers, error) => {
    rig = await ConnectorRig.start();
    expect(await rig.refusal(headers as Record<string, string>)).toMatchObject({ status: 400, body: { error } });
    expect(rig.router.list()).toEqual([]);
    expect(rig.counts()).toEqual({ 'refused-400': 1 });
  });

  test.each([
    ['of 128 characters', 'x'.repeat(128)],
    ['with blanks, signs and slashes', 'a b/c?d=e%f"g'],
    ['in UTF-8', 'Küche-温度-💡'],
  ])('may be %s', async (_name, id) => {
    rig = await ConnectorRig.start();
    const device = await rig.device(Buffer.from(id).toString('latin1'));
    expect(rig.connections.units()).toEqual([id]);
    const outcome = rig.command(id, 'x');
    device.answer(await device.next(), '');
    expect((await outcome).outcome).toBe('ok');
  });

  test('in octets that are no UTF-8 is taken as Latin-1', async () => {
    rig = await ConnectorRig.start();
    await rig.device('K\u00fcche');
    expect(rig.connections.units()).toEqual(['Küche']);
  });
});

test('what a device says of itself is shown, cut and cleaned', async () => {
  const asked: DeviceRequest[] = [];
  rig = await ConnectorRig.start({
    options: {
      authenticate: (request) => {
        asked.push(request);
        return true;
      },
    },
  });
  await rig.device('a', { 'Device-Name': 'Hall', 'Device-Type': 'lamp', 'User-Agent': 'arduino/1' });
  const name = Buffer.from(`${'x'.repeat(127)}\u{1f4a1}`).toString('latin1');
  await rig.device('b', { 'Device-Name': name, 'Device-Type': 'a\tb', 'User-Agent': '' });
  await rig.device('c', { 'Device-Name': 'x'.repeat(128), 'Device-Type': 'y'.repeat(129) });
  const record = rig.connections.of('a');
  expect(record).toMatchObject({ name: 'Hall', type: 'lamp', userAgent: 'arduino/1', handler: 'connector' });
  expect(record!.remoteAddress).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(asked.map((each) => [each.name, each.type, each.userAgent])).toEqual([
    ['Hall', 'lamp', 'arduino/1'],
    ['x'.repeat(127), 'ab', undefined],
    ['x'.repeat(128), 'y'.repeat(128), undefined],
  ]);
});

describe('who may connect', () => {
  test.each([
    ['basic', { kind: 'basic', user: 'home', password: 'sésame:x' } as const, basic('home', 'sésame:x')],
    ['bearer', { kind: 'bearer', token: 'abc' } as const, 'bearer abc'],
  ])('%s: the right ones', async (_kind, authenticate, authorization) => {
    rig = await ConnectorRig.start({ options: { authenticate } });
    await rig.device('lamp', { authorization });
    expect(rig.presence()).toEqual(['lamp online']);
  });

  test.each([
    [
      'basic',
      { kind: 'basic', user: 'home', password: 'x' } as const,
      undefined,
      'The request has no user and password.',
    ],
    [
      'basic',
      { kind: 'basic', user: 'home', password: 'x' } as const,
      'Bearer x',
      'The Authorization header is not of the kind Basic.',
    ],
    [
      'basic',
      { kind: 'basic', user: 'home', password: 'x' } as const,
      basic('home', 'y'),
      'The user or the password is wrong.',
    ],
    ['bearer', { kind: 'bearer', token: 'abc' } as const, undefined, 'The request has no token.'],
    [
      'bearer',
      { kind: 'bearer', token: 'abc' } as const,
      basic('home', 'y'),
      'The Authorization header is no bearer token.',
    ],
    ['bearer', { kind: 'bearer', token: 'abc' } as const, 'Bearer abcd', "The token is not the base's."],
  ])('%s: the others are told 401', async (kind, authenticate, authorization, error) => {
    rig = await ConnectorRig.start({ options: { authenticate } });
    const headers = { device_id: 'lamp', ...(authorization === undefined ? {} : { authorization }) };
    const refusal = await rig.refusal(headers);
    expect(refusal).toMatchObject({ status: 401, body: { error } });
    expect(refusal.headers['www-authenticate']).toMatch(new RegExp(`^${kind} realm="baseunit"`, 'i'));
    expect(rig.router.list()).toEqual([]);
  });

  test('a function decides, and sees what the device says', async () => {
    const asked: DeviceRequest[] = [];
    rig = await ConnectorRig.start({
      options: {
        authenticate: (request) => {
          asked.push(request);
          return request.deviceId === 'lamp' ? Promise.resolve(true) : request.deviceId === 'sync';
        },
      },
    });
    await rig.device('lamp', { 'Device-Name': 'Hall', 'X-Secret': 's' });
    await rig.device('sync');
    expect(await rig.refusal({ device_id: 'thief' })).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer realm="baseunit"' },
      body: { error: 'The device may not connect.' },
    });
    expect(asked[0]).toMatchObject({ deviceId: 'lamp', name: 'Hall', type: undefined, headers: { 'x-secret': 's' } });
    expect(asked[0]!.remoteAddress).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  test.each([
    ['undefined', undefined],
    ['a text', 'yes'],
    ['1', 1],
  ])('only true lets it in, not %s', async (_name, given) => {
    rig = await ConnectorRig.start({ options: { authenticate: () => given as unknown as boolean } });
    expect((await rig.refusal({ device_id: 'lamp' })).status).toBe(401);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('no database');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no database'))],
    ['rejects with nothing', () => Promise.reject(undefined), 'undefined'],
  ])('a function that %s refuses that one, is counted and logged', async (_name, fail, error = 'no database') => {
    rig = await ConnectorRig.start({
      options: { authenticate: ({ deviceId }) => (deviceId === 'bad' ? fail() : true) },
    });
    expect((await rig.refusal({ device_id: 'bad' })).status).toBe(503);
    expect(rig.counts()).toEqual({ 'authenticator-failed': 1 });
    expect(rig.log.lines.filter(({ level }) => level === 'error')).toMatchObject([{ fields: { error } }]);
    await rig.device('good');
  });

  test('a function that does not resolve in 5 s refuses that one, and holds nobody up', async () => {
    let late = (_is: boolean): void => {};
    rig = await ConnectorRig.start({
      options: {
        authenticate: ({ deviceId }) =>
          deviceId === 'slow'
            ? new Promise((resolve) => {
                late = resolve;
              })
            : true,
      },
    });
    const refusal = rig.refusal({ device_id: 'slow' });
    await rig.device('quick');
    await settle(10);
    await rig.manual.advance(4_999);
    expect(rig.counts()).toEqual({});
    await rig.manual.advance(1);
    expect((await refusal).status).toBe(503);
    expect(rig.counts()).toEqual({ 'authenticator-failed': 1 });
    late(true);
    await settle(10);
    expect(rig.connections.units()).toEqual(['quick']);
  });

  test("a yes that comes too late takes nobody's place", async () => {
    let late = (_is: boolean): void => {};
    rig = await ConnectorRig.start({
      limits: { units: 1 },
      options: {
        authenticate: ({ deviceId }) => deviceId === 'away' || new Promise((resolve) => (late = resolve)),
      },
    });
    const away = await rig.device('away');
    away.socket.close();
    await rig.until('it is away', () => rig!.router.get('away')!.state === 'offline');
    const refusal = rig.refusal({ device_id: 'slow' });
    await settle(10);
    await rig.manual.advance(5_000);
    expect((await refusal).status).toBe(503);
    late(true);
    await settle(10);
    expect(rig.router.get('away')).toMatchObject({ state: 'offline' });
  });

  test('ten wrong logins of a device in a minute: it is refused for a minute, others of its address are not', async () => {
    rig = await ConnectorRig.start({ options: { authenticate: { kind: 'bearer', token: 'abc' } } });
    for (let count = 0; count < 9; count += 1)
      expect((await rig.refusal({ device_id: 'lamp', authorization: 'Bearer x' })).status).toBe(401);
    const tenth = rig.refusal({ device_id: 'lamp', authorization: 'Bearer x' });
    // From here on the address is answered late.
    await settle(20);
    await rig.manual.advance(1_000);
    expect((await tenth).status).toBe(401);
    expect(await rig.refusal({ device_id: 'lamp', authorization: 'Bearer abc' })).toMatchObject({
      status: 429,
      headers: { 'retry-after': '59' },
    });
    await rig.device('other', { authorization: 'Bearer abc' });
    await rig.manual.advance(59_000);
    await rig.device('lamp', { authorization: 'Bearer abc' });
  });
});

describe('an id that is taken', () => {
  test('by a configured unit, or by another handler: 409', async () => {
    const other = defineHandler({
      name: 'other',
      async listen(context) {
        context.addUnit({ uid: 'theirs' }, async () => ({ outcome: 'ok' }));
        context.ready();
        await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
      },
    });
    const unit = { uid: 'typed', definition: thermometer, address: undefined, key: undefined };
    rig = await ConnectorRig.start({ units: [unit], handlers: [other] });
    for (const id of ['typed', 'theirs'])
      expect(await rig.refusal({ device_id: id })).toMatchObject({
        status: 409,
        body: { error: 'another unit of the base has this id' },
      });
    expect(rig.presence()).toEqual([]);
  });
});

describe('an upgrade that is none', () => {
  test.each([
    ['another path', 'GET /other HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n', 404],
    ['another path, without an upgrade', 'GET / HTTP/1.1\r\nhost: x\r\n\r\n', 404],
    ['no upgrade', 'GET /connect HTTP/1.1\r\nhost: x\r\ndevice_id: a\r\n\r\n', 426],
    ['a body', 'POST /connect?a=b HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc', 426],
    [
      'another protocol',
      'GET /connect HTTP/1.1\r\nhost: x\r\ndevice_id: a\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n',
      400,
    ],
    [
      'no key',
      'GET /connect HTTP/1.1\r\nhost: x\r\ndevice_id: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
      400,
    ],
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['no host', 'GET /connect HTTP/1.1\r\n\r\n', 400],
  ])('%s', async (_name, text, status) => {
    rig = await ConnectorRig.start();
    const { socket, rest } = await rig.raw();
    socket.write(text);
    const answer = await rest;
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    if (!/no host/.test(_name)) expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toEqual({ error: expect.any(String) });
    expect(rig.router.list()).toEqual([]);
  });

  test('the path may have a query behind it', async () => {
    rig = await ConnectorRig.start();
    await once(rig.socket({ device_id: 'a' }, {}, rig.url('/connect?token=x')), 'open');
  });

  test('51 headers, or more than 8 KiB of them, are refused with 431, and the process goes on', async () => {
    rig = await ConnectorRig.start();
    // ws itself sends five, and the id is one.
    const headers = (count: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`x-${at}`, 'x']));
    const own = 6;
    await once(rig.socket({ device_id: 'many', ...headers(50 - own) }), 'open');
    expect(await rig.refusal({ device_id: 'more', ...headers(51 - own) })).toMatchObject({ status: 431 });
    expect(await rig.refusal({ device_id: 'long', x: 'x'.repeat(8 * 1024) })).toMatchObject({ status: 431 });
    const { socket, rest } = await rig.raw();
    socket.write(`GET /connect HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(1024 * 1024)}\r\n\r\n`);
    expect(await rest).toMatch(/^HTTP\/1\.1 431 .*\{"error":"the headers are longer than 8192 octets"\}$/s);
    await rig.device('well');
  });

  test('who does not come to an end with it is cut', async () => {
    rig = await ConnectorRig.start({ limits: { upgradeMs: 100 } });
    const silent = await rig.raw();
    const slow = await rig.raw();
    slow.socket.write('GET /connect HTTP/1.1\r\nhost: x\r\ndevice_id: a\r\n');
    expect(await slow.rest).toMatch(/^HTTP\/1\.1 408 /);
    await silent.rest;
  });

  test('who is no device yet is bounded by address: the oldest goes', async () => {
    rig = await ConnectorRig.start({ limits: { unprovedPerAddress: 3 } });
    await rig.device('lamp');
    const first = await rig.raw();
    const second = await rig.raw();
    await rig.raw();
    await settle(5);
    expect(first.socket.destroyed).toBe(false);
    await rig.raw();
    await first.rest;
    expect(second.socket.destroyed).toBe(false);
    expect(rig.connections.units()).toEqual(['lamp']);
  });
});

describe('over wss', () => {
  test('devices connect, are pinged, and answer', async () => {
    const pem = makeCertificates();
    const folder = temporaryFolder();
    const tls = { cert: join(folder, 'server.crt'), key: join(folder, 'server.key') };
    writeFileSync(tls.cert, pem.cert);
    writeFileSync(tls.key, pem.key);
    rig = await ConnectorRig.start({ options: { tls } });
    const device = await rig.device('lamp', {}, { ca: pem.ca });
    const outcome = rig.command('lamp', 'x');
    device.answer(await device.next(), 'safe');
    expect(await outcome).toMatchObject({ outcome: 'ok', payload: { value: 'safe' } });
    for (let minute = 0; minute < 4; minute += 1) {
      const pings = device.pings;
      await rig.manual.advance(17_000);
      await rig.until('it is pinged', () => device.pings > pings);
      await device.isRead();
    }
    expect(rig.presence()).toEqual(['lamp online']);
    const stranger = new WebSocket(rig.url('/connect', 'ws'), { headers: { device_id: 'clear' } });
    await once(stranger, 'error');
    expect(rig.connections.units()).toEqual(['lamp']);
  });
});
