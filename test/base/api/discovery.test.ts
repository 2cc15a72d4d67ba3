import { expect, test } from 'vitest';
import { ConfigurationError, StoreError } from '../../../protocol/errors.js';
import { KnownDiscovery } from './known-discovery.js';
import { post, startApi } from './running-api.js';

const PATH = '/api/v1/discovered';

test('units that announce themselves are listed, and adopted with their key', async () => {
  const discovery = new KnownDiscovery();
  const { call, units } = await startApi({ discovery });
  expect((await call(PATH)).body).toEqual({ units: discovery.discovered() });
  const [uid] = units.uids();
  discovery.announced.push({ ...discovery.announced[0]!, unit: uid! });
  const { status, body } = await call(`${PATH}/${uid}/adopt`, post({ key: 'A5'.repeat(16) }));
  expect([status, body.unit]).toEqual([200, uid]);
  expect(discovery.adopted).toEqual([[uid, { key: new Uint8Array(16).fill(0xa5) }]]);
  expect((await call(`${PATH}/${uid}/adopt`, post({}))).status).toBe(200);
  expect(discovery.adopted.at(-1)).toEqual([uid, { key: undefined }]);
});

test('one that is silent is 404, what is wrong 400, a disk that is full 503', async () => {
  const discovery = new KnownDiscovery();
  const { call } = await startApi({ discovery });
  expect(await call(`${PATH}/attic/adopt`, post({}))).toMatchObject({
    status: 404,
    body: { detail: 'No unit "attic" announces itself at this moment; these do: cellar.' },
  });
  for (const body of [{ key: 'a5' }, { key: 7 }, { secret: 'x' }, 7])
    expect((await call(`${PATH}/cellar/adopt`, post(body))).status, JSON.stringify(body)).toBe(400);
  discovery.fault = new ConfigurationError('request-refused', 'cellar needs its key');
  expect(await call(`${PATH}/cellar/adopt`, post({}))).toMatchObject({
    status: 400,
    body: { detail: 'cellar needs its key' },
  });
  discovery.fault = new StoreError('store-failed', 'the disk is full');
  expect((await call(`${PATH}/cellar/adopt`, post({}))).status).toBe(503);
  discovery.fault = new Error('of our own');
  expect((await call(`${PATH}/cellar/adopt`, post({}))).status).toBe(500);
});

test('a base that does not look for units says so', async () => {
  const { call } = await startApi();
  for (const answer of [await call(PATH), await call(`${PATH}/cellar/adopt`, post({}))])
    expect(answer).toMatchObject({ status: 404, body: { detail: expect.stringMatching(/no section "discovery"/) } });
});
