import { execFile } from 'node:child_process';
import type { Log } from './core/log.js';

/** The program has one datagram to send. */
const NOTICE_MS = 5_000;

/** What is told to systemd, as in sd_notify(3): `READY=1`, `STATUS=…`, `WATCHDOG=1`, `STOPPING=1`. */
export type Notice = `${'READY' | 'WATCHDOG' | 'STOPPING'}=1` | `STATUS=${string}`;

export interface SystemdNotifyOptions {
  /** Of the process: `NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`, `PATH`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly log: Log;
}

/**
 * Tells systemd how the service is doing, when that has started it and asks for it (`Type=notify`). Through the program
 * `systemd-notify`, which is there wherever systemd is: Node has no datagram sockets of the Unix kind. The notice then comes
 * from a process of the service's that is not its main one: the service needs `NotifyAccess=all`.
 */
export class SystemdNotify {
  /** How often systemd expects `WATCHDOG=1`, in ms; `undefined`: never. */
  readonly watchdogMs: number | undefined;
  readonly #socket: string | undefined;
  readonly #path: string | undefined;
  readonly #log: Log;
  #isFailureSaid = false;

  constructor({ environment, pid, log }: SystemdNotifyOptions) {
    const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: microseconds, WATCHDOG_PID: watched } = environment;
    this.#socket = socket === '' ? undefined : socket;
    this.#path = environment.PATH;
    this.#log = log;
    const isOurs = watched === undefined || watched === '' || Number(watched) === pid;
    const ms = Number(microseconds) / 1_000;
    this.watchdogMs = this.#socket !== undefined && isOurs && ms > 0 ? ms : undefined;
  }

  /** Resolves when systemd has it, or cannot be told, which is logged once. At once where nobody asked for it. */
  tell(...notices: readonly Notice[]): Promise<void> {
    if (this.#socket === undefined) return Promise.resolve();
    const env = { PATH: this.#path, NOTIFY_SOCKET: this.#socket };
    return new Promise((resolve) => {
      execFile('systemd-notify', [...notices], { env, timeout: NOTICE_MS }, (error) => {
        if (error !== null && !this.#isFailureSaid) {
          this.#isFailureSaid = true;
          const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
          const why = isMissing ? 'the program systemd-notify is not there (package systemd)' : error.message;
          this.#log.error({ why }, 'systemd cannot be told how the base is doing; said once');
        }
        resolve();
      });
    });
  }
}
