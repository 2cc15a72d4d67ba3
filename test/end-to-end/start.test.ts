import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { eventually, root, temporaryFolder } from './support/house.js';

/** A fresh checkout: what git knows of, as it is now, and nothing that was installed or built. */
function checkout(): string {
  const folder = temporaryFolder();
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  for (const file of files.split('\0').filter((name) => name !== '')) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(root, file), join(folder, file), { force: true, preserveTimestamps: true });
  }
  return folder;
}

/**
 * What makes npm install in seconds. SQLite is ready-made for this machine, where npm looks for it before it compiles it: what its
 * makers offer for download, here as it was compiled for the tests themselves. The optional mdns is left out, as on a machine
 * without Avahi's headers: nothing can be compiled without Node's own.
 */
function quickInstall(): Record<string, string> {
  const folder = temporaryFolder();
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/better-sqlite3/package.json'), 'utf8'));
  const { modules } = process.versions;
  const name = `better-sqlite3-v${version}-node-v${modules}-${process.platform}-${process.arch}.tar.gz`;
  const compiled = 'build/Release/better_sqlite3.node';
  execFileSync('tar', ['-czf', join(folder, name), '-C', join(root, 'node_modules/better-sqlite3'), compiled]);
  return { npm_config_better_sqlite3_local_prebuilds: folder, npm_config_nodedir: join(folder, 'none') };
}

/** Everything a process group has printed, and a way to wait for more. */
class Output {
  text = '';
  readonly #waiting = new Set<() => void>();

  constructor(child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.text += chunk.toString('utf8');
        for (const look of this.#waiting) look();
      });
    }
    child.on('close', () => {
      this.text += '\n(ended)';
      for (const look of this.#waiting) look();
    });
  }

  /** Rejects when the process ends before it printed that. */
  shows(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this.text);
        if (match === null && !this.text.endsWith('(ended)')) return;
        this.#waiting.delete(look);
        if (match === null) reject(new Error(`it ended without ${pattern}:\n${this.text}`));
        else resolve(match);
      };
      this.#waiting.add(look);
      look();
    });
  }
}

/** Processes of that group that are not over. */
function alive(group: number): string[] {
  const lines = execFileSync('ps', ['-eo', 'pgid=,pid=,stat=,args='], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => Number(line.trim().split(/\s+/)[0]) === group && !/^\s*\d+\s+\d+\s+Z/.test(line));
}

function start(
  folder: string,
  words: readonly string[],
  program = 'npm',
  path = process.env.PATH,
  more: Readonly<Record<string, string>> = {},
): { readonly output: Output; readonly group: number; readonly ended: Promise<void> } {
  const child = spawn(program, words, {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...more, PATH: path, NO_COLOR: '1' },
  });
  const group = child.pid!;
  onTestFinished(() => {
    for (const line of alive(group)) if (line !== '') process.kill(-group, 'SIGKILL');
  });
  return { output: new Output(child), group, ended: new Promise((resolve) => child.once('close', () => resolve())) };
}

/** Ctrl-C in a terminal reaches every process of the foreground group. Gives how long the end took, in ms. */
async function pressCtrlC({
  group,
  ended,
}: {
  readonly group: number;
  readonly ended: Promise<void>;
}): Promise<number> {
  const startedAt = performance.now();
  process.kill(-group, 'SIGINT');
  await ended;
  return performance.now() - startedAt;
}

/** A checkout as this one, with what is installed and built here: the second start of the same machine. */
function installed(): string {
  const folder = checkout();
  for (const name of ['node_modules', '.build']) {
    if (existsSync(join(root, name))) symlinkSync(join(root, name), join(folder, name));
  }
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
  // Newer than its sources, which were copied just now as well.
  const now = new Date();
  utimesSync(join(folder, 'dist', 'built'), now, now);
  return folder;
}

// What is copied below as built.
beforeAll(() => void execFileSync(process.execPath, ['scripts/prepare.mjs', 'build'], { cwd: root, stdio: 'pipe' }));

const firmwareIsUp = /thermometer\s+reading\s+temperature/;

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s to npm alone ends all of it',
  async (signal) => {
    const started = start(installed(), ['start']);
    await started.output.shows(firmwareIsUp);
    process.kill(started.group, signal);
    await eventually('everything to end', () => alive(started.group).length === 0, 5_000);
  },
  120_000,
);

test('without a C++ compiler it says so, says what to install, and simulates the units', async () => {
  const folder = installed();
  const programs = temporaryFolder();
  symlinkSync('/bin/sh', join(programs, 'sh'));
  const started = start(folder, ['cli/baseunit.mjs', 'start'], process.execPath, programs);
  await started.output.shows(firmwareIsUp);
  expect(started.output.text).toMatch(/g\+\+ is missing/);
  expect(started.output.text).toMatch(/apt-get install g\+\+/);
  expect(started.output.text).toMatch(/led-lamp\s+updatable\s+127\.0\.0\.1:\d+\s+simulated/);
  expect(await pressCtrlC(started)).toBeLessThan(5_000);
  expect(alive(started.group)).toEqual([]);
}, 120_000);

test('units do not outlive a demonstration that was killed', async () => {
  const started = start(installed(), ['start']);
  await started.output.shows(firmwareIsUp);
  const node = alive(started.group).find((line) => line.includes('baseunit.mjs start') && !line.includes('sh -c'))!;
  process.kill(Number(node.trim().split(/\s+/)[1]), 'SIGKILL');
  await eventually('everything to end', () => alive(started.group).length === 0, 5_000);
}, 120_000);

test('npm start on a fresh checkout reaches its first reading, its commands work as printed, Ctrl-C leaves nothing behind', async () => {
  const folder = checkout();
  const started = start(folder, ['start'], 'npm', process.env.PATH, quickInstall());
  await started.output.shows(/thermometer\s+reading\s+temperature [\d.]+ °C/);
  expect(started.output.text).toMatch(/led-lamp\s+updatable\s+127\.0\.0\.1:\d+\s+firmware as process \d+/);

  const [, send] = await started.output.shows(/^ +(npx baseunit send led-lamp .*)$/m);
  const [, curl] = await started.output.shows(/^ +(curl .*)$/m);
  const shell = (command: string): string =>
    execFileSync('sh', ['-c', command], { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  expect(shell(send!)).toMatch(/^ok .*led-lamp setColor, via pusher/m);
  await started.output.shows(/led-lamp\s+says\s+.*#ff8800/);
  expect(JSON.parse(shell(curl!))).toMatchObject({ unit: 'led-lamp', outcome: 'ok' });
  await started.output.shows(/led-lamp\s+says\s+.*#00aaff/);

  expect(await pressCtrlC(started)).toBeLessThan(5_000);
  expect(alive(started.group)).toEqual([]);

  const simulated = start(folder, ['start', '--', '--simulate']);
  await simulated.output.shows(/thermometer\s+reading\s+temperature/);
  expect(simulated.output.text).toMatch(/led-lamp\s+updatable\s+127\.0\.0\.1:\d+\s+simulated/);
  expect(await pressCtrlC(simulated)).toBeLessThan(5_000);
  expect(alive(simulated.group)).toEqual([]);
}, 240_000);
