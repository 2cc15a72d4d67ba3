import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { LINE_RATE } from '../../base/dialects/line/line-read-session.js';
import { UNIT_RATE } from '../../base/dialects/unit/inbound-bounds.js';
import { MAX_UNPROVED } from '../../base/links/unproved.js';
import type { SimulatedUnit } from '../../simulator/simulated-unit.js';
import { BaseProcess, freePort } from './support/base-process.js';
import { simulated } from './support/simulated.js';

const http = { listen: '127.0.0.1:0' };
const key = '5a'.repeat(16);
const keyOf = (): Uint8Array => new Uint8Array(16).fill(0x5a);
const setColor = (color: string) => ({ command: 'setColor', fields: { color } });
/** What hundreds of sockets and their buffers may cost; a leak of 1 KiB a connection or line would be more. */
const MORE_MIB = 96;

const descriptorsOf = (base: BaseProcess): number => readdirSync(`/proc/${base.pid}/fd`).length;

async function dialAddress(base: BaseProcess): Promise<{ readonly host: string; readonly port: number }> {
  const { address } = await base.logged('units may dial in');
  return { host: '127.0.0.1', port: Number((address as string).split(':')[1]) };
}

/** Writes this on a connection of its own, then waits until the peer closes or `stayMs` are over. */
function poke(port: number, octets: Uint8Array | string, localAddress = '127.0.0.1', stayMs = 200): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, localAddress });
    const late = setTimeout(() => socket.destroy(), stayMs);
    socket.on('error', () => {});
    socket.on('data', () => {});
    socket.on('close', () => {
      clearTimeout(late);
      resolve();
    });
    if (octets.length > 0) socket.write(octets);
  });
}

/** A unit's place where whoever connects is written at for ever, as fast as it reads. */
async function flooding(octets: string): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    const flood = (): void => {
      while (!socket.destroyed && socket.write(octets));
    };
    socket.on('drain', flood);
    flood();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('10 000 connections that say nothing: bounded, and an honest unit still gets in', async () => {
  const base = await BaseProcess.start({
    http,
    units: { listen: '127.0.0.1:0', known: { thermometer: { definition: 'thermometer', key } } },
  });
  const address = await dialAddress(base);
  const [memory, descriptors] = [base.memoryMiB, descriptorsOf(base)];
  const open = new Set<Socket>();
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
  });
  const room: (() => void)[] = [];
  let most = 0;
  let honest: ReturnType<typeof simulated> | undefined;
  const connectOne = (number: number): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect({ ...address, localAddress: `127.78.0.${1 + (number % 40)}` });
      open.add(socket);
      socket.on('error', () => {});
      socket.on('connect', () => resolve());
      socket.on('close', () => {
        open.delete(socket);
        resolve();
        for (const go of room.splice(0)) go();
      });
    });
  let begun = 0;
  const flood = async (): Promise<void> => {
    for (let number = begun++; number < 10_000; number = begun++) {
      // More than the base and its backlog hold would be turned away by the kernel, for a second each.
      while (open.size > MAX_UNPROVED + 200) await new Promise<void>((resolve) => room.push(resolve));
      await connectOne(number);
      if (number % 100 === 0) most = Math.max(most, descriptorsOf(base));
      if (number === 5_000) honest = simulated('thermometer', { keyOf, dial: { address } });
    }
  };
  await Promise.all(Array.from({ length: 64 }, flood));
  const unit = await honest!;
  await unit.heard('connected');
  expect(open.size).toBeGreaterThan(0);
  await base.unitIs('thermometer', 'reported', ({ last }) => last.reading !== undefined);
  // Beside them: the API's, the unit's, and what waits to be accepted or to be closed.
  expect(most - descriptors).toBeLessThan(MAX_UNPROVED + 256);
  expect(base.memoryMiB - memory).toBeLessThan(MORE_MIB);
  expect(unit.events.some(({ kind }) => kind === 'disconnected')).toBe(false);
  expect(await base.stop()).toMatchObject({ code: 0 });
});

