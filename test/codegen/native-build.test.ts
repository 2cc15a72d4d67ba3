import { cp, mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MAX_BUILDS, storedBuild } from '../../codegen/build-store.js';
import { COMPILER_MISSING, compilerOrThrow, findCompiler } from '../../codegen/compiler.js';
import { buildNative } from '../../codegen/native-build.js';
import { runProgram } from '../../codegen/run-program.js';

const project = join(import.meta.dirname, '..', '..');
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'native-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** A project of one small unit, with the runtime of this one. */
async function smallProject(): Promise<string> {
  await cp(join(project, 'firmware-templates', 'runtime'), join(root, 'firmware-templates', 'runtime'), {
    recursive: true,
  });
  const main = join(root, 'firmware', 'blink', 'src', 'main.cpp');
  await mkdir(join(root, 'firmware', 'blink', 'include'), { recursive: true });
  await mkdir(join(root, 'firmware', 'blink', 'src'), { recursive: true });
  await writeFile(join(root, 'firmware', 'blink', 'include', 'says.h'), '#define SAYS "one"\n');
  await writeFile(
    main,
    '#include <says.h>\n#include <stdio.h>\n#include <stdlib.h>\nextern "C" void setup() { puts(SAYS); exit(0); }\nextern "C" void loop() {}\n',
  );
  return main;
}

const outputOf = async (program: string): Promise<string> =>
  (await runProgram(program, [], { cwd: root })).output.trim();

test('a unit is built once, found again without a compiler, and built anew when a header changes', async () => {
  await smallProject();
  const { program } = await buildNative('blink', { root });
  expect(program).toMatch(/\.build\/[0-9a-f]{32}\/blink$/);
  expect(await outputOf(program)).toBe('one');
  const { mtimeMs } = await stat(program);

  // A compiler that cannot run: what is there already needs none.
  const compiler = { path: join(root, 'nowhere'), identity: compilerOrThrow().identity };
  expect((await buildNative('blink', { root, compiler })).program).toBe(program);
  expect((await stat(program)).mtimeMs).toBe(mtimeMs);

  await writeFile(join(root, 'firmware', 'blink', 'include', 'says.h'), '#define SAYS "two"\n');
  const changed = await buildNative('blink', { root });
  expect(changed.program).not.toBe(program);
  expect(await outputOf(changed.program)).toBe('two');
}, 60_000);

test('with sanitizers it is another program, which a fault ends', async () => {
  const main = await smallProject();
  await writeFile(
    main,
    '#include <stdlib.h>\nint volatile at = 3;\nextern "C" void setup() { int a[3] = {}; exit(a[at] * 0); }\nextern "C" void loop() {}\n',
  );
  const plain = await buildNative('blink', { root });
  const checked = await buildNative('blink', { root, sanitize: true });
  expect(checked.program).not.toBe(plain.program);
  const ran = await runProgram(checked.program, [], { cwd: root });
  expect(ran.exitCode).not.toBe(0);
  expect(ran.output).toMatch(/out of bounds|overflow/);
}, 60_000);

test('warnings are errors, in the compiler’s own words, and leave nothing behind', async () => {
  const main = await smallProject();
  await writeFile(main, 'void setup() { int unused = 1; }\nvoid loop() {}\n');
  await expect(buildNative('blink', { root })).rejects.toMatchObject({
    code: 'build-failed',
    message: expect.stringMatching(/blink does not compile:[\s\S]*unused variable/),
  });
  expect((await readdir(join(root, '.build'))).filter((name) => name.startsWith('unfinished-'))).toEqual([]);
}, 60_000);

test('two builds of the same at once give one program', async () => {
  await smallProject();
  const [a, b] = await Promise.all([buildNative('blink', { root }), buildNative('blink', { root })]);
  expect(a.program).toBe(b.program);
  expect(await outputOf(a.program)).toBe('one');
}, 60_000);

test('a unit without firmware is refused, saying what to run', async () => {
  await expect(buildNative('blink', { root })).rejects.toMatchObject({
    code: 'definition-missing',
    message: 'there is no firmware/blink/src/main.cpp; run `baseunit generate blink`',
  });
});

test('without a compiler there is none, and the message names what to install', () => {
  expect(findCompiler({ PATH: root })).toBeUndefined();
  expect(() => compilerOrThrow({ PATH: root })).toThrow(COMPILER_MISSING);
  expect(COMPILER_MISSING).toContain('sudo apt install g++');
});

test(`${MAX_BUILDS} builds are kept; one more forgets the one not used for longest`, async () => {
  const hash = (n: number): string => n.toString(16).padStart(32, '0');
  const make = (program: string): Promise<void> => writeFile(program, 'x');
  for (let n = 0; n < MAX_BUILDS; n += 1) {
    await storedBuild(root, hash(n), 'it', make);
    await utimes(join(root, '.build', hash(n)), 1_000 + n, 1_000 + n);
  }
  expect(await readdir(join(root, '.build'))).toHaveLength(MAX_BUILDS);
  await storedBuild(root, hash(0), 'it', make);
  await storedBuild(root, hash(MAX_BUILDS), 'it', make);
  const kept = await readdir(join(root, '.build'));
  expect(kept).toHaveLength(MAX_BUILDS);
  expect(kept).toContain(hash(0));
  expect(kept).not.toContain(hash(1));
});

test('what else lies in .build is left alone, except what a killed build left an hour ago', async () => {
  await mkdir(join(root, '.build', 'notes'), { recursive: true });
  await mkdir(join(root, '.build', 'unfinished-old'));
  await mkdir(join(root, '.build', 'unfinished-new'));
  await utimes(join(root, '.build', 'unfinished-old'), 1_000, 1_000);
  await storedBuild(root, 'f'.repeat(32), 'it', (program) => writeFile(program, 'x'));
  expect((await readdir(join(root, '.build'))).sort()).toEqual(['f'.repeat(32), 'notes', 'unfinished-new'].sort());
});
