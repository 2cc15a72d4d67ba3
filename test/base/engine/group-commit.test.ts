import { expect, test } from 'vitest';
import { describeFault, GroupCommit, MAX_GROUP, MAX_WAITING } from '../../../base/engine/embedded/group-commit.js';
import type { Statement } from '../../../base/engine/embedded/sql.js';
import type { Fault } from '../../../base/engine/embedded/sqlite-file.js';
import { settle } from '../../support/manual-clock.js';

/** A file that does a group when it is told to. */
class SlowFile {
  readonly groups: { readonly lists: readonly (readonly Statement[])[]; done(fault?: Fault): void }[] = [];

  runGroup(lists: readonly (readonly Statement[])[]): Promise<(Fault | null)[]> {
    return new Promise((resolve) => {
      this.groups.push({ lists, done: (fault) => resolve(lists.map(() => fault ?? null)) });
    });
  }
}

const unit = (name: string): Statement[] => [['setUnit', name, '{}']];

test('what comes while the file works goes together, in order, at most 64 in a group, two groups ahead', async () => {
  const file = new SlowFile();
  const commits = new GroupCommit(file, () => {});
  const ended: number[] = [];
  for (let index = 0; index < 2 + MAX_GROUP + 1; index += 1)
    void commits.commit(unit(String(index))).then(() => ended.push(index));
  expect(file.groups.map(({ lists }) => lists.length)).toEqual([1, 1]);
  expect(commits.waiting).toBe(MAX_GROUP + 1);
  file.groups[0]!.done();
  await settle();
  expect(file.groups.map(({ lists }) => lists.length)).toEqual([1, 1, MAX_GROUP]);
  file.groups[1]!.done();
  await settle();
  expect(file.groups.map(({ lists }) => lists.length)).toEqual([1, 1, MAX_GROUP, 1]);
  file.groups[2]!.done();
  file.groups[3]!.done();
  await commits.settled();
  expect(commits.waiting).toBe(0);
  expect(ended).toEqual(Array.from({ length: MAX_GROUP + 3 }, (_, index) => index));
});

test('so many may wait; one more is refused at once, and there is room again when some are done', async () => {
  const file = new SlowFile();
  const commits = new GroupCommit(file, () => {});
  const all = Array.from({ length: 2 + MAX_WAITING }, () => commits.commit([]));
  await expect(commits.commit([])).rejects.toMatchObject({ code: 'store-busy', family: 'store' });
  file.groups[0]!.done();
  await all[0];
  all.push(commits.commit([]));
  for (let next = 1; next < file.groups.length; next += 1) {
    file.groups[next]!.done();
    await settle(1);
  }
  await Promise.all(all);
});

test('a fault rejects its group with what to do, and the next group’s end says that it is over', async () => {
  const file = new SlowFile();
  const heard: (string | undefined)[] = [];
  const commits = new GroupCommit(file, (fault) => heard.push(fault?.code));
  const refused = commits.commit(unit('a'));
  file.groups[0]!.done({ code: 'SQLITE_FULL', message: 'database or disk is full' });
  await expect(refused).rejects.toMatchObject({ code: 'store-failed', message: 'the disk is full; make room on it' });
  const taken = commits.commit(unit('a'));
  file.groups[1]!.done();
  await taken;
  expect(heard).toEqual(['SQLITE_FULL', undefined]);
});

test.each([
  ['SQLITE_IOERR_FSYNC', /the disk does not take what is written \(SQLITE_IOERR_FSYNC\); check it/],
  ['SQLITE_CORRUPT_INDEX', /damaged .*; start the base again, which sets the file aside/],
  ['SQLITE_READONLY', /cannot be written .*; check the owner and the mode of its folder/],
  ['SOMETHING', /x \(SOMETHING\)/],
])('%s is said in words', (code, words) => {
  expect(describeFault({ code, message: 'x' })).toMatch(words);
});
