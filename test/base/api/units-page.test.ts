import { describe, expect, it } from 'vitest';
import { unitsSchema } from '../../../base/api/api-schemas.js';
import type { UnitView } from '../../../base/core/unit-view.js';
import { startApi } from './running-api.js';

/** An API for so many units, of which it counts the views that are made. */
async function startWithUnits(uids: readonly string[]) {
  const running = await startApi();
  const { units } = running;
  const board = units.get('board')!;
  const made: string[] = [];
  units.uids = () => uids;
  units.get = (unit): UnitView => {
    made.push(unit);
    return { ...board, unit };
  };
  units.list = () => uids.map((unit) => units.get(unit)!);
  const page = async (query: string) => {
    const { status, body } = await running.call(`/api/v1/units?${query}`);
    return { status, body, uids: body.units?.map(({ unit }: UnitView) => unit), next: body.next };
  };
  return { ...running, page, made };
}

describe('units by pages', () => {
  it('come in the order of their UIDs, each once, until there are no more', async () => {
    const { page } = await startWithUnits(['c', 'a', 'e', 'b', 'd']);
    const first = await page('limit=2');
    expect(first).toMatchObject({ status: 200, uids: ['a', 'b'], next: 'b' });
    expect(unitsSchema.parse(first.body)).toEqual(first.body);
    expect(await page('limit=2&after=b')).toMatchObject({ uids: ['c', 'd'], next: 'd' });
    expect(await page('limit=2&after=d')).toMatchObject({ uids: ['e'], next: undefined });
    expect(await page('limit=5')).toMatchObject({ uids: ['a', 'b', 'c', 'd', 'e'], next: undefined });
    expect(await page('after=e')).toMatchObject({ uids: [], next: undefined });
  });

  it('go on behind a unit that is gone', async () => {
    const { page } = await startWithUnits(['a', 'c']);
    expect(await page('limit=1&after=b')).toMatchObject({ uids: ['c'], next: undefined });
  });

  it('are 100 where only the place is said, and all where nothing is', async () => {
    const { page } = await startWithUnits(Array.from({ length: 300 }, (_, index) => `u${1_000 + index}`));
    expect((await page('after=u1000')).uids).toHaveLength(100);
    expect((await page('')).uids).toHaveLength(300);
    expect((await page('')).next).toBeUndefined();
  });

  it('of ten thousand have the views made that are given, and no others', async () => {
    const { page, made } = await startWithUnits(Array.from({ length: 10_000 }, (_, index) => `u${10_000 + index}`));
    expect((await page('limit=7&after=u15000')).next).toBe('u15007');
    expect(made).toEqual(Array.from({ length: 7 }, (_, index) => `u${15_001 + index}`));
  });

  it.each([
    ['limit=1', 200],
    ['limit=1000', 200],
    ['limit=0', 400],
    ['limit=1001', 400],
    ['limit=-1', 400],
    ['limit=x', 400],
    ['limit=1&limit=2', 400],
    ['limt=1', 400],
  ])('%s: %i', async (query, status) => {
    const { page } = await startWithUnits(['a']);
    const answer = await page(query);
    expect(answer.status).toBe(status);
    if (status === 400) expect(answer.body.type).toBe('urn:baseunit:problem:bad-request');
  });
});
