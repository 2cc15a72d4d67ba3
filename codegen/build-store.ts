import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Old builds kept in `.build/`: enough for every example unit, plain and sanitized, through a few changes. */
export const MAX_BUILDS = 128;

/** Left by a build that was killed; nothing takes this long to compile. */
const ABANDONED_MS = 60 * 60 * 1000;
const UNFINISHED = 'unfinished-';

/** Builds under way in this process, by folder: who asks for the same waits for the first. */
const underWay = new Map<string, Promise<string>>();

/**
 * What was made from these inputs: `.build/<hash>/<name>`, made by `make` when it is not there yet. Two processes may
 * make the same at once: the first to finish wins, nobody ever sees half a program.
 */
export async function storedBuild(
  root: string,
  hash: string,
  name: string,
  make: (program: string) => Promise<void>,
): Promise<string> {
  const folder = join(root, '.build', hash);
  const program = join(folder, name);
  if (existsSync(program)) {
    await touch(folder);
    return program;
  }
  const building = underWay.get(folder) ?? build(join(root, '.build'), hash, name, make);
  underWay.set(folder, building);
  try {
    return await building;
  } finally {
    underWay.delete(folder);
  }
}

async function build(
  store: string,
  hash: string,
  name: string,
  make: (program: string) => Promise<void>,
): Promise<string> {
  const folder = join(store, hash);
  const program = join(folder, name);
  await mkdir(store, { recursive: true });
  const unfinished = await mkdtemp(join(store, UNFINISHED));
  try {
    await make(join(unfinished, name));
    await rename(unfinished, folder).catch((error: unknown) => {
      if (!existsSync(program)) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  await forgetOldest(store, hash);
  return program;
}

/** The date of a build's folder says when it was last used: the disk's own clock sets it, when something comes or goes. */
async function touch(folder: string): Promise<void> {
  try {
    await rm(await mkdtemp(join(folder, 'used-')), { recursive: true });
  } catch {
    // Somebody else's folder, or a read-only disk: the build can be used all the same, it only looks older.
  }
}

async function forgetOldest(store: string, justMade: string): Promise<void> {
  const builds: { name: string; usedMs: number }[] = [];
  for (const name of await readdir(store)) {
    const usedMs = await stat(join(store, name)).then(
      (found) => (found.isDirectory() ? found.mtimeMs : undefined),
      () => undefined,
    );
    if (usedMs !== undefined) builds.push({ name, usedMs });
  }
  builds.sort((a, b) => b.usedMs - a.usedMs);
  const newestMs = builds[0]?.usedMs ?? 0;
  const finished = builds.filter(({ name }) => /^[0-9a-f]{32}$/.test(name));
  const abandoned = builds.filter(
    ({ name, usedMs }) => name.startsWith(UNFINISHED) && newestMs - usedMs > ABANDONED_MS,
  );
  for (const { name } of [...finished.slice(MAX_BUILDS), ...abandoned]) {
    if (name !== justMade) await rm(join(store, name), { recursive: true, force: true });
  }
}
