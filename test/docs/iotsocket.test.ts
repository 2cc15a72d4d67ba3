import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { loadDefinitions } from '../../base/config/definitions.js';
import { systemClock, systemRandom } from '../../base/system.js';
import { simulate } from '../../simulator/simulate.js';
import { baseunit } from '../cli/support/program.js';
import { eventually, startHouse, temporaryFolder } from '../end-to-end/support/house.js';
import { blocks, root } from './support/documents.js';
import { ExampleProgram } from './support/example-program.js';

// The examples import what a user imports: the compiled package.
beforeAll(() => void execFileSync(process.execPath, ['scripts/prepare.mjs', 'build'], { cwd: root, stdio: 'pipe' }));

const [configuration, accessList, command, answer] = blocks('json', ['docs/iotsocket.md']).map(
  ({ text }) => JSON.parse(text) as Record<string, unknown>,
);
const CENTRAL_KEY = '00112233445566778899aabbccddeeff';

/** The page's own configuration and list, on free ports. */
async function startConcentrator(more: object = {}) {
  const folder = temporaryFolder();
  const file = join(folder, 'acl.json');
  writeFileSync(file, JSON.stringify(accessList));
  const local = '127.0.0.1:0';
  const iotsocket = { ...(configuration!.iotsocket as object), tcp: local, udp: local, http: local, accessList: file };
  const house = await startHouse({ http: { listen: local }, iotsocket, ...more });
  const portOf = (what: RegExp): string => {
    const line = house.log.find(({ message }) => what.test(message));
    return /:(\d+)\/?$/.exec(String(line?.fields.address ?? line?.fields.url))![1]!;
  };
  const environment = {
    PORT: portOf(/\(TCP\)/),
    UDP_PORT: portOf(/\(UDP\)/),
    CENTRAL_KEY,
    OBJECT_KEY: '43434343434343434444444444444444',
  };
  return { ...house, environment, http: `http://127.0.0.1:${portOf(/HTTP server for the central/)}` };
}

const api = async (house: Awaited<ReturnType<typeof startConcentrator>>, path: string, body?: object) => {
  const response = await fetch(`${house.base.apiUrl}/api/v1${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: 'Bearer token-of-the-test', 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await response.json()) as Record<string, never>;
};

test('an object and a central talk over the base, as the page says', async () => {
  const house = await startConcentrator();
  const object = new ExampleProgram('iotsocket-object.mjs', ['porch'], house.environment);
  // Nobody is there to be asked.
  await object.shows(/central answered a0/);
  const central = new ExampleProgram('iotsocket-central.mjs', [], house.environment);
  await central.shows(/telemetry porch \{"temperature":[\d.]+,"on":false\}/);
  const asking = async (payload: string) => {
    const response = await fetch(`${house.http}/request`, {
      method: 'POST',
      headers: { authorization: `Bearer ${CENTRAL_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ UID: 'porch', Format: 'JSON', Payload: JSON.parse(payload) }),
    });
    return response.json();
  };
  expect(await asking('{"on":true}')).toEqual({ Code: 0, Payload: { on: true }, Format: 'JSON' });
  await object.shows(/asked \{"on":true\}/);

  await eventually('telemetry', () => house.base.router.get('porch')?.last.telemetry !== undefined);
  const unit = await api(house, '/units/porch');
  expect(unit).toMatchObject({ unit: 'porch', dialect: 'iotsocket', state: 'online' });
  const where = ['--url', house.base.apiUrl!, '--token', 'token-of-the-test'];
  const sent = await baseunit(['send', 'porch', '--payload', '{"on":true}', ...where]);
  expect(sent).toMatchObject({ code: 0, out: 'ok  {"on":true}  (porch request, via api)\n' });
  const wrong = await baseunit(['send', 'porch', '--payload', 'on', '--format', 'utf8', ...where]);
  expect(wrong).toMatchObject({ code: 4, out: expect.stringContaining('return code 01') });
  expect(await baseunit(['send', 'porch', '--payload', '{', ...where])).toMatchObject({
    code: 2,
    err: expect.stringContaining('--payload is no JSON'),
  });
  const outcome = await api(house, '/units/porch/commands', { command: 'request', payload: { on: false } });
  expect(outcome).toMatchObject({ outcome: 'ok', code: 0, payload: { format: 'json', value: { on: false } } });
});

test('the central of the example asks an object and ends', async () => {
  const house = await startConcentrator();
  const object = new ExampleProgram('iotsocket-object.mjs', ['porch'], house.environment);
  await object.shows(/connected/);
  const good = new ExampleProgram('iotsocket-central.mjs', ['porch', '{"on":true}'], house.environment);
  expect([await good.ended, good.text]).toEqual([0, expect.stringContaining('answer 00 {"on":true}')]);
  const bad = new ExampleProgram('iotsocket-central.mjs', ['porch', '{}'], house.environment);
  expect([await bad.ended, bad.text]).toEqual([4, expect.stringContaining('answer 01')]);
  const nobody = new ExampleProgram('iotsocket-central.mjs', ['nobody', '{}'], house.environment);
  expect([await nobody.ended, nobody.text]).toEqual([4, expect.stringContaining('answer a0')]);
});

test('a typed unit is an object to the central', async () => {
  const { definition } = (await loadDefinitions()).get('led-lamp')!;
  const lamp = await simulate({
    definition,
    uid: 'led-lamp',
    clock: systemClock,
    random: systemRandom,
    hear: () => {},
  });
  try {
    const house = await startConcentrator({ units: { known: lamp.known() } });
    const asked = new ExampleProgram('iotsocket-central.mjs', ['led-lamp', JSON.stringify(command)], house.environment);
    expect(await asked.ended).toBe(0);
    expect(asked.text).toContain(`answer 00 ${JSON.stringify(answer)}`);
  } finally {
    await lamp.stop();
  }
});
