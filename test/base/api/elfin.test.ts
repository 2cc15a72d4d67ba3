import { describe, expect, it } from 'vitest';
import {
  elfinDevicesSchema,
  elfinTunnelsSchema,
  elfinUserSchema,
  elfinUsersSchema,
} from '../../../base/api/elfin-schemas.js';
import { StoreError } from '../../../protocol/errors.js';
import { KnownElfin } from './known-elfin.js';
import { post, startApi } from './running-api.js';

const start = async () => {
  const elfin = new KnownElfin();
  const { call } = await startApi({ elfin });
  return { elfin, call };
};
const put = (body: unknown): RequestInit => ({ ...post(body), method: 'PUT' });

describe('users of the Elfin gateway', () => {
  it('are listed, without their secrets', async () => {
    const { elfin, call } = await start();
    const { status, body } = await call('/api/v1/elfin/users');
    expect(status).toBe(200);
    expect(body).toEqual({ users: elfin.users() });
    expect(elfinUsersSchema.strict().parse(body)).toEqual(body);
  });

  it('are added, and changed: what is left out is left to the gateway', async () => {
    const { elfin, call } = await start();
    const added = await call('/api/v1/elfin/users/barn', put({ name: 'The barn', secret: 'long enough' }));
    expect(added).toMatchObject({ status: 200, body: { uuid: 'barn', name: 'The barn', hasSecret: true, devices: 0 } });
    expect(elfinUserSchema.strict().parse(added.body)).toEqual(added.body);
    const changed = await call('/api/v1/elfin/users/barn', put({ secret: null }));
    expect(changed.body).toEqual({ uuid: 'barn', name: 'The barn', hasSecret: false, devices: 0 });
    await call('/api/v1/elfin/users/barn', put({}));
    expect(elfin.put).toEqual([
      { uuid: 'barn', name: 'The barn', secret: 'long enough' },
      { uuid: 'barn', secret: null },
      { uuid: 'barn' },
    ]);
  });

  it('have a uuid of 1 to 64 characters, a name of at most 128, a secret of 8 to 64', async () => {
    const { elfin, call } = await start();
    const fine: readonly [string, object][] = [
      ['x', {}],
      ['é'.repeat(64), { name: 'n'.repeat(128) }],
      ['y', { secret: '8 signs.' }],
      ['y', { secret: 's'.repeat(64) }],
    ];
    for (const [uuid, body] of fine)
      expect((await call(`/api/v1/elfin/users/${encodeURIComponent(uuid)}`, put(body))).status).toBe(200);
    expect(elfin.put.map(({ uuid }) => uuid)).toEqual(fine.map(([uuid]) => uuid));
    const wrong: readonly [string, unknown, string][] = [
      ['x'.repeat(65), {}, 'uuid: is no user: a uuid has 1 to 64 printable characters'],
      ['a;b', {}, 'uuid: is no user'],
      ['a:b', {}, 'uuid: is no user'],
      ['a\nb', {}, 'uuid: is no user'],
      ['x', { name: 'n'.repeat(129) }, 'name: has more than 128 characters'],
      ['x', { name: 'two\nlines' }, 'name: has control characters'],
      ['x', { secret: '7 signs' }, 'secret: is none: a secret has 8 to 64 characters'],
      ['x', { secret: 's'.repeat(65) }, 'secret: is none'],
      ['x', { secret: 'with;in it' }, 'secret: is none'],
      ['x', { secret: 12_345_678 }, 'secret: must be a text, or null'],
      ['x', { password: 'long enough' }, 'the body: '],
      ['x', [], 'the body: '],
    ];
    for (const [uuid, body, detail] of wrong) {
      const answer = await call(`/api/v1/elfin/users/${encodeURIComponent(uuid)}`, put(body));
      expect(answer, detail).toMatchObject({ status: 400, body: { detail: expect.stringContaining(detail) } });
      // Never the secret itself.
      expect(answer.body.detail).not.toMatch(/7 signs|sssss|with;in/);
    }
    expect(elfin.put).toHaveLength(fine.length);
  });

  it('are removed; one that there is not is 404, and those that there are are named', async () => {
    const { elfin, call } = await start();
    const stranger = await call('/api/v1/elfin/users/nobody', { method: 'DELETE' });
    expect(stranger.status).toBe(404);
    expect(stranger.body.detail).toBe('There is no user "nobody"; there are: workshop.');
    expect((await call('/api/v1/elfin/users/workshop', { method: 'DELETE' })).status).toBe(204);
    expect(elfin.users()).toEqual([]);
  });

  it('that the disk does not take are 503', async () => {
    const { elfin, call } = await start();
    elfin.fault = new StoreError('store-failed', 'the disk is full');
    for (const init of [put({}), { method: 'DELETE' }]) {
      const { status, body } = await call('/api/v1/elfin/users/workshop', init);
      expect([status, body.type]).toEqual([503, 'urn:baseunit:problem:store-failed']);
    }
  });
});

describe('devices and tunnels of the Elfin gateway', () => {
  it('are listed: devices of all users, or of one', async () => {
    const { elfin, call } = await start();
    const { body } = await call('/api/v1/elfin/devices');
    expect(body).toEqual({ devices: elfin.devices() });
    expect(elfinDevicesSchema.strict().parse(body)).toEqual(body);
    expect((await call('/api/v1/elfin/devices?user=workshop')).body).toEqual(body);
    expect((await call('/api/v1/elfin/devices?user=barn')).body).toEqual({ devices: [] });
    for (const query of ['user=', 'user=a;b', 'uuid=workshop']) {
      const refused = await call(`/api/v1/elfin/devices?${query}`);
      expect([refused.status, refused.body.detail]).toEqual([400, expect.stringContaining(query.split('=')[0]!)]);
    }
    const tunnels = (await call('/api/v1/elfin/tunnels')).body;
    expect(tunnels).toEqual({ tunnels: elfin.tunnels() });
    expect(elfinTunnelsSchema.strict().parse(tunnels)).toEqual(tunnels);
  });
});

it('a base that is no gateway says so to every question', async () => {
  const { call } = await startApi();
  const questions: readonly [string, RequestInit][] = [
    ['users', {}],
    ['users/x', put({})],
    ['users/x', { method: 'DELETE' }],
    ['devices', {}],
    ['tunnels', {}],
  ];
  for (const [path, init] of questions) {
    const { status, body } = await call(`/api/v1/elfin/${path}`, init);
    expect([status, body.type, body.detail]).toEqual([
      404,
      'urn:baseunit:problem:not-found',
      'This base is no Elfin gateway: its configuration has no section "elfin".',
    ]);
  }
});
