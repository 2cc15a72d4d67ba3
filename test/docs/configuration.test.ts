import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { InvalidConfigurationError } from '../../base/config/config-problems.js';
import type { Configuration } from '../../base/config/configuration.js';
import { type Definitions, loadDefinitions } from '../../base/config/definitions.js';
import { loadConfiguration } from '../../base/config/load-config.js';
import { readAccessList } from '../../base/dialects/iotsocket/access-list-file.js';
import { checkAccessList } from '../../base/dialects/iotsocket/check-access-list.js';
import { hubApp } from '../../base/hub/app.js';
import { acceptedConcentratorKeys, acceptedKeys, acceptedLegacyKeys } from './support/accepted-keys.js';
import { blocks, codeIn, tableRows, textOf } from './support/documents.js';
import { certificates, writeExample } from './support/example-files.js';
import { loadShownDefinitions, type ShownDefinitions } from './support/shown-definitions.js';

let shown: ShownDefinitions;
let definitions: Definitions;

beforeAll(async () => {
  shown = await loadShownDefinitions();
  definitions = await loadDefinitions();
});
afterAll(() => shown.remove());

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'baseunit-docs-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function loadText(text: string): Configuration {
  const { path, environment } = writeExample(temporaryFolder(), text);
  return loadConfiguration(path, shown.definitions, environment).configuration;
}

test('every configuration that a document shows is accepted', () => {
  const examples = blocks('json').filter(({ kind }) => kind === '');
  expect(examples.length).toBeGreaterThan(8);
  const refused = examples.flatMap(({ where, text }) => {
    try {
      loadText(text);
      return [];
    } catch (error) {
      return [`${where}: ${(error as Error).message}`];
    }
  });
  expect(refused).toEqual([]);
});

test('examples/base.json is accepted, and uses every section', () => {
  const { units, hub, pusher, http, webhooks, iotsocket, connector, elfin, yamqtt, discovery, store } = loadText(
    textOf('examples/base.json'),
  );
  expect([units?.known.length, hub?.apps.length, webhooks.length]).toEqual([5, 1, 2]);
  expect(iotsocket?.groups.get('Devices')?.telemetry).toBe(true);
  expect([connector?.devices?.authenticate, connector?.api?.auth]).toMatchObject([
    { kind: 'basic' },
    { kind: 'bearer' },
  ]);
  expect(elfin?.listeners.map(({ framing, tls }) => [framing, tls !== undefined])).toEqual([
    ['segment', false],
    ['line', false],
    ['segment', true],
  ]);
  expect([...(yamqtt?.flows.keys() ?? [])]).toEqual([42, 44]);
  expect(discovery).toMatchObject({ interface: undefined, announce: true });
  expect([pusher?.channel, http?.listen.port, store.rawDays]).toEqual(['private-requests', 8889, 30]);
});

interface Row {
  readonly key: string;
  readonly default: string;
}

const keyRows = (document: string, heading: string): Row[] =>
  tableRows(document, heading)
    .map(([key, standard]) => ({ key: codeIn(key), default: standard! }))
    .filter((row): row is Row => row.key !== undefined);

const ours = (): Row[] => [
  ...keyRows('README.md', 'Configuration'),
  ...keyRows('docs/configuration.md', 'Limits of the concentrator'),
  ...keyRows('docs/configuration.md', 'Limits of the cloud connector'),
  ...keyRows('docs/configuration.md', 'Limits of the Elfin gateway'),
  ...keyRows('docs/configuration.md', 'Limits of YAMQTT'),
];
const theirs = (): Row[] => keyRows('docs/configuration.md', "The original's `config.json`");

const concentrators = (): Row[] => keyRows('docs/configuration.md', "The original concentrator's `config.json`");

test('the tables have every key that base.json accepts, and no other', () => {
  expect(
    ours()
      .map(({ key }) => key)
      .sort(),
  ).toEqual(acceptedKeys().sort());
});

test("the table of the original's file has every key that it accepts, and no other", () => {
  expect(
    theirs()
      .map(({ key }) => key)
      .sort(),
  ).toEqual(acceptedLegacyKeys().sort());
});

test("the table of the original concentrator's file has every key that it accepts, and no other", () => {
  expect(
    concentrators()
      .map(({ key }) => key)
      .sort(),
  ).toEqual(acceptedConcentratorKeys().sort());
});

test('every access list that a document shows is one', async () => {
  const lists = blocks('json').filter(({ kind }) => kind === 'access-list');
  expect(lists.length).toBeGreaterThan(0);
  for (const { where, text } of lists) {
    const path = join(temporaryFolder(), 'acl.json');
    writeFileSync(path, text);
    const groups = new Map([
      ['Devices', {}],
      ['Stations', {}],
    ]);
    const entries = await readAccessList(path, 100);
    expect(checkAccessList(entries, groups, { maxEntries: 100, takenBy: () => undefined }), where).toBeUndefined();
  }
});

