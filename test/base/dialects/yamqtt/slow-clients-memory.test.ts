import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test } from 'vitest';
import { Clients } from '../../../../base/dialects/yamqtt/clients.js';
import { defaultYamqttLimits } from '../../../../base/dialects/yamqtt/yamqtt-limits.js';
import { TcpCarrier } from '../../../../base/links/tcp-carrier.js';
import { ManualClock, settle } from '../../../support/manual-clock.js';
import { QuietLog } from '../../../support/quiet-log.js';
import { temporaryFolder } from '../../config/temporary-folder.js';
import { MESSAGE, message } from './yamqtt-rig.js';

/* Hundreds that read nothing, each on a flow of its own. On sockets of a file, for which the system keeps little. */

const KIB = 1_024;
const SILENT = 400;
const IN_ALL = 4 * KIB * KIB;
/** Messages on each flow, and how many of them at a time: 600 KB in all, of which the system has 213 KB at most. */
const EACH = 200;
const STEP = 5;
const LATE_MS = 10_000;
/** Of each socket: its high-water mark and a write. */
const IN_SOCKET = 16 * KIB + STEP * MESSAGE;
/** What hundreds of sockets take, and what is published in a turn. Without the bound there would be 90 MB. */
const TOLERANCE = 24 * KIB * KIB;

/** Counts what it is sent: messages, those that it is told it has missed, and the last text. */
class Reader {
  readonly socket: Socket;
  got = 0;
  missed = 0;
  last = '';
  #rest = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  #take(chunk: Buffer): void {
    const octets = Buffer.concat([this.#rest, chunk]);
    const whole = octets.length - (octets.length % MESSAGE);
    for (let at = 0; at < whole; at += MESSAGE) {
      const text = octets.toString('latin1', at + 2 * KIB, octets.indexOf(0, at + 2 * KIB));
      this.last = text;
      if (octets[at] === 'm'.charCodeAt(0)) this.got += 1;
      else this.missed += Number(/^dropped (\d+) messages$/.exec(text)![1]);
    }
    this.#rest = octets.subarray(whole);
  }
}

test('all that is kept for silent clients is bounded; each is told what it missed, and one that reads misses nothing', async () => {
  const limits = { ...defaultYamqttLimits, unsentOctetsInAll: IN_ALL };
  const clients = new Clients({ limits, clock: new ManualClock(), log: new QuietLog() });
  const carriers: TcpCarrier[] = [];
  const server = createServer((socket) => {
    const carrier = new TcpCarrier(socket, 'a client');
    carriers.push(carrier);
    clients.take({ carrier, proved: () => {} });
  });
  const path = join(temporaryFolder(), 'socket');
  server.listen(path);
  await once(server, 'listening');
  const readers: Reader[] = [];
  onTestFinished(() => {
    server.close();
    for (const { socket } of readers) socket.destroy();
  });
  const subscriber = async (...flows: readonly number[]): Promise<Reader> => {
    const reader = new Reader(connect(path));
    readers.push(reader);
    reader.socket.write(Buffer.concat(flows.map((flow) => message('s', flow))));
    const all = clients.flows.subscriptions + flows.length;
    await until(() => clients.flows.subscriptions === all);
    return reader;
  };
  const silent: Reader[] = [];
  for (let flow = 1; flow <= SILENT; flow += 1) silent.push(await subscriber(flow));
  for (const { socket } of silent) socket.pause();
  const quick = await subscriber(1, 2, 3);

  const before = heldOctets();
  let [most, mostHeld] = [0, 0];
  for (let sent = 0; sent < EACH; ) {
    for (const end = sent + STEP; sent < end; sent += 1)
      for (let flow = 1; flow <= SILENT; flow += 1) {
        clients.flows.publish(flow, Buffer.from(String(sent)));
        most = Math.max(most, clients.slow.octets);
      }
    await until(() => quick.got === 3 * sent);
    if (sent % (10 * STEP) === 0) mostHeld = Math.max(mostHeld, heldOctets());
  }
  expect(clients.slow.areMany).toBe(true);
  expect(most).toBeLessThanOrEqual(IN_ALL);
  // It came to the bound.
  expect(most).toBeGreaterThan(IN_ALL - MESSAGE);
  const inSockets = carriers.reduce((sum, { buffered }) => sum + buffered, 0);
  expect(inSockets).toBeLessThan(SILENT * IN_SOCKET);
  expect(mostHeld - before).toBeLessThan(IN_ALL + inSockets + TOLERANCE);
  expect(quick.missed).toBe(0);

  for (const { socket } of silent) socket.resume();
  await until(() => clients.slow.octets === 0 && silent.every(({ got, missed }) => got + missed === EACH));
  expect(silent.filter(({ last }) => last !== String(EACH - 1) && !last.startsWith('dropped '))).toEqual([]);
  expect(silent.reduce((sum, { missed }) => sum + missed, 0)).toBe(clients.counts.dropped);
  expect(clients.counts.dropped).toBeGreaterThan((SILENT * EACH) / 3);
  const stopping = clients.stop();
  for (const { socket } of readers) socket.destroy();
  await stopping;
});

async function until(isSo: () => boolean): Promise<void> {
  const late = performance.now() + LATE_MS;
  while (!isSo()) {
    if (performance.now() > late) throw new Error('it never came to that');
    await settle(1);
  }
}

/** Octets that the process holds, in JavaScript's heap and beside it, after the collector went through. */
function heldOctets(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  // Buffers that nobody has go with the second one.
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
