import { describe, expect, it } from 'vitest';
import { MAX_BODY_DEPTH } from '../../../base/api/api-limits.js';
import { commandStatusSchema, definitionSchema, outcomeSchema, unitsSchema } from '../../../base/api/api-schemas.js';
import { outcomeKinds } from '../../../base/core/messages.js';
import { descriptorOf, fingerprintOf } from '../../../protocol/definition/index.js';
import { InternalError } from '../../../protocol/errors.js';
import rainBarrel from '../../../units/rain-barrel.js';
import { outcomeOf } from './known-units.js';
import { post, startApi } from './running-api.js';

const lamp = '/api/v1/units/kitchen-lamp';
const setColor = { command: 'setColor', fields: { color: '#ff8800' } };

describe('units', () => {
  it('are listed with state and last reports', async () => {
    const { call, units } = await startApi();
    const { status, body } = await call('/api/v1/units');
    expect(status).toBe(200);
    expect(body).toEqual({ units: units.list() });
    expect(unitsSchema.parse(body)).toEqual(body);
  });

  it('are shown one by one, whatever their UID', async () => {
    const { call, units } = await startApi();
    expect((await call(lamp)).body).toEqual(units.get('kitchen-lamp'));
    expect((await call(`/api/v1/units/${encodeURIComponent('old lamp/ö')}`)).body).toEqual(units.get('old lamp/ö'));
  });

  it.each(['', '/definition'])('that are not there are 404%s, and those that are, are named', async (path) => {
    const { call } = await startApi();
    const { status, body, headers } = await call(`/api/v1/units/kitchen${path}`);
    expect(status).toBe(404);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(body).toEqual({
      type: 'urn:baseunit:problem:not-found',
      title: 'Not Found',
      status: 404,
      detail: expect.stringContaining('no unit "kitchen"; there are: kitchen-lamp, old lamp/ö, barrel, board.'),
    });
  });

  it('without a definition say so', async () => {
    const { call } = await startApi();
    expect(await call('/api/v1/units/board')).toMatchObject({ status: 200, body: { dialect: 'iotsocket' } });
    const { status, body } = await call('/api/v1/units/board/definition');
    expect([status, body.type]).toEqual([404, 'urn:baseunit:problem:not-found']);
    expect(body.detail).toBe('board has no definition: it takes "request" and "query" with a payload.');
  });

  it('have definitions that forms can be made of', async () => {
    const { call } = await startApi();
    const { body } = await call('/api/v1/units/barrel/definition');
    expect(definitionSchema.parse(body)).toEqual(body);
    expect(body).toMatchObject({
      name: 'rain-barrel',
      version: '1.0.0',
      kind: 'read',
      wire: 'session',
      fingerprint: fingerprintOf(rainBarrel),
      descriptor: descriptorOf(rainBarrel),
    });
    const message = (name: string) => body.messages.find((each: { name: string }) => each.name === name);
    expect(body.messages.map(({ number }: { number: number }) => number)).toEqual([1, 2, 3, 10, 11]);
    expect(message('water')).toEqual({
      kind: 'command',
      name: 'water',
      number: 1,
      description: 'Water these beds, one after the other; no beds: all',
      timeoutMs: 10_000,
      fields: [
        { name: 'mode', type: 'oneOf', values: ['drip', 'normal', 'flood'], default: 'normal' },
        { name: 'litres', type: 'f32', unit: 'l', min: 0, max: 200, default: 5, decimals: 1 },
        { name: 'beds', type: 'list', maxItems: 8, default: [], item: { type: 'u8', min: 0, max: 15, default: 0 } },
      ],
      reply: [
        { name: 'startedAt', type: 'u32', unit: 's', min: 0, max: 4_294_967_295, default: 0 },
        { name: 'queue', type: 'u8', min: 0, max: 4, default: 0 },
      ],
    });
    expect(message('configure').fields.map(({ type }: { type: string }) => type)).toEqual([
      'text',
      'rgb',
      'bytes',
      'i16',
      'bool',
    ]);
    expect(message('configure').fields[0]).toEqual({ name: 'label', type: 'text', maxOctets: 32, default: 'barrel' });
    expect(message('level')).toMatchObject({ kind: 'report', everyMs: 5_000 });
  });
});

