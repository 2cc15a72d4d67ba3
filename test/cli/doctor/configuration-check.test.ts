import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkConfigurationFile } from '../../../cli/doctor/configuration-check.js';
import { examine } from '../../../cli/doctor/examination.js';
import { checkNode } from '../../../cli/doctor/node-version.js';
import { House, namesOf, only } from './support/house.js';

test('a whole configuration', async () => {
  const examination = await new House().examine({ http: {} });
  expect(checkConfigurationFile(examination)).toMatchObject([
    { check: 'configuration', finding: 'configuration-valid', status: 'ok', cause: 'can be used' },
  ]);
});

test('none, where none is named; one that is named must be there', async () => {
  const house = new House();
  const [named] = checkConfigurationFile(await house.examine());
  expect(named).toMatchObject({ finding: 'configuration-unreadable', status: 'problem' });
  expect(named!.cause).toContain('does not exist');
  const examination = await examine({ system: house.system() });
  expect(checkConfigurationFile({ ...examination, reading: { ...examination.reading, kind: 'absent' } })).toMatchObject(
    [{ finding: 'configuration-absent', status: 'skipped' }],
  );
});

test('one that is no JSON: line and column', async () => {
  const house = new House();
  const [finding] = checkConfigurationFile(await house.examine('{\n  "http": {},,\n}'));
  expect(finding).toMatchObject({ finding: 'configuration-unreadable', mend: `nano ${house.config}` });
  expect(finding!.cause).toMatch(/base\.json:2:14: /);
});

test('everything that is wrong comes with its path, and the rest of the file is used', async () => {
  const house = new House();
  const examination = await house.examine({
    http: { listen: '127.0.0.1:18889' },
    hub: { listen: 'nowhere:x', apps: [] },
    pusher: { key: 'k', cluster: 'eu', auth: { endpoint: 'https://a.example', token: 'env:NO_SUCH_TOKEN' } },
    nonsense: true,
  });
  const findings = checkConfigurationFile(examination);
  expect(findings.map(({ finding, subject }) => [finding, subject.replace(`${house.config}: `, '')])).toEqual([
    ['secret-unset', 'pusher.auth.token'],
    ['configuration-invalid', 'hub.listen'],
    ['configuration-invalid', 'hub.apps'],
    ['configuration-invalid', 'nonsense'],
  ]);
  expect(only(findings, 'secret-unset').mend).toBe('export NO_SUCH_TOKEN=…');
  expect(examination.configuration).toMatchObject({
    http: { listen: { port: 18889 } },
    hub: undefined,
    pusher: undefined,
  });
  expect([...examination.broken].sort()).toEqual(['hub', 'nonsense', 'pusher']);
});

test('of an original file that is wrong, what is not of its sections is used', async () => {
  const examination = await new House().examine({
    clients: ['192.168.1.10'],
    api: { url: 'nowhere', token: 'hush' },
    pusher: { 'app-key': 'k', cluster: 'eu' },
  });
  expect(checkConfigurationFile(examination)).toMatchObject([
    { finding: 'configuration-invalid', subject: expect.stringContaining('api.url') },
  ]);
  expect(examination.configuration).toMatchObject({ pusher: undefined, legacy: undefined });
  expect([...examination.broken].sort()).toEqual(['api', 'clients', 'pusher']);
});

test('50 problems are listed, and what is past them is counted', async () => {
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`key${index}`, 1]));
  const fifty = checkConfigurationFile(await new House().examine(many(50)));
  expect([fifty.length, fifty.some(({ cause }) => / problems more$/.test(cause))]).toEqual([50, false]);
  const more = checkConfigurationFile(await new House().examine(many(51)));
  expect([more.length, more.at(-1)!.cause]).toEqual([51, 'has 1 problems more']);
});

test('what works and should be known is a warning', async () => {
  const examination = await new House().examine({
    pusher: { key: 'k', host: '127.0.0.1', tls: false, appId: '1', secret: 'a secret' },
  });
  const findings = checkConfigurationFile(examination);
  expect(namesOf(findings)).toEqual(['configuration-valid', 'configuration-warning']);
  expect(findings[1]!.cause).toContain('pusher.tls is false');
});

test('a file that others may read is left to the check of files', async () => {
  const house = new House();
  house.write('keys/lamp.key', '0'.repeat(32), 0o644);
  const known = { lamp: { definition: 'led-lamp', address: '127.0.0.1', key: 'file:keys/lamp.key' } };
  const examination = await house.examine({ units: { known } });
  expect(examination.reading.warnings).toHaveLength(1);
  expect(namesOf(checkConfigurationFile(examination))).toEqual(['configuration-valid']);
});

test('a definition that cannot be loaded: its units are no second problem', async () => {
  const house = new House();
  const units = { known: { lamp: { definition: 'led-lamp', address: '127.0.0.1', key: '0'.repeat(32) } } };
  house.write('base.json', JSON.stringify({ units, http: {} }));
  const definitions = (): Promise<never> => Promise.reject(new Error('units/led-lamp.ts:3: has a fault'));
  const examination = await examine({ system: house.system(), config: house.config, definitions });
  const findings = checkConfigurationFile(examination);
  expect(namesOf(findings)).toEqual(['definition-broken', 'configuration-valid']);
  expect(findings[0]).toMatchObject({ status: 'problem', cause: 'units/led-lamp.ts:3: has a fault' });
});

test('a folder instead of a file', async () => {
  const house = new House();
  mkdirSync(join(house.folder, 'base.json'));
  expect(namesOf(checkConfigurationFile(await house.examine()))).toEqual(['configuration-unreadable']);
});

test.each([
  ['20.19.0', true],
  ['20.18.9', false],
  ['18.20.4', false],
  ['22.1.0', true],
])('Node.js %s is new enough: %s', (nodeVersion, isCurrent) => {
  expect(checkNode({ nodeVersion }, '20.19')).toMatchObject([{ finding: isCurrent ? 'node-current' : 'node-old' }]);
  expect(checkNode({ nodeVersion })).toMatchObject([{ finding: isCurrent ? 'node-current' : 'node-old' }]);
});
