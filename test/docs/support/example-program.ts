import { spawn } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { root } from './documents.js';

/** Debian's, which finds the packages that apt installs. */
export const PYTHON = '/usr/bin/python3';

/** An example as a process of its own, in the project's folder; ended after the test. */
export class ExampleProgram {
  text = '';
  /** Its exit code. */
  readonly ended: Promise<number | null>;
  readonly #waiting = new Set<() => void>();

  constructor(file: string, words: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const program = file.endsWith('.py') ? PYTHON : process.execPath;
    const child = spawn(program, [`examples/${file}`, ...words], {
      cwd: root,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.text += text;
        for (const look of this.#waiting) look();
      });
    }
    let isOver = false;
    this.ended = new Promise((resolve) => {
      child.once('close', (code) => {
        isOver = true;
        for (const look of this.#waiting) look();
        resolve(code);
      });
    });
    this.#isOver = () => isOver;
    onTestFinished(async () => {
      if (!isOver) child.kill('SIGTERM');
      await this.ended;
    });
  }

  readonly #isOver: () => boolean;

  /** Rejects when it ends before it printed that. */
  shows(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this.text);
        if (match === null && !this.#isOver()) return;
        this.#waiting.delete(look);
        if (match === null) reject(new Error(`it ended without ${pattern}:\n${this.text}`));
        else resolve(match);
      };
      this.#waiting.add(look);
      look();
    });
  }
}