describe('a command', () => {
  it('goes to the unit, and its outcome comes back', async () => {
    const { call, units } = await startApi();
    const { status, body } = await call(`${lamp}/commands`, post({ id: 'mine', ...setColor, ttlS: 1.5 }));
    expect(status).toBe(200);
    expect(units.requests).toEqual([
      { id: 'mine', unit: 'kitchen-lamp', ...setColor, ttlMs: 1_500, origin: '127.0.0.1', source: 'api' },
    ]);
    expect(body).toEqual({
      id: 'mine',
      unit: 'kitchen-lamp',
      command: 'setColor',
      outcome: 'ok',
      at: 1_767_225_600_123,
    });
  });

  it.each(outcomeKinds)('is 200 though its outcome is %s', async (outcome) => {
    const { call, units } = await startApi();
    units.answer = (request) => outcomeOf(request, { outcome, reason: 'because', reply: { queue: 2, beds: [1, 2] } });
    const { status, body } = await call(`${lamp}/commands`, post({ id: 'a', ...setColor }));
    expect(status).toBe(200);
    expect(body).toMatchObject({ outcome, reason: 'because', reply: { queue: 2, beds: [1, 2] } });
    expect(outcomeSchema.parse(body)).toEqual(body);
  });

  it('without an id gets a random one', async () => {
    const { call, units } = await startApi();
    const { body } = await call(`${lamp}/commands`, post({ command: 'stop' }));
    expect(body.id).toBe('000102030405060708090a0b0c0d0e0f');
    expect(units.requests).toEqual([
      { id: body.id, unit: 'kitchen-lamp', command: 'stop', origin: '127.0.0.1', source: 'api' },
    ]);
  });

  it('may be a line, also for a unit known by its address only', async () => {
    const { call, units } = await startApi();
    await call('/api/v1/units/192.168.1.21/commands', post({ id: 'a', line: 'red' }));
    await call('/api/v1/units/192.168.1.21:8888/commands', post({ id: 'b', command: 'update', line: '#ff0000' }));
    expect(units.requests).toEqual([
      { id: 'a', unit: '192.168.1.21', command: 'update', line: 'red', origin: '127.0.0.1', source: 'api' },
      { id: 'b', unit: '192.168.1.21:8888', command: 'update', line: '#ff0000', origin: '127.0.0.1', source: 'api' },
    ]);
    expect((await call('/api/v1/units/192.168.1.21/commands', post(setColor))).status).toBe(404);
    expect((await call('/api/v1/units/192.168.1.99/commands', post({ line: 'red' }))).status).toBe(404);
    expect(units.requests).toHaveLength(2);
  });

  it('to a unit without a definition is its payload, in the format it says', async () => {
    const { call, units } = await startApi();
    const path = '/api/v1/units/board/commands';
    await call(path, post({ id: 'a', command: 'request', payload: { led: [1, null] } }));
    await call(path, post({ id: 'b', command: 'request', payload: null, ttlS: 2 }));
    await call(path, post({ id: 'c', command: 'request', payload: [0, 255], format: 'binary' }));
    const request = { unit: 'board', command: 'request', origin: '127.0.0.1', source: 'api' };
    expect(units.requests).toEqual([
      { ...request, id: 'a', payload: { led: [1, null] } },
      { ...request, id: 'b', payload: null, ttlMs: 2_000 },
      { ...request, id: 'c', payload: [0, 255], format: 'binary' },
    ]);
  });

  it('of such a unit has the return code and what the unit answered', async () => {
    const { call, units } = await startApi();
    const answer = { outcome: 'refused', code: 1, payload: { format: 'json', value: { why: ['hot'] } } } as const;
    units.answer = (request) => outcomeOf(request, { ...answer, reason: 'because' });
    const { body } = await call('/api/v1/units/board/commands', post({ command: 'request', payload: 'x' }));
    expect(body).toMatchObject(answer);
    expect(outcomeSchema.strict().parse(body)).toEqual(body);
    units.statuses.set(
      'board a',
      outcomeOf({ id: 'a', unit: 'board', command: 'request', origin: '127.0.0.1', source: 'api' }, answer),
    );
    const status = await call('/api/v1/units/board/commands/a');
    expect(commandStatusSchema.parse(status.body)).toEqual(status.body);
  });

  it('for a unit that is not there is 404', async () => {
    const { call, units } = await startApi();
    const { status, body } = await call('/api/v1/units/nobody/commands', post(setColor));
    expect(status).toBe(404);
    expect(body.detail).toContain('no unit "nobody"');
    expect(units.requests).toEqual([]);
  });

  it.each([
    ['no command', {}, 'command: is missing'],
    ['a name that is no string', { command: 1 }, 'command: '],
    ['an unknown key', { ...setColor, feilds: {} }, 'feilds'],
    ['fields and a line', { ...setColor, line: 'x' }, 'line: goes instead of fields'],
    ['fields that are a list', { command: 'x', fields: [1] }, 'fields: '],
    ['an empty id', { ...setColor, id: '' }, 'id: '],
    ['an id with control characters', { ...setColor, id: 'a\nb' }, 'id: must be printable'],
    ['a line with a line end', { line: 'red\r' }, 'line: must be printable'],
    ['no time to live', { ...setColor, ttlS: 0 }, 'ttlS: '],
    ['a payload and fields', { ...setColor, payload: 1 }, 'payload: goes instead of fields and line'],
    ['a payload and a line', { line: 'x', payload: 1 }, 'payload: goes instead of fields and line'],
    ['a payload without a command', { payload: 1 }, 'command: is missing'],
    ['a format that nobody knows', { command: 'request', payload: 1, format: 'xml' }, 'format: '],
    ['a format without payload', { command: 'request', format: 'json' }, 'format: has no meaning without payload'],
    ['a list', [], 'the body: '],
    ['a string', '"x"', 'the body: '],
    ['null', 'null', 'the body: '],
  ])('with %s is 400', async (_, body, detail) => {
    const { call, units } = await startApi();
    const answer = await call(`${lamp}/commands`, post(body));
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({ type: 'urn:baseunit:problem:bad-request', title: 'Bad Request', status: 400 });
    expect(answer.body.detail).toContain(detail);
    expect(units.requests).toEqual([]);
  });

  it.each([
    ['id', 64, (count: number) => ({ ...setColor, id: 'x'.repeat(count) })],
    ['command', 64, (count: number) => ({ command: 'x'.repeat(count) })],
    ['line', 64, (count: number) => ({ line: 'x'.repeat(count) })],
    ['ttlS', 86_400, (count: number) => ({ ...setColor, ttlS: count })],
    [
      'fields',
      64,
      (count: number) => ({
        command: 'x',
        fields: Object.fromEntries(Array.from({ length: count }, (__, index) => [`f${index}`, 1])),
      }),
    ],
  ])('has at most so much of %s: %i', async (name, bound, body) => {
    const { call } = await startApi();
    expect((await call(`${lamp}/commands`, post(body(bound)))).status).toBe(200);
    const past = await call(`${lamp}/commands`, post(body(bound + 1)));
    expect(past.status).toBe(400);
    expect(past.body.detail).toContain(`${name}: `);
  });
});

