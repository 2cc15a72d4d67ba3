import { describe, expect, it } from 'vitest';
import { historySchema } from '../../../base/api/api-schemas.js';
import type { History, HistoryQuery } from '../../../base/core/store.js';
import { type RunningApi, startApi } from './running-api.js';

const level = '/api/v1/units/barrel/history?report=level';
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const empty: History = { at: [], fields: {}, isCut: false };
const some: History = { at: [1, 2], fields: { litres: { values: [12.5, null] } }, isCut: false };
const means: History = {
  at: [0],
  fields: { litres: { count: [2], min: [1], mean: [1.5], max: [2] } },
  isCut: false,
};

/** The resolutions that the store was asked for, in order. */
const asked = ({ units }: RunningApi): string[] => units.asked.map(({ resolution }) => resolution);
/** A store in which each resolution has what it is given here. */
const having =
  (all: Partial<Record<HistoryQuery['resolution'], History>>) =>
  ({ resolution }: HistoryQuery): History =>
    all[resolution] ?? empty;

describe('the history of a report', () => {
  it('comes in columns, with what was asked', async () => {
    const running = await startApi();
    running.units.course = () => some;
    const { status, body } = await running.call(`${level}&from=1000&to=2000&resolution=raw&limit=5`);
    expect(status).toBe(200);
    expect(body).toEqual({ unit: 'barrel', report: 'level', resolution: 'raw', from: 1_000, to: 2_000, ...some });
    expect(historySchema.strict().parse(body)).toEqual(body);
    expect(running.units.asked).toEqual([
      { unit: 'barrel', report: 'level', resolution: 'raw', from: 1_000, to: 2_000, limit: 5 },
    ]);
    running.units.course = () => means;
    const hours = await running.call(`${level}&resolution=hour`);
    expect(hours.body).toMatchObject({ resolution: 'hour', ...means });
    expect(historySchema.strict().parse(hours.body)).toEqual(hours.body);
  });

  it('is of the last 24 hours, now included, and of 1 000 moments, where nothing else is said', async () => {
    const running = await startApi();
    const now = running.clock.now();
    await running.call(`${level}&resolution=minute`);
    await running.call(`${level}&resolution=minute&to=${2 * DAY}`);
    await running.call(`${level}&resolution=minute&to=5`);
    expect(running.units.asked).toMatchObject([
      { from: now + 1 - DAY, to: now + 1, limit: 1_000 },
      { from: DAY, to: 2 * DAY },
      { from: 0, to: 5 },
    ]);
  });

  it('is of the telemetry of a unit without a definition', async () => {
    const running = await startApi();
    running.units.course = having({ minute: means });
    const path = '/api/v1/units/board/history';
    const { body } = await running.call(path);
    expect(body).toMatchObject({ unit: 'board', report: 'telemetry' });
    expect(asked(running)).toEqual(['raw', 'hour']);
    const { to } = body;
    const recent = await running.call(`${path}?from=${to - HOUR}`);
    expect(recent.body).toMatchObject({ resolution: 'minute', ...means });
    expect((await running.call(`${path}?report=telemetry&resolution=raw`)).body).toMatchObject({ resolution: 'raw' });
    const other = await running.call(`${path}?report=level`);
    expect(other).toMatchObject({
      status: 400,
      body: { detail: 'report: board has no report "level"; it has: telemetry' },
    });
  });

  it('is of the only report there is; where there are several, one must be named', async () => {
    const running = await startApi();
    const { body } = await running.call('/api/v1/units/kitchen-lamp/history');
    expect(body).toMatchObject({ unit: 'kitchen-lamp', report: 'state' });
    const several = await running.call('/api/v1/units/barrel/history');
    expect(several).toMatchObject({
      status: 400,
      body: { detail: 'report: is missing; rain-barrel has several: level, valve' },
    });
    for (const name of ['levels', '__proto__', 'water']) {
      const { status, body: problem } = await running.call(`/api/v1/units/barrel/history?report=${name}`);
      expect(status).toBe(400);
      expect(problem.detail).toBe(`report: rain-barrel has no report "${name}"; it has: level, valve`);
    }
    const none = await running.call(`/api/v1/units/${encodeURIComponent('old lamp/ö')}/history`);
    expect(none).toMatchObject({ status: 400, body: { detail: expect.stringMatching(/has no reports$/) } });
  });

  it('of a unit that is not there is 404', async () => {
    const { call } = await startApi();
    expect(await call('/api/v1/units/nobody/history')).toMatchObject({
      status: 404,
      body: { detail: expect.stringContaining('no unit "nobody"') },
    });
  });

  it.each([
    ['from=2000&to=2000', 'from: 2000 is not before to, 2000'],
    ['from=3000&to=2000', 'from: 3000 is not before to'],
    ['to=0', 'from: 0 is not before to, 0'],
    [`from=${Date.UTC(2030, 0)}`, 'is not before to'],
    ['from=-1', 'from: must be a whole number from 0'],
    ['from=1.5', 'from: must be a whole number'],
    ['to=now', 'to: must be a whole number'],
    ['to=8640000000000001', 'to: must be a whole number from 0 to 8640000000000000'],
    ['from=1&from=2', 'from: must be a whole number'],
    ['limit=0', 'limit: must be a whole number from 1 to 10000'],
    ['limit=10001', 'limit: must be a whole number from 1 to 10000'],
    ['limit=', 'limit: must be a whole number'],
    ['resolution=day', 'resolution: '],
    ['resoluton=hour', 'resoluton'],
  ])('with %s is 400', async (query, detail) => {
    const running = await startApi();
    const { status, body } = await running.call(`${level}&${query}`);
    expect(status).toBe(400);
    expect(body.detail).toContain(detail);
    expect(running.units.asked).toEqual([]);
  });

  it('has 1 to 10 000 moments, and times up to the last that there is', async () => {
    const { call } = await startApi();
    for (const query of ['limit=1', 'limit=10000', 'to=8640000000000000'])
      expect((await call(`${level}&${query}`)).status).toBe(200);
  });
});

