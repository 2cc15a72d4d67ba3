import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** The project's folder. */
export const root = process.cwd();

/** Far more than any of it takes on a busy machine. */
const DEADLINE_MS = 30_000;

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'baseunit-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface ProgramOptions {
  /** Default: a temporary folder. */
  readonly cwd?: string;
  /** Beside PATH and HOME: nothing of this process's own environment gets through. */
  readonly env?: Readonly<Record<string, string>>;
  /** A program that runs it, with its words, as `['strace', '-f']`. */
  readonly under?: readonly string[];
  /** Of the project whose program it is. */
  readonly project?: string;
}

export interface Ended {
  /** `null` when a signal ended it. */
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** `baseunit …` as a process of its own, killed after the test if it still runs. */
export class Program {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  #out = '';
  #err = '';
  #isOver = false;

  constructor(words: readonly string[], options: ProgramOptions = {}) {
    const { PATH = '', HOME = '' } = process.env;
    const script = join(options.project ?? root, 'cli', 'baseunit.mjs');
    const [program, ...rest] = [...(options.under ?? []), process.execPath, script, ...words];
    const child = spawn(program!, rest, {
      cwd: options.cwd ?? temporaryFolder(),
      env: { PATH, HOME, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#out += text;
      this.#look();
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#err += text;
      this.#look();
    });
    this.ended = new Promise((resolve) => {
      child.once('close', (code) => {
        this.#isOver = true;
        this.#look();
        resolve({ code, out: this.#out, err: this.#err });
      });
    });
    onTestFinished(async () => {
      if (!this.#isOver) child.kill('SIGKILL');
      await this.ended;
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }
  get out(): string {
    return this.#out;
  }
  get err(): string {
    return this.#err;
  }
  get isOver(): boolean {
    return this.#isOver;
  }
  /** Whole lines of stdout. */
  get lines(): readonly string[] {
    return this.#out.split('\n').slice(0, -1);
  }
  /** stdout, line by line as JSON. Throws when one is none. */
  get json(): readonly Record<string, unknown>[] {
    return this.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.#child.kill(signal);
  }

  /** Resolves with what `find` finds in the output, as soon as it does. Rejects when the process ends first. */
  async until<T>(what: string, find: (program: this) => T | undefined | false, withinMs = DEADLINE_MS): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(late);
        this.#waiting.delete(look);
        act();
      };
      const fail = (why: string): void =>
        settle(() => reject(new Error(`${why}: ${what}\n${this.#out.slice(-4_000)}\n${this.#err.slice(-4_000)}`)));
      const look = (): void => {
        try {
          const found = find(this);
          if (found !== undefined && found !== false) settle(() => resolve(found));
          else if (this.#isOver) fail('it ended before');
        } catch (error) {
          fail((error as Error).message);
        }
      };
      const late = setTimeout(() => fail(`not within ${withinMs} ms`), withinMs);
      this.#waiting.add(look);
      look();
    });
  }

  /** The first line of stdout with this in it. */
  line(pattern: RegExp): Promise<string> {
    return this.until(`a line with ${pattern}`, ({ lines }) => lines.find((line) => pattern.test(line)));
  }

  #look(): void {
    for (const look of [...this.#waiting]) look();
  }
}

/** Runs `baseunit …` to its end. */
export function baseunit(words: readonly string[], options: ProgramOptions = {}): Promise<Ended> {
  return new Program(words, options).ended;
}

/** The one JSON object that is all of stdout. */
export function onlyJson({ out }: Ended): Record<string, unknown> {
  const lines = out.split('\n');
  if (lines.length !== 2 || lines[1] !== '') throw new Error(`not one line of JSON: ${out}`);
  return JSON.parse(lines[0]!) as Record<string, unknown>;
}
