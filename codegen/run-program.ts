import { spawn } from 'node:child_process';

export interface RunOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** On our own stderr, for a person to watch: our stdout is for results. Else it is collected. */
  readonly isShown?: boolean;
  readonly signal?: AbortSignal;
}

export interface Ran {
  /** 128 + signal number is not made up: `null` when a signal ended it. */
  readonly exitCode: number | null;
  /** stdout and stderr together, at most {@link MAX_OUTPUT} characters; empty when shown. */
  readonly output: string;
}

/** More than a screenful of compiler messages helps nobody. */
export const MAX_OUTPUT = 64 * 1024;

/** Runs a program to its end, without a shell. Rejects when it cannot be started. */
export function runProgram(program: string, args: readonly string[], options: RunOptions): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: options.isShown === true ? ['inherit', 2, 2] : ['ignore', 'pipe', 'pipe'],
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    let output = '';
    const keep = (chunk: Buffer): void => {
      if (output.length < MAX_OUTPUT) output = (output + chunk.toString()).slice(0, MAX_OUTPUT);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode, output }));
  });
}