describe('the resolution, left to the base', () => {
  // The level comes every 5 s.
  it.each([
    ['raw', 100 * 5_000, ['raw']],
    ['minute', 100 * 5_000 + 1, ['minute']],
    ['minute', 100 * MINUTE, ['minute']],
    ['hour', 100 * MINUTE + 1, ['hour']],
    ['hour', 1_000 * HOUR, ['hour']],
  ])('is %s for 100 moments over %i ms', async (resolution, span, tried) => {
    const running = await startApi();
    running.units.course = () => some;
    const { body } = await running.call(`${level}&from=1&to=${1 + span}&limit=100`);
    expect(body.resolution).toBe(resolution);
    expect(asked(running)).toEqual(tried);
    expect((await running.call(`${level}&from=1&to=${1 + span}&limit=100&resolution=auto`)).body).toEqual(body);
  });

  it('is as reported, where that fits, for what comes at no fixed rate', async () => {
    const running = await startApi();
    running.units.course = having({ raw: some });
    const valve = `/api/v1/units/barrel/history?report=valve&from=1&to=${30 * DAY}`;
    expect((await running.call(valve)).body.resolution).toBe('raw');
    running.units.course = having({ raw: { ...some, isCut: true }, hour: means });
    expect((await running.call(valve)).body).toMatchObject({ resolution: 'hour', isCut: false });
    expect(asked(running)).toEqual(['raw', 'raw', 'hour']);
  });

  it('is the next coarser where more came than fits, or where the finer is kept no more', async () => {
    const running = await startApi();
    const short = `${level}&from=1&to=${MINUTE}`;
    running.units.course = having({ raw: { ...some, isCut: true }, minute: { ...some, isCut: true }, hour: means });
    expect((await running.call(short)).body.resolution).toBe('hour');
    running.units.course = having({ minute: means });
    expect((await running.call(short)).body.resolution).toBe('minute');
    running.units.course = having({ hour: { ...means, isCut: true } });
    expect((await running.call(short)).body).toMatchObject({ resolution: 'hour', isCut: true });
    running.units.course = having({ raw: { ...some, isCut: true } });
    expect((await running.call(short)).body).toMatchObject({ resolution: 'raw', isCut: true });
    running.units.course = having({});
    expect((await running.call(short)).body).toMatchObject({ resolution: 'raw', at: [] });
  });
});
