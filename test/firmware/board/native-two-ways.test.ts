import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { SerialDialer } from '../../../base/links/serial/serial-dialer.js';
import { TcpDialer } from '../../../base/links/tcp-dialer.js';
import { systemClock } from '../../../base/system.js';
import { soon } from '../../simulator/support/soon.js';
import { here } from '../runtime/cpp-program.js';
import { BaseSession, identity } from './support/base-session.js';
import { buildNative, type NativeProgram, NativePrograms } from './support/native-program.js';
import { layCable, type SerialCable } from './support/serial-cable.js';

const TOO_MUCH_LOAD = 0x02;
/** What a unit waits before it begins again over a line at which nobody is. */
const AGAIN_MS = 2_000;

let lamp: string;
let cable: SerialCable;
let unit: NativeProgram;
const programs = new NativePrograms();
const dialer = new SerialDialer(systemClock);

beforeAll(async () => {
  lamp = await buildNative('native-lamp', `${here}/model/main.cpp`);
}, 180_000);
beforeEach(async () => {
  cable = await layCable();
  unit = programs.start(lamp, ...identity, '--serial', cable.unit, '--listen', '127.0.0.1:0');
});
afterEach(async () => {
  await programs.stopAll();
  await cable.stop();
});

async function overTcp(): Promise<BaseSession> {
  const address = { host: '127.0.0.1', port: await unit.port() };
  return new BaseSession(await new TcpDialer(systemClock).dial(address, new AbortController().signal));
}
async function overSerial(): Promise<BaseSession> {
  const address = { serial: cable.base, baud: 115_200 };
  return new BaseSession(await soon(() => dialer.dial(address, new AbortController().signal)));
}
async function hangUp(session: BaseSession): Promise<void> {
  session.carrier.end();
  session.carrier.destroy();
  await session.closed;
}

test('a line at which nobody is keeps no base on the network waiting', async () => {
  const before = performance.now();
  for (let count = 0; count < 4; count += 1) {
    const session = await overTcp();
    await session.greet();
    await hangUp(session);
  }
  expect(performance.now() - before).toBeLessThan(AGAIN_MS);
});

test('a base over the line is told that another is served over the network, and is served once that one is gone', async () => {
  const network = await overTcp();
  await network.greet();
  await network.next();
  const refused = await overSerial();
  expect(await refused.next()).toEqual({ kind: 'close', code: TOO_MUCH_LOAD });
  await hangUp(refused);
  await hangUp(network);
  const line = await overSerial();
  await line.greet();
  await hangUp(line);
});

test('and a base over the network is told that another is served over the line', async () => {
  const line = await overSerial();
  await line.greet();
  const network = await overTcp();
  expect(await network.next()).toEqual({ kind: 'close', code: TOO_MUCH_LOAD });
  await hangUp(line);
});