describe('a command whose base stops', () => {
  const stops = () => Promise.reject(new InternalError('stopped', 'the base is stopping; the command is kept'));

  it('is 503, and says that it is kept, under which id, and where to ask', async () => {
    const { call, units } = await startApi();
    units.answer = stops;
    const { status, headers, body } = await call(`${lamp}/commands`, post({ command: 'stop', ttlS: 60 }));
    expect(status).toBe(503);
    expect(headers.get('connection')).toBe('close');
    const id = '000102030405060708090a0b0c0d0e0f';
    expect(body).toMatchObject({ type: 'urn:baseunit:problem:stopping', status: 503 });
    expect(body.detail).toContain(`"${id}"`);
    expect(body.detail).toContain(`GET /api/v1/units/kitchen-lamp/commands/${id} `);
  });

  it('names the unit by its UID, whatever it was asked by, and every id as a path has it', async () => {
    const { call, units } = await startApi();
    units.answer = stops;
    const { body } = await call('/api/v1/units/192.168.1.21/commands', post({ id: 'a/b c', line: 'red', ttlS: 60 }));
    expect(body.detail).toContain(
      `GET /api/v1/units/${encodeURIComponent('old lamp/ö')}/commands/${encodeURIComponent('a/b c')} `,
    );
  });
});

