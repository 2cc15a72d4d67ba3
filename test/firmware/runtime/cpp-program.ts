import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const runtimeFolder = 'firmware-templates/runtime';
export const here = 'test/firmware/runtime';
/** The generated headers of the units that the programs here are, and the definition that has every type. */
export const modelIncludes = [
  `-I${here}/model`,
  ...['garden-probe', 'led-lamp', 'led-lamp-line', 'light-sensor'].map((unit) => `-Ifirmware/${unit}/include`),
];
const buildFolder = '.build/firmware-runtime-tests';

/** What the firmware is compiled with. */
export const strictFlags = [
  '-std=gnu++17',
  ...['-Wall', '-Wextra', '-Wconversion', '-Wpedantic', '-Werror'],
  ...['-fno-exceptions', '-fno-rtti', '-g', '-O1'],
];
/** What its tests run under. */
const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

/** The `.cpp` files of a folder, not of those below it. */
export const sourcesIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.cpp'))
    .map((name) => join(folder, name));

function headersBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.h'))
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .sort();
}

/** Compiles one source, unless the same text, headers and flags were compiled before. */
async function objectOf(source: string, flags: readonly string[], headers: string): Promise<string> {
  const hash = createHash('sha256').update(flags.join('\0')).update(headers).update(readFileSync(source)).digest('hex');
  const object = join(buildFolder, `${basename(source)}.${hash.slice(0, 24)}.o`);
  if (!exists(object)) {
    const temporary = `${object}.${process.pid}`;
    await run('g++', [...flags, '-c', source, '-o', temporary]);
    renameSync(temporary, object);
  }
  return object;
}

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

/**
 * Builds a program out of sources; its path. `extra`: flags for all of them, or for each. `linking`: flags for the linker.
 * Rejects with the compiler's messages.
 */
export async function buildProgram(
  name: string,
  sources: readonly string[],
  extra: readonly string[] | ((source: string) => readonly string[]) = [],
  linking: readonly string[] = [],
): Promise<string> {
  mkdirSync(buildFolder, { recursive: true });
  const flagsOf = (source: string): string[] => {
    const more = typeof extra === 'function' ? extra(source) : extra;
    return [...strictFlags, ...sanitizers, `-I${runtimeFolder}`, ...modelIncludes, ...more];
  };
  const hash = createHash('sha256');
  for (const header of [...headersBelow(runtimeFolder), ...headersBelow('firmware'), ...headersBelow('test/firmware')])
    hash.update(header).update(readFileSync(header));
  const headers = hash.digest('hex');
  const objects: string[] = [];
  // Two at a time: the machine has no more cores to give.
  for (let at = 0; at < sources.length; at += 2) {
    const two = sources.slice(at, at + 2).map((source) => objectOf(source, flagsOf(source), headers));
    objects.push(...(await Promise.all(two)));
  }
  const linked = createHash('sha256')
    .update([...objects, ...linking].join())
    .digest('hex')
    .slice(0, 24);
  const program = join(buildFolder, `${name}.${linked}`);
  if (!exists(program)) {
    const temporary = `${program}.${process.pid}`;
    await run('g++', [...sanitizers, ...objects, ...linking, '-o', temporary]);
    renameSync(temporary, program);
  }
  return program;
}

/** A program that answers each line on its input with one line. */
export class LineProgram {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] = [];
  #complaints = '';
  #ended = false;

  constructor(path: string, args: readonly string[] = []) {
    this.#child = spawn(path, args);
    this.#child.stderr.on('data', (chunk) => {
      this.#complaints += String(chunk);
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#waiting.shift()?.resolve(line));
    this.#child.on('close', () => {
      this.#ended = true;
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(`the program ended: ${this.#complaints}`));
    });
    this.#child.stdin.on('error', () => {});
  }

  ask(line: string): Promise<string> {
    if (this.#ended) return Promise.reject(new Error(`the program has ended: ${this.#complaints}`));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#child.stdin.write(`${line}\n`);
    });
  }

  /** Its exit status and what it wrote to its error output: sanitizers complain there. */
  async stop(): Promise<{ readonly status: number | null; readonly complaints: string }> {
    if (this.#child.exitCode === null) {
      const closed = new Promise<void>((resolve) => this.#child.once('close', () => resolve()));
      this.#child.stdin.end();
      await closed;
    }
    return { status: this.#child.exitCode, complaints: this.#complaints };
  }
}