test('garbage at every port: nothing falls over, nothing else is disturbed', async () => {
  const lamp = await simulated('led-lamp');
  const hubPort = await freePort();
  const base = await BaseProcess.start({
    http,
    hub: { listen: `127.0.0.1:${hubPort}`, apps: [{ id: 'app', key: 'key', secret: 'secret' }] },
    units: {
      listen: '127.0.0.1:0',
      known: { ...lamp.known(), thermometer: { definition: 'thermometer', key } },
    },
  });
  const { port } = await dialAddress(base);
  const honest = await simulated('thermometer', { keyOf, dial: { address: { host: '127.0.0.1', port } } });
  await honest.heard('connected');
  const upgrade =
    'GET /app/key?protocol=7 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
  const apiPort = Number(new URL(base.url).port);
  const garbage = (): (Uint8Array | string)[] => [
    randomBytes(3_000),
    Buffer.concat([Uint8Array.of(0x01, 0x03, 0xff, 0xff), randomBytes(64)]),
    `GET ${'/x'.repeat(20_000)} HTTP/1.1\r\n\r\n`,
    'POST /api/v1/units/led-lamp/commands HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n{',
    Buffer.concat([Buffer.from(upgrade), randomBytes(2_000)]),
    '\r\n\r\n\0\0',
  ];
  const pokes: Promise<void>[] = [];
  for (let round = 0; round < 15; round += 1) {
    for (const target of [port, hubPort, apiPort]) {
      for (const octets of garbage()) pokes.push(poke(target, octets, `127.79.0.${1 + round}`));
    }
  }
  await Promise.all(pokes);
  expect(await base.send('led-lamp', setColor('#112233'))).toMatchObject({ outcome: 'ok' });
  expect((await fetch(`http://127.0.0.1:${hubPort}/apps/app/channels`)).status).toBe(401);
  expect(honest.events.some(({ kind }) => kind === 'disconnected')).toBe(false);
  expect(base.isOver).toBe(false);
  expect(base.log.filter(({ level }) => level >= 50)).toEqual([]);
  // Strangers get some lines, never one each.
  expect(base.log.length).toBeLessThan(100);
});

test('a unit that floods is slowed down to its rate, and only it', async () => {
  const lamp = await simulated('led-lamp');
  const talker = await simulated('thermometer', { uid: 'talker' });
  const base = await BaseProcess.start({ http, units: { known: { ...lamp.known(), ...talker.known() } } });
  await talker.heard('connected');
  const startedAt = performance.now();
  const unit = talker.units[0] as unknown as SimulatedUnit;
  const isReported = ({ kind }: { readonly kind: string }): boolean => kind === 'reported';
  const enough = UNIT_RATE.burst + UNIT_RATE.perSecond;
  let reported = 0;
  for (let from = 0; reported < enough; from = talker.events.length) {
    unit.report('reading', { temperature: 20 });
    // It sends the next report when the last is acknowledged: as fast as the base lets it.
    await talker.heard('reported', () => true, from);
    reported = talker.events.filter(isReported).length;
  }
  const allowed = UNIT_RATE.burst + (UNIT_RATE.perSecond * (performance.now() - startedAt)) / 1_000;
  expect(reported).toBeLessThan(allowed + 1);
  expect(await base.send('led-lamp', setColor('#778899'))).toMatchObject({ outcome: 'ok' });
  expect(talker.events.some(({ kind }) => kind === 'disconnected')).toBe(false);
  const { counts, state } = await base.unit('talker');
  expect([state, counts.missing]).toEqual(['online', 0]);
});

test('units that write without end, and one that never reads: cut or waited for alone, the others served meanwhile', async () => {
  const lamp = await simulated('led-lamp');
  const deaf = await simulated('led-lamp', { uid: 'deaf' });
  const base = await BaseProcess.start({
    http,
    units: {
      known: {
        ...lamp.known(),
        ...deaf.known(),
        endless: { definition: 'light-sensor', address: await flooding('9'.repeat(16_384)) },
        lines: { definition: 'light-sensor', address: await flooding('512\n'.repeat(4_096)) },
      },
    },
  });
  const memory = base.memoryMiB;
  const startedAt = performance.now();
  expect(await base.send('deaf', setColor('#000001'))).toMatchObject({ outcome: 'ok' });
  deaf.setFault({ kind: 'silence' });
  const unheard = base.send('deaf', setColor('#000002'));
  const behind = base.send('deaf', { ...setColor('#000003'), ttlS: 1 });
  await base.unitIs('endless', 'refused', ({ reason }) => /without an end/.test(reason ?? ''));
  await base.unitIs('lines', 'read', ({ counts }) => counts.reports >= LINE_RATE.burst);
  const sentAt = performance.now();
  expect(await base.send('led-lamp', setColor('#445566'))).toMatchObject({ outcome: 'ok' });
  expect(performance.now() - sentAt).toBeLessThan(2_000);
  expect(await behind).toMatchObject({ outcome: 'expired' });
  expect(await unheard).toMatchObject({ outcome: 'timeout' });
  const { counts } = await base.unit('lines');
  const allowed = LINE_RATE.burst + (LINE_RATE.perSecond * (performance.now() - startedAt)) / 1_000;
  expect(counts.reports).toBeLessThan(allowed + 2 * LINE_RATE.perSecond);
  expect(base.memoryMiB - memory).toBeLessThan(MORE_MIB);
  expect(base.log.length).toBeLessThan(200);
  expect(await base.stop()).toMatchObject({ code: 0 });
});
