import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { SerialDialer } from '../../../../base/links/serial/serial-dialer.js';
import { openSerialPort, type SerialPort } from '../../../../base/links/serial/serial-port.js';
import { systemClock } from '../../../../base/system.js';
import { concat, toHex } from '../../../../protocol/octets.js';
import { ManualClock } from '../../../support/manual-clock.js';

/** Waits for something that real ports and processes bring about; the test's own time-out is the deadline. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A serial line: two pseudo-terminals of this machine, made by socat, with everything between them. Gone after the test. */
export class SerialLine {
  readonly #folder = mkdtempSync(join(tmpdir(), 'baseunit-serial-'));
  #socat: ChildProcess | undefined;

  private constructor() {
    onTestFinished(async () => {
      await this.unplug();
      rmSync(this.#folder, { recursive: true, force: true });
    });
  }

  static async plugged(): Promise<SerialLine> {
    const line = new SerialLine();
    await line.plug();
    return line;
  }

  /** As `plugged`, not plugged in yet. */
  static unplugged(): SerialLine {
    return new SerialLine();
  }

  /** The base's end. */
  get path(): string {
    return join(this.#folder, 'base');
  }
  /** The unit's end. */
  get far(): string {
    return join(this.#folder, 'unit');
  }

  async plug(): Promise<void> {
    const ends = [this.path, this.far].map((link) => `pty,raw,echo=0,link=${link}`);
    this.#socat = spawn('socat', ends, { stdio: 'ignore' });
    await until(() => existsSync(this.path) && existsSync(this.far));
  }

  /** Both ends are gone, as a board that is pulled out. */
  async unplug(): Promise<void> {
    const socat = this.#socat;
    this.#socat = undefined;
    if (socat === undefined || socat.exitCode !== null || socat.signalCode !== null) return;
    const gone = new Promise((resolve) => socat.once('close', resolve));
    socat.kill('SIGTERM');
    await gone;
    for (const link of [this.path, this.far]) rmSync(link, { force: true });
  }
}

/** What stands at the unit's end of a line and writes what the test says. */
export class FarEnd {
  /** All octets that have come, until `take`. */
  heard: Uint8Array = new Uint8Array(0);
  /** Called when something has come. */
  onHeard: () => void = () => {};
  readonly #port: SerialPort;
  #isReading = true;

  private constructor(port: SerialPort) {
    this.#port = port;
    void this.#read();
  }

  static async at({ far }: SerialLine): Promise<FarEnd> {
    const end = new FarEnd(await openSerialPort({ serial: far, baud: 115_200 }, systemClock));
    onTestFinished(() => end.close());
    return end;
  }

  async write(octets: Uint8Array | string): Promise<void> {
    await this.#port.write(Buffer.from(octets as Uint8Array));
  }

  /** Resolves with all that has come when it is enough. */
  async until(isEnough: (heard: Uint8Array) => boolean): Promise<Uint8Array> {
    await until(() => isEnough(this.heard));
    return this.take();
  }

  take(): Uint8Array {
    const { heard } = this;
    this.heard = new Uint8Array(0);
    return heard;
  }

  async close(): Promise<void> {
    if (!this.#isReading) return;
    this.#isReading = false;
    await this.#port.close().catch(() => {});
  }

  async #read(): Promise<void> {
    const buffer = Buffer.alloc(4_096);
    while (this.#isReading) {
      const read = await this.#port.read(buffer, 0, buffer.length).catch(() => undefined);
      if (read === undefined) return;
      this.heard = concat(this.heard, Uint8Array.from(buffer.subarray(0, read.bytesRead)));
      this.onHeard();
    }
  }
}

/** The base's end of a line, and what it was told. */
export async function dialled(line: SerialLine, isRaw = false) {
  const carrier = await new SerialDialer(new ManualClock()).dial(
    { serial: line.path, baud: 115_200 },
    new AbortController().signal,
    { isRaw },
  );
  const told: string[] = [];
  carrier.attach({
    octets: (octets) => void told.push(toHex(octets)),
    drained: () => void told.push('drained'),
    ended: () => void told.push('ended'),
    closed: (error) => void told.push(error === undefined ? 'closed' : `closed: ${error.message}`),
  });
  onTestFinished(() => carrier.destroy());
  return { carrier, told };
}
