import { readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import type { CommandRequest } from '../../../../base/core/command-request.js';
import type { ConnectionInput } from '../../../../base/core/connection.js';
import type { Delivery } from '../../../../base/core/delivery.js';
import type { HandlerContext } from '../../../../base/dialects/handler.js';
import { LineDialect } from '../../../../base/dialects/line/line-dialect.js';
import { BOOT_MS, LineWriteSession, WRITTEN_MS } from '../../../../base/dialects/line/line-write-session.js';
import type { UnitDefinition } from '../../../../protocol/definition/index.js';
import lamp from '../../../../units/led-lamp-line.js';
import lightSensor from '../../../../units/light-sensor.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { DialectRig } from '../../dialects/dialect-rig.js';
import { HostRig } from '../../dialects/host-rig.js';
import { MemoryCarrier } from '../../dialects/memory-carrier.js';
import { FarEnd, SerialLine, until } from './serial-line.js';

/** A base on a clock advanced by hand whose line dialect serves one unit at the base's end of a line. */
async function serving(uid: string, definition: UnitDefinition, line: SerialLine): Promise<HostRig> {
  const rig = new HostRig();
  const unit = { uid, definition, address: { serial: line.path, baud: 115_200 }, key: undefined };
  await rig.boot(undefined, async () => {
    rig.router.add(unit);
    await rig.host.start(new LineDialect(), [unit]);
  });
  onTestFinished(async () => {
    await rig.end();
    await until(() => rig.clock.waiting === 0);
  });
  return rig;
}

const stateOf = (rig: HostRig, uid: string) => rig.router.get(uid)!;
/** Lets time pass until it is so, slowly enough for what real ports do meanwhile. */
async function passing(rig: HostRig, isSo: () => boolean, stepMs = 100): Promise<void> {
  while (!isSo()) {
    await rig.clock.advance(stepMs);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
/** This process has that port open. */
const isOpen = (line: SerialLine): boolean => {
  const device = realpathSync(line.path);
  return readdirSync('/proc/self/fd').some((fd) => linkOf(`/proc/self/fd/${fd}`) === device);
};
function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
const isOnline = (rig: HostRig, uid: string) => () => stateOf(rig, uid).state === 'online';

test('a read unit: its lines are readings; half a line at the begin is none', async () => {
  const line = await SerialLine.plugged();
  const unit = await FarEnd.at(line);
  const rig = await serving('light', lightSensor, line);
  await until(isOnline(rig, 'light'));
  await unit.write('7\r\n');
  const readings = () => rig.heard.flatMap((each) => (each.kind === 'report' && 'fields' in each ? [each.fields] : []));
  await unit.write('412\r\n9');
  await until(() => readings().length > 0);
  await unit.write('9\r\n');
  await until(() => readings().length > 1);
  expect(readings().map((fields) => Object.values(fields!))).toEqual([[412], [99]]);
});

const red = (id: string): CommandRequest => ({
  id,
  unit: 'lamp',
  command: 'setColor',
  source: 'test',
  fields: { color: '#ff0000' },
});

test('an updatable unit: its port is held, a line is ok when it is on the wire, and none before its boot loader is done', async () => {
  const line = await SerialLine.plugged();
  const unit = await FarEnd.at(line);
  const rig = await serving('lamp', lamp, line);
  let first: string | undefined;
  void rig.router.command(red('c1')).then(({ outcome }) => {
    first = outcome;
  });
  await until(() => isOpen(line));
  await passing(rig, isOnline(rig, 'lamp'));
  expect(rig.clock.monotonic()).toBeGreaterThanOrEqual(BOOT_MS);
  await until(() => first !== undefined);
  expect(first).toBe('ok');
  expect(Buffer.from(await unit.until((heard) => heard.length >= 8)).toString()).toBe('#ff0000\r');
  expect(stateOf(rig, 'lamp').state).toBe('online');
  // It never speaks, and is there still.
  await rig.clock.advance(3_600_000);
  expect(await rig.router.command(red('c2'))).toMatchObject({ outcome: 'ok' });
  expect(Buffer.from(await unit.until((heard) => heard.length >= 8)).toString()).toBe('#ff0000\r');
});

test('an updatable unit that is unplugged is offline with the reason, and takes lines again when it is plugged in', async () => {
  const line = await SerialLine.plugged();
  const rig = await serving('lamp', lamp, line);
  await passing(rig, isOnline(rig, 'lamp'));
  await line.unplug();
  await until(() => stateOf(rig, 'lamp').state === 'offline');
  expect(stateOf(rig, 'lamp').reason).toMatch(/^the port was closed: the serial port is gone: ./);
  await passing(rig, () => /is not there/.test(stateOf(rig, 'lamp').reason ?? ''), 1_000);
  expect(await rig.router.command(red('c1'))).toMatchObject({
    outcome: 'unreachable',
    reason: expect.stringMatching(/is not there/),
  });
  await line.plug();
  await passing(rig, isOnline(rig, 'lamp'), 1_000);
  expect(await rig.router.command(red('c2'))).toMatchObject({ outcome: 'ok' });
});

/** A session with an updatable unit whose port takes nothing. */
async function stalled() {
  const clock = new ManualClock();
  const carrier = new MemoryCarrier('serial:/dev/ttyUSB0');
  const { connections } = new DialectRig();
  const context = {
    clock,
    connected: (input: ConnectionInput) => connections.opened(input, 'line'),
  } as unknown as HandlerContext;
  const unit = { uid: 'lamp', definition: lamp, address: { serial: '/dev/ttyUSB0', baud: 9_600 }, key: undefined };
  const session = new LineWriteSession(context, unit, carrier, () => '#ff0000\r');
  const ended: (Error | undefined)[] = [];
  const opened = session.start(
    {
      inbound: () => {},
      closed: (error) => void ended.push(error),
    },
    new AbortController().signal,
  );
  await clock.advance(BOOT_MS);
  await opened;
  carrier.isStalled = true;
  return { clock, carrier, session, ended };
}

test('a line that the port does not take is unknown, and the port is opened anew', async () => {
  const { clock, carrier, session, ended } = await stalled();
  const delivered = session.deliver({} as Delivery);
  await clock.advance(WRITTEN_MS);
  expect(await delivered).toEqual({ outcome: 'unknown', reason: 'the port did not take the line within 2 s' });
  await clock.advance(0);
  expect(ended).toMatchObject([{ code: 'link-stalled' }]);
  expect([carrier.peer.isDestroyed, session.isClosing, clock.waiting]).toEqual([true, true, 0]);
});

test('a line that was begun when the port is gone is unknown, and not said to be written', async () => {
  const { clock, carrier, session } = await stalled();
  const delivered = session.deliver({} as Delivery);
  carrier.peer.reset('EIO');
  await clock.advance(0);
  expect(await delivered).toEqual({
    outcome: 'unknown',
    reason: 'the line may not have been written; the port was closed: EIO',
  });
  expect(clock.waiting).toBe(0);
});
