import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { endWithUs } from '../../../../simulator/end-with-us.js';
import { buildProgram, runtimeFolder, sourcesIn } from '../../runtime/cpp-program.js';

/** A sketch over the native port, compiled with sanitizers; the program's path. */
export const buildNative = (name: string, main: string): Promise<string> =>
  buildProgram(
    name,
    [...sourcesIn(runtimeFolder), ...sourcesIn(`${runtimeFolder}/port/native`), main],
    ['-funsigned-char'],
  );

/** A running firmware program. */
export class NativeProgram {
  readonly child: ChildProcessWithoutNullStreams;
  /** All that it printed, line by line. */
  readonly lines: string[] = [];
  /** What it wrote to its error output: logs, and complaints of sanitizers. */
  complaints = '';
  readonly #closed: Promise<number | null>;
  #wake: () => void = () => {};

  constructor(program: string, args: readonly string[]) {
    this.child = spawn(program, args);
    endWithUs(this.child);
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      this.lines.push(line);
      this.#wake();
    });
    this.child.stderr.on('data', (chunk) => {
      this.complaints += String(chunk);
      this.#wake();
    });
    this.#closed = new Promise((resolve) => {
      this.child.once('close', (code) => {
        this.#wake();
        resolve(code);
      });
    });
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Resolves with what `look` finds, as soon as it finds something in what the program wrote. Rejects when that ends first. */
  async until<T>(look: (unit: this) => T | undefined): Promise<T> {
    for (;;) {
      const found = look(this);
      if (found !== undefined) return found;
      if (!this.isRunning) throw new Error(`the program has ended: ${this.complaints}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The first line that begins with `word`, without it. */
  line(word: string): Promise<string> {
    return this.until(({ lines }) => lines.find((line) => line.startsWith(`${word} `))?.slice(word.length + 1));
  }

  /** The port it listens at on 127.0.0.1. */
  async port(): Promise<number> {
    return Number((await this.line('listening')).replace('127.0.0.1:', ''));
  }

  /** Its exit code when it has ended by itself; `null` when a signal ended it. */
  ended(): Promise<number | null> {
    return this.#closed;
  }

  /** The same, ended by a signal if it still runs. */
  end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.isRunning) this.child.kill(signal);
    return this.#closed;
  }
}

/** Programs of one test file, which end with its tests. */
export class NativePrograms {
  readonly #started: NativeProgram[] = [];
  #count = 0;

  /** Programs started so far: a number for files of their own. */
  get count(): number {
    return this.#count;
  }

  start(program: string, ...args: readonly string[]): NativeProgram {
    const started = new NativeProgram(program, args);
    this.#started.push(started);
    this.#count += 1;
    return started;
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.#started.splice(0).map((each) => each.end('SIGKILL')));
  }
}