const pair = (): { cert: string; key: string } => {
  const folder = temporaryFolder();
  const [cert, key] = [join(folder, 'server.crt'), join(folder, 'server.key')];
  writeFileSync(cert, certificates().cert);
  writeFileSync(key, certificates().key, { mode: 0o600 });
  return { cert, key };
};

/** What is required and nothing else, in every place where a key of the table may be. */
const least = () => ({
  http: {},
  units: {
    known: { uid: { definition: 'led-lamp', address: '192.0.2.1', key: '00112233445566778899aabbccddeeff' } },
  },
  pusher: { key: 'k', host: '192.0.2.2', auth: { endpoint: 'https://192.0.2.2/auth', token: 't' } },
  hub: { apps: [{ id: 'i', key: 'k', secret: 's', webhooks: [{ url: 'https://192.0.2.3/' }] }] },
  webhooks: [{ url: 'https://192.0.2.4/', secret: 's' }],
  iotsocket: {
    tcp: '127.0.0.1',
    tls: pair(),
    central: { key: '00112233445566778899aabbccddeeff', webhooks: {} },
    groups: { name: {} },
    redirect: { to: '192.0.2.6' },
    limits: {},
  },
  connector: {
    websocket: '127.0.0.1',
    http: '127.0.0.1',
    auth: { kind: 'none' },
    deviceAuth: { kind: 'none' },
    tls: pair(),
    httpTls: pair(),
    cors: {},
    limits: {},
  },
  elfin: { tcp: '127.0.0.1', tls: { listen: '127.0.0.1', ...pair() }, limits: {} },
  yamqtt: { tcp: '127.0.0.1', limits: {} },
  discovery: {},
  store: {},
});
const leastLegacy = () => ({
  api: { url: 'https://192.0.2.5', token: 't' },
  pusher: { 'app-key': 'k', host: '192.0.2.2' },
});
const leastConcentrator = () => ({
  TCPServer: { Addr: '127.0.0.1', Port: 50505 },
  HTTPServer: { Addr: '127.0.0.1', Port: 8443 },
  UDPServer: { Addr: '127.0.0.1', Port: 50505 },
  Central: { AuthKey: '00112233445566778899aabbccddeeff', WebHooks: {} },
  Groups: { name: {} },
});

/** A copy in which the key of that path is another, or absent. */
function changed(file: object, path: string, value: unknown): object {
  const copy = structuredClone(file) as Record<string, unknown>;
  const steps = path
    .replaceAll('[]', '.0')
    .replace(/<(\w+)>/, '$1')
    .split('.');
  const last = steps.pop()!;
  const place = steps.reduce((at, step) => at[step] as Record<string, unknown>, copy);
  if (value === undefined) delete place[last];
  else place[last] = value;
  return copy;
}

/** As the base will run: the hub fills in its own defaults. */
function meaning(file: object): unknown {
  const path = join(temporaryFolder(), 'base.json');
  writeFileSync(path, JSON.stringify(file), { mode: 0o600 });
  const { hub, iotsocket, file: _, ...rest } = loadConfiguration(path, definitions, {}).configuration;
  const apps = hub?.apps.map(hubApp).map((app) => ({
    ...app,
    webhooks: app.webhooks.map((webhook) => ({ batch: false, ...webhook })),
  }));
  const accessList = iotsocket && relative(dirname(path), iotsocket.accessList);
  return { ...rest, hub: hub && { ...hub, apps }, iotsocket: iotsocket && { ...iotsocket, accessList } };
}

test.each([
  { of: 'base.json', rows: ours, leastFile: least },
  { of: "the original's file", rows: theirs, leastFile: leastLegacy },
  { of: "the original concentrator's file", rows: concentrators, leastFile: leastConcentrator },
])('a key of $of left out means what the table says: its default, or an error', ({ rows, leastFile }) => {
  const file = leastFile();
  for (const { key } of rows().filter(({ default: written }) => written === 'required')) {
    expect(() => meaning(changed(file, key, undefined)), key).toThrow(InvalidConfigurationError);
  }
  const defaults = rows().flatMap(({ key, default: written }) => {
    const value = codeIn(written);
    return value === undefined ? [] : [{ key, value: JSON.parse(value) as unknown }];
  });
  expect(defaults.length).toBeGreaterThan(1);
  // All of them at once, since each alone takes seconds in all.
  const withDefaults = defaults.reduce((all: object, { key, value }) => changed(all, key, value), file);
  expect(meaning(withDefaults)).toEqual(meaning(file));
});

test('the default of pusher.port is as the table says', () => {
  const port = (of: object): unknown => (meaning(of) as Configuration).pusher?.port;
  const file = least();
  expect([port(file), port(changed(file, 'pusher.tls', false))]).toEqual([443, 80]);
  expect(ours().find(({ key }) => key === 'pusher.port')?.default).toBe('443, without `tls` 80');
});
