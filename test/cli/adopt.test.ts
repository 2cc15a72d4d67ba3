import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KnownDiscovery } from '../base/api/known-discovery.js';
import { startApi, TOKEN } from '../base/api/running-api.js';
import { temporaryFolder } from './support/program.js';
import { runHere } from './support/run-here.js';

const key = 'a5'.repeat(16);
const octets = new Uint8Array(16).fill(0xa5);

/** A base's API, commands to it, and the folder of its configuration. */
async function running(discovery = new KnownDiscovery()) {
  const { url } = await startApi({ discovery });
  const config = join(temporaryFolder(), 'base.json');
  const run = (...words: string[]): Promise<string> =>
    runHere(['adopt', ...words, '-c', config, '--url', url, '--token', TOKEN]);
  const keyFile = (uid: string, text = key): string => {
    mkdirSync(join(config, '..', 'keys'), { recursive: true });
    const file = join(config, '..', 'keys', `${uid}.key`);
    writeFileSync(file, `${text}\n`, { mode: 0o600 });
    return file;
  };
  return { discovery, run, keyFile };
}

test('without a name, those that announce themselves and are not known are listed, with what is odd about them', async () => {
  const { discovery, run } = await running();
  const [cellar] = discovery.announced as [(typeof discovery.announced)[0]];
  discovery.announced.push(
    { ...cellar, unit: 'at\u001btic', key: 'none', isSame: false, hasDefinition: false, notes: ['it is odd'] },
    { ...cellar, unit: 'stair', isKnown: true, key: 'ours', notes: ['two devices announce "stair"'] },
  );
  const out = await run();
  expect(out).toMatch(/^UNIT +DEFINITION +VERSION +ADDRESS +BOARD +KEY +HERE$/m);
  expect(out).toMatch(/^cellar +thermometer +1\.0\.0 +192\.168\.1\.30:8888 +d1_mini +has one +the same$/m);
  expect(out).toMatch(/^at\\u001btic .* none yet +no such definition$/m);
  expect(out).not.toMatch(/^stair/m);
  expect(out.match(/^Note: .*$/gm)).toEqual(['Note: it is odd', 'Note: two devices announce "stair"']);
  const all = JSON.parse(await run('--json')) as { units: { unit: string }[] };
  expect(all.units.map(({ unit }) => unit)).toEqual(['cellar', 'at\u001btic', 'stair']);
  discovery.announced.splice(0, 2);
  expect(await run()).toMatch(/^No unit announces itself that this base does not have; 1 do that it has\.$/m);
});

test('a unit is adopted with the key that is named, or that "keys make" has made; a line unit without one', async () => {
  const { discovery, run, keyFile } = await running();
  // The API knows units of these names.
  const [lamp, light] = ['kitchen-lamp', 'barrel'];
  const [cellar] = discovery.announced as [(typeof discovery.announced)[0]];
  discovery.announced.push({ ...cellar, unit: lamp }, { ...cellar, unit: light, key: 'line', isSame: false });
  const file = keyFile('other');
  expect(await run(lamp, '--key', `file:${file}`)).toMatch(/^kitchen-lamp is a unit of this base now/);
  keyFile(lamp, 'B6'.repeat(16));
  expect(JSON.parse(await run(lamp, '--json'))).toMatchObject({ unit: lamp });
  keyFile(light);
  expect(await run(light)).toMatch(/It runs another version of thermometer/);
  expect(discovery.adopted).toEqual([
    [lamp, { key: octets }],
    [lamp, { key: new Uint8Array(16).fill(0xb6) }],
    [light, { key: undefined }],
  ]);
});

test('a key in the command line itself, one that is not there, and one that is none are refused before the base is asked', async () => {
  const { discovery, run, keyFile } = await running();
  const refused = { code: 'config-invalid' };
  await expect(run('cellar', '--key', key)).rejects.toMatchObject(refused);
  await expect(run('cellar', '--key', 'file:/no/such.key')).rejects.toMatchObject({ code: 'secret-missing' });
  keyFile('cellar', 'no key');
  await expect(run('cellar')).rejects.toMatchObject(refused);
  expect(discovery.adopted).toEqual([]);
  await expect(run('attic')).rejects.toMatchObject({ code: 'request-refused', message: /these do: cellar/ });
});
