import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome } from '../../../base/core/messages.js';
import type { UnitView } from '../../../base/core/unit-view.js';
import { Program, type ProgramOptions, temporaryFolder } from '../../cli/support/program.js';

export { freePort } from '../../../cli/free-port.js';

export interface LogLine {
  readonly level: number;
  readonly time: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** `baseunit run` with a configuration of the test's, as a process. */
export class BaseProcess extends Program {
  readonly folder: string;
  readonly file: string;
  readonly stateFolder: string;

  private constructor(folder: string, file: string, words: readonly string[], options: ProgramOptions) {
    super(['run', '-c', file, ...words], { cwd: folder, ...options });
    this.folder = folder;
    this.file = file;
    this.stateFolder = join(folder, '.baseunit');
  }

  /** Starts it; the configuration may be one that cannot work. */
  static begin(
    configuration: object,
    options: ProgramOptions & { readonly folder?: string; readonly words?: readonly string[] } = {},
  ): BaseProcess {
    const folder = options.folder ?? temporaryFolder();
    const file = join(folder, 'base.json');
    writeFileSync(file, JSON.stringify(configuration), { mode: 0o600 });
    return new BaseProcess(folder, file, options.words ?? [], options);
  }

  /** Starts it; resolves when it runs. */
  static async start(...[configuration, options]: Parameters<typeof BaseProcess.begin>): Promise<BaseProcess> {
    const base = BaseProcess.begin(configuration, options);
    await base.logged('the base runs');
    return base;
  }

  /** What it has logged. */
  get log(): readonly LogLine[] {
    return this.json as unknown as readonly LogLine[];
  }

  /** The first line of the log with this message, and these fields. */
  logged(message: string | RegExp, fields: Readonly<Record<string, unknown>> = {}): Promise<LogLine> {
    const isAsked = (line: LogLine): boolean =>
      (typeof message === 'string' ? line.msg === message : message.test(line.msg)) &&
      Object.entries(fields).every(([name, value]) => line[name] === value);
    return this.until(`the log line ${message}`, () => this.log.find(isAsked));
  }

  get url(): string {
    return this.log.find(({ msg }) => msg === 'the base runs')!.api as string;
  }
  get token(): string {
    return readFileSync(join(this.stateFolder, 'api-token'), 'utf8').trim();
  }

  async get<T>(path: string): Promise<T> {
    const headers = { authorization: `Bearer ${this.token}` };
    let response = await fetch(`${this.url}/api/v1${path}`, { headers });
    // The API lets one token ask 20 times a second; who asks more often is told to wait.
    while (response.status === 429) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      response = await fetch(`${this.url}/api/v1${path}`, { headers });
    }
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  unit(uid: string): Promise<UnitView> {
    return this.get(`/units/${uid}`);
  }

  async send(uid: string, body: object): Promise<Outcome> {
    const response = await fetch(`${this.url}/api/v1/units/${uid}/commands`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return (await response.json()) as Outcome;
  }

  /** Looks at a unit until it is as wanted. */
  async unitIs(uid: string, what: string, isSo: (view: UnitView) => boolean): Promise<UnitView> {
    const late = performance.now() + 20_000;
    for (;;) {
      const view = await this.unit(uid);
      if (isSo(view)) return view;
      if (performance.now() > late) throw new Error(`${uid} never ${what}: ${JSON.stringify(view)}`);
      // The API lets one token ask 20 times a second.
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
  }

  /** SIGTERM; gives exit code and how long the end took, in ms. */
  async stop(): Promise<{ readonly code: number | null; readonly tookMs: number }> {
    const startedAt = performance.now();
    this.kill('SIGTERM');
    const { code } = await this.ended;
    return { code, tookMs: performance.now() - startedAt };
  }

  /** Resident memory of the process, in MiB. */
  get memoryMiB(): number {
    const [, kib] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))!;
    return Number(kib) / 1_024;
  }
}
