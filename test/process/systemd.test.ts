import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../cli/support/program.js';
import { BaseProcess } from './support/base-process.js';

/** As systemd listens: prints each datagram as a line. */
const LISTENER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('listens', flush=True)
while True:
    print(' '.join(s.recv(4096).decode().split('\\n')), flush=True)
`;

interface Heard {
  readonly lines: readonly string[];
  /** Resolves when so many lines begin like that. */
  heard(begin: string, count?: number): Promise<void>;
  count(begin: string): number;
}

/** Lines of a program's output; it is ended after the test. */
function listen(program: string, words: readonly string[], from: 'stdout' | 'stderr'): Heard & { end(): void } {
  const child = spawn(program, [...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  let rest = '';
  child[from].setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop()!;
    lines.push(...parts);
    for (const look of [...waiting]) look();
  });
  const count = (begin: string): number => lines.filter((line) => line.startsWith(begin)).length;
  const heard = (begin: string, wanted = 1): Promise<void> =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`never ${wanted} × ${begin}: ${lines.join(' | ')}`)), 20_000);
      const look = (): void => {
        if (count(begin) < wanted) return;
        clearTimeout(late);
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { lines, heard, count, end: () => void child.kill('SIGTERM') };
}

test('systemd is told when it runs, that it is well for as long as it is, and when it stops', async (context) => {
  const socket = join(temporaryFolder(), 'notify');
  const systemd = listen('python3', ['-c', LISTENER, socket], 'stdout');
  await systemd.heard('listens');
  const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '1500000' };
  const base = await BaseProcess.start({ name: 'home', http: { listen: '127.0.0.1:0' } }, { env });
  await systemd.heard('READY=1 STATUS=home: 0 units');
  await systemd.heard('WATCHDOG=1', 2);

  // A disk that takes what is written, and does not say so: nothing is refused, and all of it waits.
  const slow = ['-f', '-p', String(base.pid), '-e', 'trace=fdatasync,fsync'];
  const strace = listen('strace', [...slow, '-e', 'inject=fdatasync,fsync:delay_enter=60000000'], 'stderr');
  const isAttached = await Promise.race([
    strace.heard('strace: Process').then(() => true),
    strace.heard('strace: attach').then(() => false),
  ]);
  if (isAttached) {
    const sick = (count: number) =>
      base.until(`${count} × not well`, ({ log }) => log.filter(({ msg }) => /is not well/.test(msg)).length >= count);
    await sick(2);
    const told = systemd.count('WATCHDOG=1');
    await sick(4);
    expect(systemd.count('WATCHDOG=1')).toBe(told);
    expect(await base.logged(/is not well/)).toMatchObject({ level: 50, why: 'the store did not answer in time' });
    strace.end();
    await base.logged('the base is well again');
    await systemd.heard('WATCHDOG=1', told + 1);
  } else process.stderr.write('LEFT OUT: a disk that hangs needs strace, which may not look at processes here\n');

  expect((await base.stop()).code).toBe(0);
  await systemd.heard('STOPPING=1');
  expect(base.log.at(-1)).toMatchObject({ msg: 'stopped', state: 'gracefully_stopped' });
  if (!isAttached) context.skip('strace may not look at processes here');
}, 60_000);