describe('how a command stands', () => {
  const path = (id: string, unit = 'kitchen-lamp') => `/api/v1/units/${unit}/commands/${encodeURIComponent(id)}`;

  it('is waiting, or ended with its outcome', async () => {
    const { call, units } = await startApi();
    const request = { id: 'a/b', unit: 'kitchen-lamp', command: 'stop', source: 'pusher' };
    units.statuses.set('kitchen-lamp a/b', 'waiting');
    const waiting = await call(path('a/b'));
    expect(waiting).toMatchObject({ status: 200, body: { status: 'waiting', id: 'a/b', unit: 'kitchen-lamp' } });
    units.statuses.set('kitchen-lamp a/b', outcomeOf(request, { outcome: 'expired', reason: 'because' }));
    const { status, body } = await call(path('a/b'));
    expect(status).toBe(200);
    expect(body).toEqual({
      status: 'ended',
      id: 'a/b',
      unit: 'kitchen-lamp',
      outcome: {
        id: 'a/b',
        unit: 'kitchen-lamp',
        command: 'stop',
        outcome: 'expired',
        reason: 'because',
        at: 1_767_225_600_123,
      },
    });
    for (const each of [waiting.body, body]) expect(commandStatusSchema.parse(each)).toEqual(each);
    expect(outcomeSchema.strict().parse(body.outcome)).toEqual(body.outcome);
  });

  it('is 404 when it is not remembered, or the unit is not there', async () => {
    const { call } = await startApi();
    expect(await call(path('a'))).toMatchObject({
      status: 404,
      body: {
        type: 'urn:baseunit:problem:not-found',
        detail: expect.stringMatching(/"a" is remembered for kitchen-lamp.* 10 minutes.* 256 /),
      },
    });
    expect(await call(path('a', 'nobody'))).toMatchObject({
      status: 404,
      body: { detail: expect.stringContaining('no unit "nobody"') },
    });
  });

  it('can be asked for every id that a command may have', async () => {
    const { call, units } = await startApi();
    const id = '%'.repeat(64);
    units.statuses.set('kitchen-lamp '.concat(id), 'waiting');
    expect((await call(path(id))).body).toEqual({ status: 'waiting', id, unit: 'kitchen-lamp' });
  });
});

describe('a body', () => {
  const nested = (depth: number) => `{"command":"x","fields":{"a":${'['.repeat(depth - 2)}${']'.repeat(depth - 2)}}}`;

  it.each([
    ['that is broken', '{"command":', 'not JSON'],
    ['that is empty', '', 'empty'],
    ['nested 32 000 deep', '['.repeat(32_000) + ']'.repeat(32_000), `deeper than ${MAX_BODY_DEPTH}`],
    ['nested 32 000 deep and unfinished', '{"a":'.repeat(12_000), `deeper than ${MAX_BODY_DEPTH}`],
    ['with __proto__', '{"command":"x","__proto__":{"a":1}}', '__proto__'],
    ['with __proto__ far in', '{"command":"x","fields":{"a":[{"\\u005f_proto__":1}]}}', '__proto__'],
    ['that is not UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 'UTF-8'],
  ])('%s is 400, and the next is served', async (_, body, detail) => {
    const { call, units } = await startApi();
    const answer = await call(`${lamp}/commands`, post(body));
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toContain(detail);
    expect(units.requests).toEqual([]);
    expect(({} as { a?: number }).a).toBeUndefined();
    expect((await call(`${lamp}/commands`, post(setColor))).status).toBe(200);
  });

  it(`may be nested ${MAX_BODY_DEPTH} deep`, async () => {
    const { call } = await startApi();
    expect((await call(`${lamp}/commands`, post(nested(MAX_BODY_DEPTH)))).status).toBe(200);
    expect((await call(`${lamp}/commands`, post(nested(MAX_BODY_DEPTH + 1)))).body.detail).toContain('nested deeper');
    const brackets = { command: 'x', fields: { text: '[{'.repeat(100) } };
    expect((await call(`${lamp}/commands`, post(brackets))).status).toBe(200);
  });

  it('has at most 64 KiB', async () => {
    const { call } = await startApi();
    const padded = (octets: number) => JSON.stringify({ command: 'x', fields: {} }).padEnd(octets);
    expect((await call(`${lamp}/commands`, post(padded(64 * 1024)))).status).toBe(200);
    const { status, body } = await call(`${lamp}/commands`, post(padded(64 * 1024 + 1)));
    expect(status).toBe(413);
    expect(body).toMatchObject({
      type: 'urn:baseunit:problem:too-large',
      detail: expect.stringContaining('65536 octets'),
    });
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    'is JSON, not %s',
    async (type) => {
      const { call, units } = await startApi();
      const { status, body } = await call(`${lamp}/commands`, post(setColor, { 'content-type': type }));
      expect(status).toBe(415);
      expect(body.type).toBe('urn:baseunit:problem:not-json');
      expect(units.requests).toEqual([]);
    },
  );
});

it('an error of our own is told without what it was, and logged', async () => {
  const { call, units, log } = await startApi();
  units.answer = () => {
    throw new Error('inner secret');
  };
  const { status, body } = await call(`${lamp}/commands`, post(setColor));
  expect(status).toBe(500);
  expect(body).toMatchObject({
    type: 'urn:baseunit:problem:internal',
    detail: expect.stringContaining('its log has it'),
  });
  expect(JSON.stringify(body)).not.toContain('inner secret');
  expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  expect((await call('/api/v1/units')).status).toBe(200);
});
