import { X509Certificate } from 'node:crypto';
import { chmodSync, chownSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { migrations } from '../../../base/engine/embedded/schema.js';
import { openHere } from '../../../base/engine/embedded/sqlite-port.js';
import { checkCertificates, EXPIRING_MS } from '../../../cli/doctor/certificate-check.js';
import { checkConfigurationFile } from '../../../cli/doctor/configuration-check.js';
import { checkFiles } from '../../../cli/doctor/file-check.js';
import { namedFiles } from '../../../cli/doctor/named-files.js';
import { checkStore, LOW_OCTETS, OUT_OCTETS } from '../../../cli/doctor/store-check.js';
import type { System } from '../../../cli/doctor/system.js';
import { thisSystem } from '../../../cli/doctor/system.js';
import { type Certificates, makeCertificates } from '../../base/uplinks/certificates.js';
import { ManualClock } from '../../support/manual-clock.js';
import { House, namesOf, only } from './support/house.js';
import { selfSigned } from './support/self-signed.js';

let made: Certificates;
beforeAll(() => {
  made = makeCertificates();
});

const iotsocket = { tcp: '127.0.0.1:0', tls: { cert: 'server.crt', key: 'server.key' } };

function withPair(cert: string, key: string, mode = 0o600): House {
  const house = new House();
  house.write('server.crt', cert, 0o644);
  house.write('server.key', key, mode);
  return house;
}

test('files: what is only the owner’s is one finding; what is made later is told', async () => {
  const house = new House();
  house.write('hub.secret', 'a secret');
  const hub = { apps: [{ id: 'a', key: 'k', secret: 'file:hub.secret' }] };
  const findings = checkFiles(await house.examine({ hub }));
  expect(namesOf(findings)).toEqual(['file-private', 'file-later']);
  expect(findings[0]!.cause).toContain('hub.apps[0].secret');
  expect(findings[1]!.cause).toContain('first start');
});

test('files: each that is too open, with the command', async () => {
  const house = new House();
  house.write('hub.secret', 'a secret', 0o604);
  house.write('group.secret', 'a secret', 0o640);
  house.write('writable.secret', 'a secret', 0o620);
  house.write('.baseunit/api-token', 'x'.repeat(43), 0o644);
  house.write('.baseunit/baseunit.db', '', 0o600);
  chmodSync(join(house.folder, '.baseunit'), 0o755);
  const app = (name: string) => ({ id: name, key: name, secret: `file:${name}.secret` });
  const findings = checkFiles(await house.examine({ hub: { apps: ['hub', 'group', 'writable'].map(app) } }));
  const at = (name: string) => join(house.folder, name);
  expect(findings.map(({ finding, mend }) => [finding, mend])).toEqual([
    ['file-private', undefined],
    ['file-open', `chmod 600 ${at('hub.secret')}`],
    ['file-shared', `chmod 600 ${at('group.secret')}`],
    ['file-open', `chmod 600 ${at('writable.secret')}`],
    ['file-open', `chmod 700 ${at('.baseunit')}`],
    ['file-open', `chmod 600 ${at('.baseunit/api-token')}`],
  ]);
});

test('files: the configuration itself, when a secret stands in it', async () => {
  const house = new House();
  house.write('base.json', JSON.stringify({ hub: { apps: [{ id: 'a', key: 'k', secret: 'in the file' }] } }), 0o644);
  expect(only(checkFiles(await house.examine()), 'file-open').subject).toBe(`the configuration ${house.config}`);
  chmodSync(house.config, 0o600);
  expect(namesOf(checkFiles(await house.examine()))).toEqual(['file-later']);
});

test('files: another user’s, and one that cannot be read', async () => {
  const house = new House();
  house.write('a.secret', 'a secret');
  const configuration = { hub: { apps: [{ id: 'a', key: 'k', secret: 'file:a.secret' }] } };
  const looked = await house.examine(configuration, { mayUse: () => false });
  expect(only(checkFiles(looked), 'file-unreadable')).toMatchObject({
    status: 'problem',
    mend: `sudo chown pi ${join(house.folder, 'a.secret')}`,
  });
  // Root's own files are trusted, so somebody else must own it: only root can make that.
  if (process.getuid!() !== 0) return;
  chownSync(join(house.folder, 'a.secret'), 4_711, 4_711);
  expect(only(checkFiles(await house.examine(configuration)), 'file-foreign').cause).toContain('4711');
});

test('files: 20 are listed, the rest is counted', async () => {
  const open = async (count: number) => {
    const house = new House();
    const known = Object.fromEntries(
      Array.from({ length: count }, (_, index) => {
        house.write(`keys/u${index}.key`, '0'.repeat(32), 0o644);
        return [`u${index}`, { definition: 'led-lamp', address: `10.0.0.${index}`, key: `file:keys/u${index}.key` }];
      }),
    );
    return checkFiles(await house.examine({ units: { known } })).filter(({ finding }) => finding === 'file-open');
  };
  expect((await open(20)).length).toBe(20);
  const more = await open(22);
  expect([more.length, more.at(-1)!.subject]).toEqual([21, '2 more files']);
});

test('the files that a configuration names are found by their form, however wrong the rest is', () => {
  const raw = {
    units: { known: { lamp: { key: 'file:/keys/lamp.key' }, fan: { key: 'file:keys/fan.key' }, other: { key: '00' } } },
    iotsocket: {
      tls: { cert: 'a.crt', key: 'file:a.key' },
      central: { key: 'env:KEY', webhooks: { ca: 'file:ca.pem' } },
    },
    connector: { tls: { cert: 'a.crt', key: 'a.key' } },
    list: [{ secret: 'file:keys/fan.key' }, 'file:'],
    TCPServer: { SSLCrtFilename: 'b.crt', SSLKeyFilename: 'b.key' },
  };
  expect(namedFiles(raw, '/house')).toEqual({
    secrets: [
      { path: 'units.known.lamp.key', file: '/keys/lamp.key', written: '/keys/lamp.key' },
      { path: 'units.known.fan.key', file: '/house/keys/fan.key', written: 'keys/fan.key' },
    ],
    pairs: [
      { path: 'iotsocket.tls, connector.tls', cert: '/house/a.crt', key: '/house/a.key', writtenKey: 'a.key' },
      { path: 'TCPServer', cert: '/house/b.crt', key: '/house/b.key', writtenKey: 'b.key' },
    ],
  });
  for (const nothing of [undefined, null, 'file:x', 5, []])
    expect(namedFiles(nothing, '/')).toEqual({ secrets: [], pairs: [] });
  let deep: unknown = 'file:deep';
  for (let depth = 0; depth < 30_000; depth += 1) deep = [deep];
  expect(namedFiles(deep, '/').pairs).toEqual([]);
});

test('certificates: one that is not valid yet, to the second', async () => {
  const house = withPair(made.cert, made.key);
  const begin = Date.parse(new X509Certificate(made.cert).validFrom);
  const at = async (now: number) => {
    const examination = await house.examine({ iotsocket }, { clock: new ManualClock(now) });
    return namesOf(await checkCertificates(examination));
  };
  expect(await at(begin - 1)).toEqual(['certificate-early']);
  expect(await at(begin)).toEqual(['certificate-expiring']);
});

test('certificates: one that ends just past two weeks is valid, and its chain counts', async () => {
  const long = selfSigned(15);
  const house = withPair(long.cert, long.key);
  const findings = await checkCertificates(await house.examine({ iotsocket }));
  expect(findings).toMatchObject([
    { finding: 'certificate-valid', subject: `iotsocket.tls ${join(house.folder, 'server.crt')}` },
  ]);
  const end = Date.parse(new X509Certificate(long.cert).validTo);
  const at = async (now: number) =>
    namesOf(await checkCertificates(await house.examine({ iotsocket }, { clock: new ManualClock(now) })));
  expect(await at(end - EXPIRING_MS)).toEqual(['certificate-valid']);
  expect(await at(end - EXPIRING_MS + 1)).toEqual(['certificate-expiring']);
  expect(await at(end)).toEqual(['certificate-expiring']);
  expect(await at(end + 1)).toEqual(['certificate-expired']);
  house.write('server.crt', `${long.cert}\n${made.ca}`, 0o644);
  const [finding] = await checkCertificates(await house.examine({ iotsocket }));
  expect(finding).toMatchObject({
    finding: 'certificate-expiring',
    cause: expect.stringContaining('behind it in the file'),
  });
  house.write('server.crt', long.cert, 0o644);
  const [mend] = (
    await checkCertificates(
      await house.examine({ iotsocket }, { clock: new ManualClock(Date.now() + 16 * 86_400_000) }),
    )
  ).map((each) => each.mend);
  expect(mend).toMatch(/^openssl x509 -in \S+server\.crt -signkey \S+server\.key -days 365 /);
});

test('certificates: expired; no pair; not there; a key that others may read', async () => {
  const look = async (house: House) => {
    const examination = await house.examine({ iotsocket });
    return { findings: await checkCertificates(examination), ofConfiguration: checkConfigurationFile(examination) };
  };
  expect(namesOf((await look(withPair(made.expired, made.key))).findings)).toEqual(['certificate-expired']);
  const other = selfSigned(2);
  const noPair = await look(withPair(made.cert, other.key, 0o644));
  expect(noPair.findings).toMatchObject([
    { finding: 'certificate-no-pair', cause: expect.stringContaining('is not the key of the certificate') },
    { finding: 'certificate-key-open', mend: expect.stringMatching(/^chmod 600 .*server\.key$/) },
  ]);
  // Told once, by who can tell it better.
  expect(noPair.ofConfiguration).toMatchObject([
    { finding: 'configuration-valid', cause: expect.stringContaining('when its certificates can') },
  ]);
  const gone = withPair(made.cert, made.key, 0o640);
  rmSync(join(gone.folder, 'server.crt'));
  expect(namesOf((await look(gone)).findings)).toEqual(['certificate-unreadable', 'certificate-key-shared']);
  expect(namesOf(await checkCertificates(await new House().examine({})))).toEqual(['not-configured']);
});

test('store: not there yet, there, and at work', async () => {
  const house = new House();
  const check = async (given: Partial<System> = {}) => checkStore(await house.examine({}, given));
  expect(await check()).toMatchObject([{ finding: 'store-later', status: 'ok' }]);
  const file = house.write('.baseunit/baseunit.db', '');
  expect(namesOf(await check())).toEqual(['store-later']);
  const { port } = await openHere(file, 'now');
  onTestFinished(() => port.close());
  const [held] = await check({ root: '/' });
  expect(held).toMatchObject({ finding: 'store-held', status: 'problem', mend: `kill ${process.pid}` });
  expect(held!.cause).toContain(`process ${process.pid}`);
  const examination = await house.examine({}, { root: '/' });
  expect(await checkStore({ ...examination, running: { pid: process.pid } })).toMatchObject([
    { finding: 'store-of-base', status: 'ok' },
  ]);
  await port.close();
  expect(await check({ root: '/' })).toMatchObject([{ finding: 'store-ready', status: 'ok' }]);
});

test('store: a file of something else, and one of a later version', async () => {
  const house = new House();
  const check = async () => checkStore(await house.examine({ store: { file: 'house.db' } }));
  const file = house.write('house.db', 'no store '.repeat(100));
  expect(await check()).toMatchObject([{ finding: 'store-foreign' }]);
  const header = Buffer.alloc(100);
  header.write('SQLite format 3\0', 'latin1');
  header.writeUInt32BE(migrations.length, 60);
  writeFileSync(file, header);
  expect(namesOf(await check())).toEqual(['store-ready']);
  header.writeUInt32BE(migrations.length + 1, 60);
  writeFileSync(file, header);
  expect(await check()).toMatchObject([{ finding: 'store-newer', status: 'problem' }]);
  writeFileSync(file, header.subarray(0, 99));
  expect(namesOf(await check())).toEqual(['store-foreign']);
  rmSync(file);
  symlinkSync(house.folder, file);
  expect(namesOf(await check())).toEqual(['store-foreign']);
});

test('store: space, medium, rights and library', async () => {
  const house = new House();
  const check = async (given: Partial<System>) => namesOf(await checkStore(await house.examine({}, given)));
  const EXT4 = 0xef53;
  const space = (freeOctets: number, type = EXT4) => ({ spaceOf: async () => ({ freeOctets, type }) });
  expect(await check(space(LOW_OCTETS))).toEqual(['store-later']);
  expect(await check(space(LOW_OCTETS - 1))).toEqual(['store-later', 'store-space-low']);
  expect(await check(space(OUT_OCTETS))).toEqual(['store-later', 'store-space-low']);
  expect(await check(space(OUT_OCTETS - 1))).toEqual(['store-later', 'store-space-out']);
  for (const type of [0x4d44, 0x01021994])
    expect(await check(space(LOW_OCTETS, type))).toEqual(['store-later', 'store-medium']);
  expect(await check({ mayUse: () => false })).toEqual(['store-unwritable']);
  house.write('.baseunit/baseunit.db', '');
  expect(await check({ mayUse: () => false })).toEqual(['store-unwritable']);
  const broken = await checkStore(
    await house.examine({}, { problemOfPackage: async () => 'it was compiled for another Node.js' }),
  );
  expect(broken[0]).toMatchObject({ finding: 'store-library', mend: 'npm rebuild better-sqlite3' });
  expect(await thisSystem({}).problemOfPackage('better-sqlite3')).toBeUndefined();
});
