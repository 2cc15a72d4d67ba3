import { type ChildProcess, spawn } from 'node:child_process';
import { type Address, addressText } from '../base/core/address.js';
import type { Clock } from '../base/core/clock.js';
import { type Deferred, deferred } from '../base/core/deferred.js';
import { peerText } from '../base/core/log.js';
import { BaseUnitError } from '../protocol/errors.js';
import { LineReader } from '../protocol/line/line-reader.js';
import { toHex } from '../protocol/octets.js';
import { endWithUs } from './end-with-us.js';
import type { HearSimulation } from './simulation-event.js';

/** A program that has not said where it can be reached after this never will. */
export const LISTENING_MS = 10_000;
/** A program that does not end on SIGTERM is killed after this. */
export const TERM_MS = 2_000;
/** The longest line of a program that is passed on; more is no line any more. */
const MAX_LINE_OCTETS = 4_096;
/** What is kept of a program's complaints, for the message when it fails. */
const MAX_COMPLAINT = 2_000;

export interface FirmwareUnitOptions {
  readonly uid: string;
  /** Path of the compiled program. */
  readonly program: string;
  /** 16 octets; `undefined` for line units. */
  readonly key?: Uint8Array | undefined;
  /** Where it listens. Port 0: a free one, which the unit then keeps over restarts. Absent: it does not. */
  readonly listen?: Address | undefined;
  /** The base that it dials. */
  readonly dial?: Address | undefined;
  /** A terminal or pseudo-terminal that is its serial line. */
  readonly serial?: string | undefined;
  /** What the program has in flash: boot number and settings. */
  readonly stateFile: string;
  readonly clock: Clock;
  readonly hear: HearSimulation;
}

interface Run {
  readonly child: ChildProcess;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;
}

/** A unit's firmware, compiled for this machine, as a process of its own. `start` once, `stop` as often as you like. */
export class FirmwareUnit {
  readonly uid: string;
  readonly #options: FirmwareUnitOptions;
  #address: Address | undefined;
  #run: Run | undefined;
  #isStopping = false;
  #hasStarted = false;

  constructor(options: FirmwareUnitOptions) {
    this.uid = options.uid;
    this.#options = options;
  }

  /** Where it listens; `undefined` before the first start, and when it does not. */
  get address(): Address | undefined {
    return this.#address;
  }
  /** `undefined` when it does not run. */
  get pid(): number | undefined {
    return this.#run?.child.pid;
  }

  /**
   * Resolves when the program listens; one that is not to listen, when it has opened its serial line or dials. Rejects with
   * `firmware-failed` when it ends before, or does not within 10 s.
   */
  async start(): Promise<void> {
    this.#isStopping = false;
    const { uid, hear } = this.#options;
    const reachable = deferred<Address | undefined>();
    const run = this.#spawn(reachable);
    this.#run = run;
    const late = this.#options.clock.after(LISTENING_MS, () =>
      reachable.reject(failed(uid, `did not say where it listens within ${LISTENING_MS / 1_000} s`)),
    );
    try {
      this.#address = await reachable.promise;
      this.#hasStarted = true;
    } catch (error) {
      run.child.kill('SIGKILL');
      await run.gone;
      throw error;
    } finally {
      late.cancel();
    }
    if (this.#address !== undefined) hear({ kind: 'listening', unit: uid, address: this.#address });
  }

  /** SIGTERM, after 2 s SIGKILL; resolves when the process is gone. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const run = this.#run;
    if (run === undefined) return;
    run.child.kill('SIGTERM');
    const kill = this.#options.clock.after(TERM_MS, () => run.child.kill('SIGKILL'));
    await run.gone;
    kill.cancel();
  }

  /** As when power was lost and came back: killed, and started again at the same address. */
  async restart(): Promise<void> {
    this.#isStopping = true;
    const run = this.#run;
    run?.child.kill('SIGKILL');
    await run?.gone;
    await this.start();
  }

  #spawn(reachable: Deferred<Address | undefined>): Run {
    const { uid, program, key, listen, dial, serial, stateFile, hear } = this.#options;
    const where = this.#address ?? listen;
    const args = [
      ...['--uid', uid],
      ...(where === undefined ? [] : ['--listen', addressText(where)]),
      ...(dial === undefined ? [] : ['--dial', addressText(dial)]),
      ...(serial === undefined ? [] : ['--serial', serial]),
      ...['--state', stateFile, '--with-parent', String(process.pid)],
    ];
    // Not as an argument: those are for everybody on this machine to see.
    const env = key ? { ...process.env, BASEUNIT_KEY: toHex(key) } : process.env;
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env });
    endWithUs(child);
    let complaint = '';
    const gone = deferred<void>();
    const end = (reason: string): void => {
      if (this.#run?.child === child) this.#run = undefined;
      reachable.reject(failed(uid, `${reason}${complaint === '' ? '' : `: ${complaint.trim()}`}`));
      if (!this.#isStopping && this.#hasStarted) hear({ kind: 'exited', unit: uid, reason });
      gone.resolve();
    };
    child.once('error', (error) => end(`cannot be run: ${error.message}`));
    child.once('exit', (code, signal) => end(`ended with ${signal ?? `code ${code}`}`));
    child.stdin?.on('error', () => {});
    child.stderr?.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString('utf8')).slice(-MAX_COMPLAINT);
    });
    this.#listenTo(child, reachable);
    return { child, gone: gone.promise };
  }

  #listenTo(child: ChildProcess, reachable: Deferred<Address | undefined>): void {
    const isListener = this.#options.listen !== undefined;
    const reader = new LineReader(MAX_LINE_OCTETS);
    child.stdout?.on('data', (chunk: Buffer) => {
      for (const result of reader.push(chunk)) {
        if (result.kind === 'bad') return;
        const address = listeningLine(result.text);
        if (address !== undefined) reachable.resolve(address);
        else if (!isListener && /^(serial|dialling) /.test(result.text)) reachable.resolve(undefined);
        else this.#options.hear({ kind: 'printed', unit: this.uid, line: peerText(result.text) });
      }
    });
  }
}

function listeningLine(line: string): Address | undefined {
  const match = /^listening \[?([^\]]+)\]?:(\d{1,5})$/.exec(line.trim());
  return match === null ? undefined : { host: match[1]!, port: Number(match[2]) };
}

const failed = (uid: string, what: string): BaseUnitError =>
  new BaseUnitError('definition', 'firmware-failed', `the firmware of ${uid} ${what}`);
