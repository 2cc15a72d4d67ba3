import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../base/system.js';
import { ConcentratorRig, type RigOptions } from '../base/dialects/iotsocket/concentrator-rig.js';
import { OctetPeer, uidHex } from '../base/dialects/iotsocket/octet-peer.js';
import { makeCertificates } from '../base/uplinks/certificates.js';
import { temporaryFolder } from '../cli/support/program.js';
import { startFlood } from './support/connection-flood.js';

/** How long an honest object may take, whatever others do. */
const LOGIN_MS = 2_000;

const certificates = makeCertificates();
let rig: ConcentratorRig;
afterEach(() => rig.stop());

/** A concentrator with the bounds of reference/limits.md, but that an object may log in as often as the test wants. */
async function start(options: RigOptions = {}): Promise<void> {
  const folder = temporaryFolder();
  const tls = { cert: join(folder, 'server.crt'), key: join(folder, 'server.key') };
  writeFileSync(tls.cert, certificates.cert);
  writeFileSync(tls.key, certificates.key);
  rig = await ConcentratorRig.start({
    clock: systemClock,
    ...options,
    options: { tls, ...options.options },
    limits: { unprovedPerAddress: 16, ...options.limits },
  });
}

const tls = { ca: certificates.ca, servername: 'localhost' };

/** How long an object needs for its login. Cut before, it tries again at once. */
async function loginMs(isTls: boolean): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    const peer = await OctetPeer.connect(rig.ports.tcp, '127.0.0.1');
    try {
      await peer.open({ uid: 'ObjTest', ...(isTls ? { tls } : {}) });
      return performance.now() - startedAt;
    } catch (error) {
      if (performance.now() - startedAt > 2 * LOGIN_MS) throw error;
    } finally {
      peer.socket.destroy();
    }
  }
}

test.each([
  ['each from an address of its own', undefined],
  ["all from the object's own address", '127.0.0.1'],
])(
  '1 000 silent connections, 500 silent within TLS and 500 that send an octet a second, %s, do not keep an honest object from logging in within 2 s',
  async (_, from) => {
    await start();
    const session = await rig.open('ObjTest');
    const strangers = await startFlood({ port: rig.ports.tcp, silent: 1_000, inTls: 500, dripping: 500, from });
    onTestFinished(() => strangers.stop());
    const took: number[] = [];
    for (let round = 1; round <= 4; round += 1) {
      // Strangers that were cut have come again.
      while (strangers.connected() < 2_000 + round * 500) await turn();
      took.push(await loginMs(false), await loginMs(true));
    }
    console.info(`logged in within ${took.map(Math.round).join(', ')} ms`);
    expect(Math.max(...took)).toBeLessThan(LOGIN_MS);
    // A session that stood was replaced, and nothing else happened to it.
    expect(await session.readAll()).toBe('f0a1');
  },
);

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const SLOW = uidHex('slow');
const QUICK = uidHex('quick');
const ROUNDS = 400;
const PAYLOAD = randomBytes(60_000);

const u16 = (number: number): Buffer => Buffer.of(number >> 8, number & 0xff);

/**
 * Round trips central → object → central, in ms, while the central asks another object for more than it takes. Tracking
 * numbers from `first` on.
 */
async function roundTrips(
  central: OctetPeer,
  quick: OctetPeer,
  first: number,
): Promise<{ p99: number; octets: number }> {
  const took: number[] = [];
  let octets = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const number = u16(first + round);
    const large = [Buffer.from(`38${SLOW}`, 'hex'), number, Buffer.of(0), u16(PAYLOAD.length), PAYLOAD];
    const small = [Buffer.from(`38${QUICK}`, 'hex'), number, Buffer.alloc(3)];
    const startedAt = performance.now();
    central.stream.write(Buffer.concat([...large, ...small]));
    expect(await quick.read(6)).toBe(`30${number.toString('hex')}000000`);
    quick.write(`40${number.toString('hex')}00000000`);
    // Before it comes what has become of requests to the other.
    while (!(await central.read(23)).startsWith(`48${QUICK}`));
    took.push(performance.now() - startedAt);
    octets = Math.max(octets, process.memoryUsage().arrayBuffers);
  }
  return { p99: took.sort((a, b) => a - b)[Math.floor(ROUNDS * 0.99)]!, octets };
}

test('a reader that stops reading is cut at the bound; the latency of others does not change, and memory stays flat', async () => {
  await start({
    objects: ['slow', 'quick'],
    limits: { transmissionBurst: 10_000 },
    options: { requestTimeoutMs: 60_000 },
  });
  const central = await rig.central();
  const quick = await rig.open('quick');
  let p99: readonly number[] = [];
  // What else this machine does may disturb one comparison, not three.
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const reader = await rig.open('slow');
    reader.stream.removeAllListeners('data').resume();
    const usual = await roundTrips(central, quick, 2 * attempt * ROUNDS);
    expect(rig.presence.at(-1)).toBe('slow online');
    const stopped = await rig.open('slow');
    stopped.socket.pause();
    const beside = await roundTrips(central, quick, (2 * attempt + 1) * ROUNDS);
    expect(rig.presence.at(-1)).toBe('slow offline: it did not take what was sent to it');
    console.info(
      `p99 ${usual.p99.toFixed(1)} ms beside a reader, ${beside.p99.toFixed(1)} ms beside one that stopped;`,
      `buffers ${(usual.octets / 1e6).toFixed(1)} MB and ${(beside.octets / 1e6).toFixed(1)} MB`,
    );
    expect(beside.octets).toBeLessThan(usual.octets + 8e6);
    p99 = [usual.p99, beside.p99];
    if (beside.p99 < 3 * usual.p99 + 20) break;
  }
  const [usual = 0, beside = 0] = p99;
  expect(beside).toBeLessThan(3 * usual + 20);
});

/** Memory in use, in octets, with nothing left to collect. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

test('hundreds of sessions that all drop at once, five times: each is noticed, nothing crashes and nothing is left', async () => {
  const objects = Array.from({ length: 600 }, (_, index) => `o${index}`);
  await start({ objects });
  const memory: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    rig.presence.length = 0;
    const peers: OctetPeer[] = [];
    for (let index = 0; index < objects.length; index += 16)
      peers.push(
        ...(await Promise.all(objects.slice(index, index + 16).map((uid) => OctetPeer.open(rig.ports.tcp, { uid })))),
      );
    expect(rig.presence).toHaveLength(600);
    // In every way a connection can end, all in one turn.
    for (const [index, { socket }] of peers.entries()) {
      if (index % 3 === 0) socket.resetAndDestroy();
      else if (index % 3 === 1) socket.destroy();
      else socket.end(Buffer.from('f0a0', 'hex'));
    }
    while (rig.presence.length < 1_200) await turn();
    peers.length = 0;
    await (await OctetPeer.open(rig.ports.tcp, { uid: 'o0' })).cut();
    while (rig.presence.length < 1_202) await turn();
    memory.push(heapUsed());
  }
  console.info(`heap after each: ${memory.map((octets) => `${(octets / 1e6).toFixed(1)} MB`).join(', ')}`);
  expect(memory.at(-1)).toBeLessThan(1.2 * memory[0]!);
  expect(rig.warnings()).toEqual([]);
});
