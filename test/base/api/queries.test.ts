import { describe, expect, it } from 'vitest';
import { queryOutcomeSchema } from '../../../base/api/api-schemas.js';
import { InternalError } from '../../../protocol/errors.js';
import { outcomeOf } from './known-units.js';
import { post, startApi } from './running-api.js';

const path = (unit: string) => `/api/v1/units/${encodeURIComponent(unit)}/queries`;

describe('a query to a unit without a definition', () => {
  it('goes to it, and its answer comes back', async () => {
    const { call, units } = await startApi();
    const payload = { format: 'json', value: { level: 7 } } as const;
    units.answer = (request) => outcomeOf(request, { code: 0, payload });
    const { status, body } = await call(path('board'), post({ id: 'q', payload: 'level?', format: 'utf8', ttlS: 1.5 }));
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: 'q', unit: 'board', command: 'query', outcome: 'ok', code: 0, payload });
    expect(queryOutcomeSchema.strict().parse(body)).toEqual(body);
    expect(units.requests).toEqual([
      {
        id: 'q',
        unit: 'board',
        command: 'query',
        payload: 'level?',
        format: 'utf8',
        ttlMs: 1_500,
        origin: '127.0.0.1',
        source: 'api',
      },
    ]);
  });

  it('may be any JSON value, and gets an id', async () => {
    const { call, units } = await startApi();
    for (const payload of [null, false, 0, '', [], {}]) await call(path('board'), post({ payload }));
    expect(units.requests.map(({ payload }) => payload)).toEqual([null, false, 0, '', [], {}]);
    expect(units.requests[0]).toMatchObject({ id: '000102030405060708090a0b0c0d0e0f', command: 'query' });
    expect(units.requests[0]).not.toHaveProperty('ttlMs');
  });

  it('whose base stops is 503, as a command is', async () => {
    const { call, units } = await startApi();
    units.answer = () => Promise.reject(new InternalError('stopped', 'the base is stopping; the command is kept'));
    const { status, body } = await call(path('board'), post({ id: 'q', payload: 1, ttlS: 60 }));
    expect(status).toBe(503);
    expect(body).toMatchObject({ type: 'urn:baseunit:problem:stopping' });
    expect(body.detail).toContain('GET /api/v1/units/board/commands/q ');
  });
});

describe('a query to a unit with a definition', () => {
  it('has its last values, and leaves it alone', async () => {
    const { call, units, clock } = await startApi();
    const { status, body } = await call(path('kitchen-lamp'), post({ id: 'q' }));
    expect(status).toBe(200);
    expect(body).toEqual({
      id: 'q',
      unit: 'kitchen-lamp',
      command: 'query',
      outcome: 'ok',
      report: 'state',
      reply: { color: '#ff8800', brightness: 80 },
      measuredAt: 1_767_225_600_000,
      at: clock.now(),
    });
    expect(queryOutcomeSchema.strict().parse(body)).toEqual(body);
    expect(units.requests).toEqual([]);
  });

  it('names a report where there are several', async () => {
    const { call } = await startApi();
    const answer = await call(path('barrel'), post({ report: 'level' }));
    expect(answer.body).toMatchObject({ outcome: 'ok', reply: { litres: 12.5 }, measuredAt: 1 });
    const other = await call(path('barrel'), post({ report: 'valve' }));
    expect(other.body).toMatchObject({ outcome: 'refused', report: 'valve' });
    expect(other.body).not.toHaveProperty('reply');
    const without = await call(path('barrel'), post({}));
    expect(without.status).toBe(400);
    expect(without.body.detail).toContain('report: is missing; rain-barrel has several: level');
    const wrong = await call(path('barrel'), post({ report: 'constructor' }));
    expect(wrong.status).toBe(400);
    expect(wrong.body.detail).toContain('rain-barrel has no report "constructor"; it has: level');
  });

  it('that has not reported yet is refused', async () => {
    const { call, units } = await startApi();
    const lamp = units.get('kitchen-lamp')!;
    units.get = () => ({ ...lamp, last: {} });
    const { status, body } = await call(path('kitchen-lamp'), post({}));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      outcome: 'refused',
      report: 'state',
      reason: expect.stringContaining('no such report'),
    });
    expect(queryOutcomeSchema.strict().parse(body)).toEqual(body);
  });

  it('has no payload', async () => {
    const { call, units } = await startApi();
    const refusal = await call(path('kitchen-lamp'), post({ payload: null }));
    expect(refusal.status).toBe(400);
    expect(refusal.body.detail).toContain('payload: kitchen-lamp has a definition');
    expect((await call(path('kitchen-lamp'), post({ ttlS: 1 }))).body.detail).toContain('ttlS: ');
    expect(units.requests).toEqual([]);
  });
});

describe('a query', () => {
  it('for a unit that is not there is 404', async () => {
    const { call } = await startApi();
    const { status, body } = await call(path('nobody'), post({ payload: 1 }));
    expect(status).toBe(404);
    expect(body).toMatchObject({ type: 'urn:baseunit:problem:not-found' });
    expect(body.detail).toContain('no unit "nobody"');
  });

  it.each([
    ['a report for a unit without a definition', { report: 'telemetry' }, 'report: board has no definition'],
    ['a report and a payload', { report: 'x', payload: 1 }, 'report: is for units with a definition'],
    ['a format without a payload', { format: 'json' }, 'format: has no meaning without payload'],
    ['a format that nobody knows', { payload: 1, format: 'xml' }, 'format: '],
    ['a command', { command: 'stop' }, 'command'],
    ['fields', { payload: 1, fields: {} }, 'fields'],
    ['an empty id', { id: '', payload: 1 }, 'id: '],
    ['no time to live', { ttlS: 0, payload: 1 }, 'ttlS: '],
    ['a list', [], 'the body: '],
  ])('with %s is 400', async (_, body, detail) => {
    const { call, units } = await startApi();
    const answer = await call(path('board'), post(body));
    expect(answer.status).toBe(400);
    expect(answer.body.type).toBe('urn:baseunit:problem:bad-request');
    expect(answer.body.detail).toContain(detail);
    expect(units.requests).toEqual([]);
  });

  it.each([
    ['id', 64, (count: number) => ({ id: 'x'.repeat(count), payload: 1 })],
    ['ttlS', 86_400, (count: number) => ({ ttlS: count, payload: 1 })],
  ])('has at most so much of %s: %i', async (name, bound, body) => {
    const { call } = await startApi();
    expect((await call(path('board'), post(body(bound)))).status).toBe(200);
    const past = await call(path('board'), post(body(bound + 1)));
    expect(past.status).toBe(400);
    expect(past.body.detail).toContain(`${name}: `);
  });
});
