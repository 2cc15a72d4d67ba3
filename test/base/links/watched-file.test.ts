import { renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { WATCH_EVERY_MS, WatchedFile } from '../../../base/links/watched-file.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { temporaryFolder } from '../config/temporary-folder.js';

/** Watches files of a folder of its own; counts what is told. */
async function watching(...names: string[]) {
  const folder = temporaryFolder();
  const paths = names.map((name) => join(folder, name));
  const clock = new ManualClock();
  let told = 0;
  const watch = new WatchedFile({
    paths,
    clock,
    changed: () => {
      told += 1;
    },
  });
  onTestFinished(() => watch.stop());
  return {
    paths,
    clock,
    watch,
    /** Lets it look once, and gives how many changes were told. */
    look: async (): Promise<number> => {
      const before = told;
      await clock.advance(WATCH_EVERY_MS);
      while (clock.waiting === 0) await settle();
      return told - before;
    },
    told: () => told,
  };
}

it('tells a file that was written anew, once', async () => {
  const { paths, watch, look } = await watching('a');
  writeFileSync(paths[0]!, 'one');
  await watch.start();
  expect(await look()).toBe(0);
  writeFileSync(paths[0]!, 'longer');
  expect([await look(), await look()]).toEqual([1, 0]);
});

it('tells a file that another one replaced, of the same size and time', async () => {
  const { paths, watch, look } = await watching('a');
  writeFileSync(paths[0]!, 'one');
  await watch.start();
  const { atime, mtime } = statSync(paths[0]!);
  writeFileSync(`${paths[0]}.new`, 'two');
  utimesSync(`${paths[0]}.new`, atime, mtime);
  renameSync(`${paths[0]}.new`, paths[0]!);
  expect([await look(), await look()]).toEqual([1, 0]);
});

it('tells a file whose time alone is another', async () => {
  const { paths, watch, look } = await watching('a');
  writeFileSync(paths[0]!, 'one');
  await watch.start();
  utimesSync(paths[0]!, 1, 1);
  expect([await look(), await look()]).toEqual([1, 0]);
});

it('tells a file that goes, and one that comes; that it is missing is no change', async () => {
  const { paths, watch, look } = await watching('a');
  await watch.start();
  expect(await look()).toBe(0);
  writeFileSync(paths[0]!, 'one');
  expect([await look(), await look()]).toEqual([1, 0]);
  rmSync(paths[0]!);
  expect([await look(), await look()]).toEqual([1, 0]);
});

it('tells a change of two files together once', async () => {
  const { paths, watch, look } = await watching('cert', 'key');
  for (const path of paths) writeFileSync(path, 'one');
  await watch.start();
  for (const path of paths) writeFileSync(path, 'longer');
  expect([await look(), await look()]).toEqual([1, 0]);
  writeFileSync(paths[1]!, 'longer still');
  expect([await look(), await look()]).toEqual([1, 0]);
});

it('goes on where a file cannot be looked at', async () => {
  const { paths, watch, look } = await watching('folder/a');
  writeFileSync(join(paths[0]!, '..'), 'no folder');
  await watch.start();
  expect(await look()).toBe(0);
  rmSync(join(paths[0]!, '..'));
  expect([await look(), await look()]).toEqual([1, 0]);
});

it('looks as often as it is told', async () => {
  const clock = new ManualClock();
  const path = join(temporaryFolder(), 'a');
  const change = new Promise<void>((resolve) => {
    const watch = new WatchedFile({ paths: [path], everyMs: 100, clock, changed: resolve });
    onTestFinished(() => watch.stop());
    void watch.start().then(async () => {
      writeFileSync(path, 'one');
      await clock.advance(99);
      expect(clock.waiting).toBe(1);
      await clock.advance(1);
    });
  });
  await change;
});

it('tells nothing after it was stopped, twice, and leaves no timer', async () => {
  const { paths, watch, clock, told } = await watching('a');
  await watch.start();
  watch.stop();
  watch.stop();
  writeFileSync(paths[0]!, 'one');
  await clock.advance(10 * WATCH_EVERY_MS);
  expect([told(), clock.waiting]).toEqual([0, 0]);
});

it('tells nothing when it is stopped while it looks', async () => {
  const path = join(temporaryFolder(), 'a');
  const calls: (() => void)[] = [];
  const after = (_: number, call: () => void) => {
    calls.push(call);
    return { cancel: () => {} };
  };
  let told = 0;
  const changed = () => {
    told += 1;
  };
  const watch = new WatchedFile({ paths: [path], clock: { now: () => 0, monotonic: () => 0, after }, changed });
  await watch.start();
  writeFileSync(path, 'one');
  calls[0]!();
  watch.stop();
  // What it began before this is over when this is.
  for (let turn = 0; turn < 10; turn += 1) await stat(path);
  await settle();
  expect([told, calls.length]).toEqual([0, 1]);
});

it('may be stopped before its start is over', async () => {
  const { watch, clock } = await watching('a');
  const started = watch.start();
  watch.stop();
  await started;
  expect(clock.waiting).toBe(0);
});
