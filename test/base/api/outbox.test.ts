import { describe, expect, it } from 'vitest';
import { deadSchema, outboxesSchema } from '../../../base/api/api-schemas.js';
import { post, startApi } from './running-api.js';

const first = '/api/v1/outbox/webhook-1';

describe('receivers', () => {
  it('are listed, with how it stands with each', async () => {
    const { call, outbox } = await startApi();
    outbox.second.isDisabled = true;
    const { status, body } = await call('/api/v1/outbox');
    expect(status).toBe(200);
    expect(body).toEqual({ endpoints: [outbox.first.status, outbox.second.status] });
    expect(body.endpoints[1]).toMatchObject({ endpoint: 'dashboard', state: 'disabled', reason: 'answered 410' });
    expect(outboxesSchema.parse(body)).toEqual(body);
  });

  it('are enabled again', async () => {
    const { call, outbox } = await startApi();
    outbox.second.isDisabled = true;
    const { status, body } = await call('/api/v1/outbox/dashboard/enable', { method: 'POST' });
    expect(status).toBe(200);
    expect(body).toEqual(outbox.second.status);
    expect(body.state).toBe('working');
  });

  it.each([
    ['GET', '/dead'],
    ['POST', '/replay'],
    ['POST', '/enable'],
  ])('that are not there are 404: %s %s', async (method, path) => {
    const { call } = await startApi();
    const { status, body } = await call(`/api/v1/outbox/webhook-2${path}`, { method });
    expect(status).toBe(404);
    expect(body.detail).toBe('There is no receiver "webhook-2"; there are: webhook-1, dashboard.');
  });
});

describe('dead letters', () => {
  it('are listed page by page', async () => {
    const { call, outbox } = await startApi();
    outbox.first.kill(5);
    const pages = [await call(`${first}/dead?limit=2`), await call(`${first}/dead?limit=2&behind=20`)];
    expect(pages[0]!.body).toEqual({ dead: outbox.first.dead.slice(0, 2), next: 20 });
    expect(pages[1]!.body).toEqual({ dead: outbox.first.dead.slice(2, 4), next: 40 });
    const last = await call(`${first}/dead?limit=2&behind=40`);
    expect(last.body).toEqual({ dead: outbox.first.dead.slice(4) });
    expect(deadSchema.parse(last.body)).toEqual(last.body);
    expect((await call('/api/v1/outbox/dashboard/dead')).body).toEqual({ dead: [] });
  });

  it('come 100 at once, or as many as are asked for, at most 1 000', async () => {
    const { call, outbox } = await startApi();
    outbox.first.kill(1_001);
    expect((await call(`${first}/dead`)).body.dead).toHaveLength(100);
    expect((await call(`${first}/dead?limit=1000`)).body.dead).toHaveLength(1_000);
    for (const query of ['limit=1001', 'limit=0', 'behind=-1', 'behind=x', 'page=2']) {
      const { status, body } = await call(`${first}/dead?${query}`);
      expect(status).toBe(400);
      expect(body.detail).toContain(query.split('=')[0]);
    }
  });

  it('are sent again: some of them, or all', async () => {
    const { call, outbox } = await startApi();
    outbox.first.kill(2_500);
    const some = await call(`${first}/replay`, post({ positions: [20, 30, 7] }));
    expect(some).toMatchObject({ status: 200, body: { replayed: 2 } });
    expect(outbox.first.replayed).toEqual([20, 30]);
    const all = await call(`${first}/replay`, post({ all: true }));
    expect(all).toMatchObject({ status: 200, body: { replayed: 2_498 } });
    expect(outbox.first.dead).toEqual([]);
    expect((await call(`${first}/replay`, post({ all: true }))).body).toEqual({ replayed: 0 });
  });

  it('are sent again 10 000 at once and no more', async () => {
    const { call, outbox } = await startApi();
    outbox.first.kill(10_001);
    expect((await call(`${first}/replay`, post({ all: true }))).body).toEqual({ replayed: 10_000 });
    expect(outbox.first.dead).toHaveLength(1);
  });

  it('that die again while all are replayed are not replayed for ever', async () => {
    const { call, outbox } = await startApi();
    outbox.first.kill(1_000);
    outbox.first.replay = async (positions) => {
      outbox.first.dead = outbox.first.dead.map((letter) => ({ ...letter, position: letter.position + 100_000 }));
      return positions.length;
    };
    expect((await call(`${first}/replay`, post({ all: true }))).body).toEqual({ replayed: 10_000 });
    expect(outbox.first.pages).toHaveLength(10);
  });

  it.each([
    ['nothing', {}, 'the body: must have either positions or all'],
    ['both', { positions: [1], all: true }, 'either positions or all'],
    ['no position', { positions: [] }, 'positions: names none'],
    ['a position of 0', { positions: [0] }, 'positions.0: must be above 0'],
    ['half a position', { positions: [1.5] }, 'positions.0: must be a whole number'],
    ['all false', { all: false }, 'all: '],
    ['an unknown key', { position: [1] }, 'position'],
    ['a list', [1], 'the body: '],
  ])('are not sent again with %s', async (_, body, detail) => {
    const { call, outbox } = await startApi();
    const answer = await call(`${first}/replay`, post(body));
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toContain(detail);
    expect(outbox.first.replayed).toEqual([]);
  });

  it('are named 1 to 1 000 at once', async () => {
    const { call } = await startApi();
    const named = (count: number) => post({ positions: Array.from({ length: count }, (_, index) => index + 1) });
    expect((await call(`${first}/replay`, named(1_000))).status).toBe(200);
    const past = await call(`${first}/replay`, named(1_001));
    expect(past).toMatchObject({ status: 400, body: { detail: 'positions: names more than 1000' } });
  });
});
