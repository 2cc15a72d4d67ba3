import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { deferred } from '../../../../base/core/deferred.js';
import { OPEN_TIMEOUT_MS, SerialDialer } from '../../../../base/links/serial/serial-dialer.js';
import { openSerialPort, type SerialPort } from '../../../../base/links/serial/serial-port.js';
import { systemClock } from '../../../../base/system.js';
import { temporaryFolder } from '../../../cli/support/program.js';
import { ManualClock, settle } from '../../../support/manual-clock.js';
import { SerialLine, until } from './serial-line.js';

const clock = new ManualClock();
const { signal } = new AbortController();
const at = (serial: string) => ({ serial, baud: 115_200 });

/** A port that does nothing. */
function idlePort() {
  const port = {
    closed: 0,
    read: () => new Promise<never>(() => {}),
    write: async () => {},
    drain: async () => {},
    flush: async () => {},
    set: async () => {},
    close: async () => {
      port.closed += 1;
    },
  } satisfies SerialPort & { closed: number };
  return port;
}

test('a port that is not there: the message says so, and what to do', async () => {
  await expect(new SerialDialer(clock).dial(at('/dev/ttyUSB99'), signal)).rejects.toMatchObject({
    code: 'connect-failed',
    message: expect.stringMatching(
      /^\/dev\/ttyUSB99 is not there \((no board|there are \/dev).*\): plug the board in$/,
    ),
  });
});

test('a file that is no serial port', async () => {
  const file = join(temporaryFolder(), 'file');
  writeFileSync(file, '');
  await expect(new SerialDialer(clock).dial(at(file), signal)).rejects.toMatchObject({
    code: 'connect-failed',
    message: expect.stringMatching(/cannot be opened: /),
  });
});

test.each([
  [
    'Error: Permission denied, cannot open file',
    'connect-failed',
    /may not be used by this user: sudo usermod -aG dialout/,
  ],
  ['Error: Device or resource busy, cannot open file', 'serial-busy', /is held by another program/],
  ['Error baud rate of 7 is not supported on your platform', 'connect-failed', /cannot be opened: .*baud rate of 7/],
])('what the system says of a port (%s) is told with what to do', async (said, code, message) => {
  const file = join(temporaryFolder(), 'file');
  writeFileSync(file, '');
  const open = async () => Promise.reject(new Error(said));
  const opening = openSerialPort(at(file), systemClock, async () => ({ SerialPort: { binding: { open } } }));
  await expect(opening).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

test('a machine without the compiled part of the package', async () => {
  const load = () => Promise.reject(new Error('No native build was found for platform=sunos'));
  await expect(openSerialPort(at('/dev/ttyUSB0'), clock, load)).rejects.toMatchObject({
    code: 'tool-missing',
    message: expect.stringMatching(/serialport cannot be loaded \(No native build.*npm rebuild/),
  });
});

test('a second asker of one base is told who has the port, by whatever name it asks; when it is closed it may have it', async () => {
  const line = await SerialLine.plugged();
  const dialer = new SerialDialer(clock);
  const carrier = await dialer.dial(at(line.path), signal);
  const alias = join(temporaryFolder(), 'by-id');
  symlinkSync(line.path, alias);
  await expect(dialer.dial(at(alias), signal)).rejects.toMatchObject({
    code: 'serial-busy',
    message: expect.stringContaining(
      `${alias} is open already, in this base, for the unit at serial:${line.path}: two units cannot share a port`,
    ),
  });
  const closed = deferred<void>();
  carrier.attach({ octets: () => {}, drained: () => {}, ended: () => {}, closed: () => closed.resolve() });
  carrier.destroy();
  await closed.promise;
  const again = await dialer.dial(at(alias), signal);
  again.destroy();
});

test('a port that another program has', async () => {
  const line = await SerialLine.plugged();
  const program = holding(line.path);
  await once(program.stdout!, 'data');
  await expect(new SerialDialer(systemClock).dial(at(line.path), signal)).rejects.toMatchObject({
    code: 'serial-busy',
    message: expect.stringMatching(/is held by another program.*fuser/),
  });
});

/** A process that holds a port as programs with serial ports do (`flock`). */
function holding(path: string): ChildProcess {
  const program = spawn('flock', ['-x', path, 'sh', '-c', 'echo held; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  onTestFinished(() => void process.kill(-program.pid!, 'SIGKILL'));
  return program;
}

test('one that does not open in time is given up, and closed when it opens after all', async () => {
  const time = new ManualClock();
  const opening = deferred<SerialPort>();
  const port = idlePort();
  const dialer = new SerialDialer(time, () => opening.promise);
  const late = dialer.dial(at('/dev/hanging'), signal);
  late.catch(() => {});
  await time.advance(OPEN_TIMEOUT_MS - 1);
  const second = dialer.dial(at('/dev/hanging'), signal);
  await expect(second).rejects.toMatchObject({ code: 'serial-busy' });
  await time.advance(1);
  await expect(late).rejects.toMatchObject({ code: 'connect-timeout', message: expect.stringContaining('5 s') });
  // Still being opened: it is not free yet.
  await expect(dialer.dial(at('/dev/hanging'), signal)).rejects.toMatchObject({ code: 'serial-busy' });
  opening.resolve(port);
  await until(() => port.closed === 1);
  await settle();
  const free = await dialer.dial(at('/dev/hanging'), signal);
  free.destroy();
  expect(time.waiting).toBe(0);
});

test('the signal ends it with its reason, before and while it opens', async () => {
  const time = new ManualClock();
  const port = idlePort();
  const opening = deferred<SerialPort>();
  const dialer = new SerialDialer(time, () => opening.promise);
  const stop = new AbortController();
  const dialling = dialer.dial(at('/dev/hanging'), stop.signal);
  stop.abort(new Error('the base is stopping'));
  await expect(dialling).rejects.toThrow('the base is stopping');
  await expect(dialer.dial(at('/dev/other'), stop.signal)).rejects.toThrow('the base is stopping');
  opening.resolve(port);
  await until(() => port.closed === 1);
  expect(time.waiting).toBe(0);
});
