import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** A running probe: answers a line for each line. */
export class Probe {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #lines: Interface;
  readonly #waiting: { readonly resolve: (line: string) => void; readonly reject: (error: Error) => void }[] = [];
  #complaint = '';

  constructor(program: string) {
    this.#process = spawn(program, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#process.stdin.on('error', () => {
      // Its end is told by `close`, with what it said last.
    });
    this.#process.stderr.on('data', (chunk: Buffer) => {
      this.#complaint = (this.#complaint + chunk.toString()).slice(0, 16_384);
    });
    this.#lines = createInterface({ input: this.#process.stdout });
    this.#lines.on('line', (line) => this.#waiting.shift()?.resolve(line));
    this.#process.once('close', (code, signal) => {
      const error = new Error(`the probe ended (${code ?? signal}): ${this.#complaint}`);
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    });
  }

  ask(question: string): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#process.exitCode !== null) return reject(new Error(`the probe has ended: ${this.#complaint}`));
      this.#waiting.push({ resolve, reject });
      this.#process.stdin.write(`${question}\n`);
    });
  }

  /** Its exit code, once it has read all and ended: a sanitizer's complaint makes it other than 0. */
  async stop(): Promise<number | null> {
    const ended = new Promise<number | null>((resolve) => this.#process.once('close', resolve));
    if (this.#process.exitCode !== null) return this.#process.exitCode;
    this.#process.stdin.end();
    return ended;
  }
}
