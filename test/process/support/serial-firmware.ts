import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { systemRandom } from '../../../base/system.js';
import { buildNative } from '../../../codegen/native-build.js';
import { toHex } from '../../../protocol/octets.js';
import { SerialLine } from '../../base/links/serial/serial-line.js';
import { root, temporaryFolder } from '../../cli/support/program.js';

/** Compiled firmware of an example unit behind a serial line: a board that has its power from it. */
export class SerialBoard {
  readonly line: SerialLine;
  /** 32 hexadecimal digits; `undefined`: it has no UID and key of its own. */
  readonly key: string | undefined;
  /** What it printed. */
  readonly printed: string[] = [];
  readonly #program: string;
  readonly #arguments: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(line: SerialLine, program: string, own: readonly string[], key: string | undefined) {
    this.line = line;
    this.key = key;
    this.#program = program;
    this.#arguments = ['--serial', line.far, '--state', join(temporaryFolder(), 'state'), ...own];
    onTestFinished(() => this.unplug());
  }

  /** `uid`: it has one, and a key; else it is as it was flashed. Gone after the test. */
  static async plugged(definition: string, uid?: string, own: readonly string[] = []): Promise<SerialBoard> {
    const { program } = await buildNative(definition, { root });
    const key = uid === undefined ? undefined : toHex(systemRandom.octets(16));
    const identity = uid === undefined ? [] : ['--uid', uid, '--key', key!];
    const board = new SerialBoard(SerialLine.unplugged(), program, [...own, ...identity], key);
    await board.plug();
    return board;
  }

  get path(): string {
    return this.line.path;
  }

  /** Power comes. `own`: words for the program of this time alone. */
  async plug(own: readonly string[] = []): Promise<void> {
    await this.line.plug();
    const child = spawn(this.#program, [...this.#arguments, ...own], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the firmware ended with ${code}`)));
      child.stdout!.setEncoding('utf8').on('data', (text: string) => {
        this.printed.push(...text.split('\n').filter((line) => line !== ''));
        if (this.printed.some((line) => line.startsWith('serial '))) resolve();
      });
    });
  }

  /** Pulled out, power and all. */
  async unplug(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGKILL');
      await gone;
    }
    await this.line.unplug();
  }
}
