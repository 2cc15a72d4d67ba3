import { type ChildProcess, spawn } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { buildCProgram } from '../../../codegen/build-c-program.js';
import { root } from './house.js';

/** `yamqtt-client.c`, compiled; it does what the protocol's own client does. */
export const buildCClient = (): Promise<string> =>
  buildCProgram(root, 'yamqtt-client', [`${import.meta.dirname}/yamqtt-client.c`]);

/** One of it as a process, ended after the test. */
export class CClient {
  /** Its exit code. */
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  #out = '';

  constructor(program: string, words: readonly string[]) {
    const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#out += text;
      for (const look of [...this.#waiting]) look();
    });
    this.ended = new Promise((resolve) => child.once('close', resolve));
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await this.ended;
    });
  }

  get lines(): readonly string[] {
    return this.#out.split('\n').slice(0, -1);
  }

  type(...lines: readonly string[]): void {
    for (const line of lines) this.#child.stdin!.write(`${line}\n`);
  }

  endInput(): void {
    this.#child.stdin!.end();
  }

  /** Resolves when it has printed so many lines. Rejects when it ends before. */
  async printed(count: number): Promise<readonly string[]> {
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (this.lines.length < count) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      void this.ended.then(() => reject(new Error(`it ended after ${this.lines.length} lines`)));
      look();
    });
    return this.lines;
  }
}
