import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadDefinitions } from '../../base/config/definitions.js';
import type { UnitView } from '../../base/core/unit-view.js';
import { UNIT_SERVICE } from '../../base/discovery/mdns.js';
import { nodeCrypto, systemRandom } from '../../base/system.js';
import { buildNative } from '../../codegen/native-build.js';
import { fingerprintOf } from '../../protocol/definition/index.js';
import { keyMarker } from '../../protocol/iotsocket/key-marker.js';
import { fromHex } from '../../protocol/octets.js';
import { Program, root } from '../cli/support/program.js';
import { BaseProcess } from './support/base-process.js';
import { compiled } from './support/compiled.js';
import { killed, type LabHost, NetworkLab, printed, whyNoLab } from './support/network-lab.js';

const why = whyNoLab();
if (why !== undefined) process.stderr.write(`LEFT OUT: "units found by mDNS" ${why}\n`);

const key = 'a5'.repeat(16);
const otherKey = 'b6'.repeat(16);

describe.skipIf(why !== undefined)('units found by mDNS, over a real network', () => {
  let lab: NetworkLab;
  let [house, hall, attic] = [] as unknown as [LabHost, LabHost, LabHost];
  let firmware: string;
  let announced: readonly string[];
  const folder = mkdtempSync(join(tmpdir(), 'baseunit-mdns-'));

  beforeAll(async () => {
    await compiled();
    firmware = (await buildNative('thermometer', { root })).program;
    const { definition } = (await loadDefinitions()).get('thermometer')!;
    announced = ['version=1.0.0', 'definition=thermometer', `fingerprint=${fingerprintOf(definition)}`];
    lab = await NetworkLab.start();
    house = await lab.host('house');
    hall = await lab.host('hall');
    attic = await lab.host('attic');
    await Promise.all([hall, attic].map((host) => host.startAvahi()));
  });
  afterAll(async () => {
    await lab?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The firmware of a unit on a machine, and its announcement: a native program does not announce itself. */
  async function unit(host: LabHost, uid: string, port: number, own = key): Promise<readonly ChildProcess[]> {
    const marker = keyMarker(nodeCrypto(systemRandom), fromHex(own), uid);
    const state = join(folder, `${uid}.state`);
    const words = ['--uid', uid, '--key', own, '--listen', `0.0.0.0:${port}`, '--state', state];
    const program = host.spawn([firmware, ...words]);
    await printed(program, 'stdout', /listening/);
    return [program, await host.publish(uid, UNIT_SERVICE, port, [...announced, `key=${marker}`])];
  }

  const cli = async <T>(base: BaseProcess, ...words: string[]): Promise<T> => {
    const program = new Program([...words, '--json'], { cwd: base.folder, under: house.under });
    const { code, out, err } = await program.ended;
    if (code !== 0) throw new Error(`baseunit ${words.join(' ')}: ${code}: ${out}${err}`);
    return JSON.parse(out) as T;
  };
  const unitOf = async (base: BaseProcess, uid: string): Promise<UnitView> =>
    (await cli<{ units: UnitView[] }>(base, 'units')).units.find((each) => each.unit === uid)!;

  test('a unit is found and followed by its UID, one that is not known is adopted for good, and forgotten', {
    timeout: 60_000,
  }, async () => {
    let stair = await unit(hall, 'stair', 8888);
    const configuration = {
      name: 'home',
      http: { listen: '127.0.0.1:0' },
      discovery: { interface: 'eth0' },
      units: { listen: '0.0.0.0:8899', known: { stair: { definition: 'thermometer', address: 'mdns', key } } },
    };
    let base = await BaseProcess.start(configuration, { under: house.under });
    await base.logged('link up', { unit: 'stair', address: `${hall.address}:8888` });

    // It moves to another port without a word.
    await Promise.all(stair.map((child) => killed(child)));
    stair = await unit(hall, 'stair', 9999);
    await base.logged(/^stair moved from/, { from: `${hall.address}:8888`, to: `${hall.address}:9999` });
    // And to another machine.
    await Promise.all(stair.map((child) => killed(child)));
    stair = await unit(attic, 'stair', 8888);
    await base.logged(/^stair moved from/, { from: `${hall.address}:9999`, to: `${attic.address}:8888` });
    const { counts, state, last } = await unitOf(base, 'stair');
    expect({ state, reports: counts.reports > 0, fields: Object.keys(last) }).toEqual({
      state: 'online',
      reports: true,
      fields: ['reading'],
    });

    // A stranger where it was.
    await unit(hall, 'cellar', 9999, otherKey);
    await base.logged(/a unit announces itself/, { unit: 'cellar' });
    const { units } = await cli<{ units: { unit: string; isKnown: boolean }[] }>(base, 'adopt');
    expect(units).toMatchObject([
      { unit: 'cellar', isKnown: false, key: 'unknown', isSame: true, definition: 'thermometer' },
      { unit: 'stair', isKnown: true, key: 'ours', address: `${attic.address}:8888` },
    ]);
    const wrong = new Program(['adopt', 'cellar', '--key', 'env:KEY'], {
      cwd: base.folder,
      env: { KEY: key },
      under: house.under,
    });
    expect(await wrong.ended).toMatchObject({ code: 2, err: expect.stringContaining('not the key of cellar') });
    const right = new Program(['adopt', 'cellar', '--key', 'env:KEY'], {
      cwd: base.folder,
      env: { KEY: otherKey },
      under: house.under,
    });
    expect(await right.ended).toMatchObject({ code: 0, out: expect.stringContaining('is a unit of this base now') });
    await base.logged('link up', { unit: 'cellar' });

    await base.stop();
    const { folder: where } = base;
    base = await BaseProcess.start(configuration, { under: house.under, folder: where });
    await Promise.all(['stair', 'cellar'].map((uid) => base.logged('link up', { unit: uid })));
    expect(await cli(base, 'forget', 'cellar')).toEqual({ unit: 'cellar', forgotten: true });
    expect(await unitOf(base, 'cellar')).toBeUndefined();
    expect((await unitOf(base, 'stair')).state).toBe('online');
    await base.stop();
  });

  test('a base announces itself, by the Avahi of its machine where there is one', async () => {
    await house.startAvahi();
    const browse = hall.spawn(['avahi-browse', '-rp', '_baseunit-base._tcp']);
    const found = printed(browse, 'stdout', /=;eth0;IPv4;home.*_baseunit-base._tcp.*10\.77\.0\.1;8899;.*"name=home"/);
    const configuration = {
      name: 'home',
      discovery: { interface: 'eth0' },
      units: { listen: '0.0.0.0:8899', known: {} },
    };
    const base = await BaseProcess.start(configuration, { under: house.under });
    await base.logged("discovery uses the machine's Avahi", { library: 'mdns' });
    await found;
    expect(await base.stop()).toMatchObject({ code: 0 });
    await killed(browse);
  });
});
