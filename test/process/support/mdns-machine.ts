import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Advertised, Announced, MdnsEvent } from '../../../base/discovery/mdns.js';
import { type LabHost, printed } from './network-lab.js';

const DEADLINE_MS = 15_000;

/** As it comes over the pipe. */
export type Heard = Omit<Announced, 'txt'> & { readonly txt?: readonly (readonly [string, string])[] };

/** A machine of the lab that runs one of the base's mDNS libraries (`mdns-machine.mjs`). */
export class MdnsMachine {
  readonly library: string;
  readonly child: ChildProcess;
  readonly said: string[] = [];
  /** All that it heard, oldest first. */
  readonly events: MdnsEvent['kind'][] = [];
  readonly #services = new Map<string, Heard>();
  readonly #waiting = new Set<() => void>();

  private constructor(library: string, child: ChildProcess) {
    this.library = library;
    this.child = child;
    createInterface({ input: child.stdout! }).on('line', (line) => this.#take(line));
    child.stderr!.on('data', (text: Buffer) => this.said.push(text.toString()));
  }

  static async start(library: 'mdns' | 'bonjour-service', host: LabHost): Promise<MdnsMachine> {
    const script = join(import.meta.dirname, 'mdns-machine.mjs');
    const child = host.spawn([process.execPath, script, library]);
    const machine = new MdnsMachine(library, child);
    await printed(child, 'stdout', /"ready"/);
    return machine;
  }

  browse(type: string): void {
    this.#tell({ do: 'browse', type });
  }

  advertise(service: Advertised): void {
    this.#tell({ do: 'advertise', service });
  }

  /** Says goodbye; resolves when its process has ended. */
  close(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
    this.#tell({ do: 'close' });
    return ended;
  }

  /** What it says of a service, as soon as that is so. */
  async hears(name: string, what: string, isSo: (service: Heard) => boolean = () => true): Promise<Heard> {
    await this.#until(`${name} ${what}`, () => {
      const service = this.#services.get(name);
      return service !== undefined && isSo(service);
    });
    return this.#services.get(name)!;
  }

  hearsNoMore(name: string): Promise<void> {
    return this.#until(`${name} gone`, () => !this.#services.has(name));
  }

  says(pattern: RegExp): Promise<void> {
    return this.#until(`the log line ${pattern}`, () => this.said.some((line) => pattern.test(line)));
  }

  get names(): string[] {
    return [...this.#services.keys()].sort();
  }

  #take(line: string): void {
    const event = JSON.parse(line) as { kind?: string; name: string; service: Heard; log?: string };
    if (event.log !== undefined) this.said.push(line);
    if (event.kind === 'up' || event.kind === 'down') this.events.push(event.kind);
    if (event.kind === 'up') this.#services.set(event.service.name, event.service);
    if (event.kind === 'down') this.#services.delete(event.name);
    for (const look of [...this.#waiting]) look();
  }

  #tell(act: object): void {
    this.child.stdin!.write(`${JSON.stringify(act)}\n`);
  }

  #until(what: string, isSo: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(late);
        this.#waiting.delete(look);
        act();
      };
      const look = (): void => {
        if (isSo()) settle(resolve);
      };
      const late = setTimeout(
        () =>
          settle(() =>
            reject(
              new Error(
                `${this.library} never heard: ${what}; it knows ${JSON.stringify([...this.#services.values()])}, said ${this.said.join('')}`,
              ),
            ),
          ),
        DEADLINE_MS,
      );
      this.#waiting.add(look);
      look();
    });
  }
}
