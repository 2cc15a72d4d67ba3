import { describe, expect, it } from 'vitest';
import { StoreError } from '../../../protocol/errors.js';
import { post, startApi } from './running-api.js';

describe('a backup', () => {
  it('is made, and its path told', async () => {
    const { call } = await startApi();
    const { status, body } = await call('/api/v1/backups', { method: 'POST' });
    expect([status, body]).toEqual([200, { path: '/var/lib/baseunit/backups/baseunit-2026-01-01.db' }]);
  });
});

describe('a unit', () => {
  it('is forgotten, configured or not, as often as that is asked', async () => {
    const { call, units } = await startApi();
    for (const unit of ['kitchen-lamp', 'gone', 'gone', encodeURIComponent('a/ö')]) {
      const { status, body } = await call(`/api/v1/units/${unit}`, { method: 'DELETE' });
      expect([status, body]).toEqual([204, undefined]);
    }
    expect(units.forgotten).toEqual(['kitchen-lamp', 'gone', 'gone', 'a/ö']);
  });

  it('that no unit can be is not: a UID has 1 to 128 characters', async () => {
    const { call, units } = await startApi();
    const forget = (uid: string) => call(`/api/v1/units/${encodeURIComponent(uid)}`, { method: 'DELETE' });
    for (const character of ['x', '%', '語']) expect((await forget(character.repeat(128))).status).toBe(204);
    for (const character of ['x', '%', '語']) {
      const uid = character.repeat(129);
      const { status, body } = await forget(uid);
      expect(status).toBe(400);
      expect(body.detail).toContain('1 to 128 characters');
    }
    expect(units.forgotten).toHaveLength(3);
  });

  it('of the original’s file may have a longer name: its address', async () => {
    const { call, units } = await startApi();
    const address = 'a-lamp-with-a-long.name.example';
    units.get = (unit) => (unit === address ? { ...units.list()[0]!, unit: address } : undefined);
    expect((await call(`/api/v1/units/${address}`, { method: 'DELETE' })).status).toBe(204);
  });
});

it('a store that fails is told as what it is, by every route', async () => {
  const fault = new StoreError('store-failed', 'the disk is full; make room on it');
  const backup = () => Promise.reject(fault);
  const { call, units, outbox, log } = await startApi({ backup });
  units.fault = fault;
  units.answer = () => Promise.reject(fault);
  outbox.first.fault = fault;
  const answers = [
    await call('/api/v1/units/kitchen-lamp/history'),
    await call('/api/v1/units/kitchen-lamp', { method: 'DELETE' }),
    await call('/api/v1/units/kitchen-lamp/commands', post({ command: 'stop' })),
    await call('/api/v1/outbox/webhook-1/dead'),
    await call('/api/v1/outbox/webhook-1/replay', post({ all: true })),
    await call('/api/v1/backups', { method: 'POST' }),
  ];
  for (const { status, headers, body } of answers) {
    expect(status).toBe(503);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(body).toEqual({
      type: 'urn:baseunit:problem:store-failed',
      title: 'Service Unavailable',
      status: 503,
      detail: 'the disk is full; make room on it',
    });
  }
  expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
});
