import { type Clock, delay } from '../../base/core/clock.js';
import type { SerialPort } from '../../base/links/serial/serial-port.js';
import { ConfigurationError, LinkError } from '../../protocol/errors.js';
import { concat } from '../../protocol/octets.js';
import { RESET_FRAME } from '../../protocol/serial/frame.js';
import {
  encodeImprov,
  type Identity,
  type ImprovError,
  type ImprovPacket,
  type ImprovState,
  improvCommands,
  improvRpc,
} from '../../protocol/serial/improv.js';
import { ImprovReader } from '../../protocol/serial/improv-reader.js';
import { harmless } from '../terminal.js';

/** A board may start anew when its port is opened, and its Wi-Fi take a while to come up. */
const FIRST_ANSWER_MS = 10_000;
/** Asked again after so long: what it heard while it started is lost. */
const ASK_AGAIN_MS = 1_000;
/** Writing its settings takes a unit some 10 ms; much longer, and its answer is lost. */
const ANSWER_MS = 5_000;
/** The unit gives up after 30 s. */
const WIFI_MS = 40_000;
const READ_OCTETS = 1_024;

/** What a unit tells of itself. */
export interface DeviceInfo {
  readonly definition: string;
  readonly version: string;
  /** `ESP8266`, `native`. */
  readonly chip: string;
  /** Empty: it has none. */
  readonly uid: string;
}

/** Ends whatever session a base left on the line, so that nothing of ours is taken for a part of it. */
const BEGIN = concat(Uint8Array.of(0), RESET_FRAME);

/** Talks Improv to a unit at an open serial port. `read` is to be called first, and ends when the port is closed. */
export class ImprovClient {
  readonly #port: SerialPort;
  readonly #clock: Clock;
  readonly #reader = new ImprovReader();
  readonly #waiting = new Set<(packet: ImprovPacket | Error) => void>();
  #lost: Error | undefined;

  constructor(port: SerialPort, clock: Clock) {
    this.#port = port;
    this.#clock = clock;
  }

  async read(): Promise<void> {
    const buffer = Buffer.alloc(READ_OCTETS);
    try {
      for (;;) {
        const { bytesRead } = await this.#port.read(buffer, 0, buffer.length);
        for (const packet of this.#reader.push(buffer.subarray(0, bytesRead)))
          for (const hear of [...this.#waiting]) hear(packet);
      }
    } catch (error) {
      this.#lost = new LinkError('link-lost', 'the board was unplugged, or the port broke', { cause: error });
      for (const hear of [...this.#waiting]) hear(this.#lost);
    }
  }

  /** Asks until it answers. Rejects with LinkError `connect-timeout` when nothing there speaks Improv. */
  async state(): Promise<ImprovState | undefined> {
    await this.#write(BEGIN);
    return this.#askAgain(improvRpc.state, (packet) =>
      packet.kind === 'state' ? { state: packet.state } : undefined,
    ).then(({ state }) => state);
  }

  async device(): Promise<DeviceInfo> {
    const texts = await this.#askAgain(improvRpc.device, (packet) =>
      packet.kind === 'result' && packet.command === improvCommands.device ? packet.texts : undefined,
    );
    const [definition = '', version = '', chip = '', uid = ''] = texts.map(harmless);
    return { definition, version, chip, uid };
  }

  /** Tells the unit who it is. Rejects with ConfigurationError `provisioning-failed` when it does not take it. */
  identity(identity: Identity): Promise<void> {
    return this.#settle(improvRpc.identity(identity), improvCommands.identity, ANSWER_MS);
  }

  /** Resolves when the unit is in that Wi-Fi; rejects as {@link identity} does when it cannot be. */
  wifi(name: string, password: string): Promise<void> {
    return this.#settle(improvRpc.wifi(name, password), improvCommands.wifi, WIFI_MS);
  }

  async #settle(rpc: ImprovPacket, command: number, withinMs: number): Promise<void> {
    const answer = this.#hear((packet) => {
      if (packet.kind === 'result' && packet.command === command) return 'done';
      // `none` only takes back an error from before.
      return packet.kind === 'error' && packet.error !== 'none' ? packet.error : undefined;
    }, withinMs);
    answer.catch(() => {});
    await this.#write(encodeImprov(rpc));
    const came = await answer;
    if (came !== 'done') throw new ConfigurationError('provisioning-failed', refusals[came]);
  }

  async #askAgain<T>(rpc: ImprovPacket, find: (packet: ImprovPacket) => T | undefined): Promise<T> {
    const answered = new AbortController();
    const answer = this.#hear(find, FIRST_ANSWER_MS).finally(() => answered.abort());
    answer.catch(() => {});
    while (!answered.signal.aborted) {
      await this.#write(encodeImprov(rpc));
      await delay(this.#clock, ASK_AGAIN_MS, answered.signal).catch(() => {});
    }
    return answer;
  }

  async #write(octets: Uint8Array): Promise<void> {
    await this.#port.write(Buffer.from(octets)).catch((error: Error) => {
      throw this.#lost ?? new LinkError('link-lost', `the port broke: ${error.message}`, { cause: error });
    });
  }

  /** The first packet in which something is found. */
  #hear<T>(find: (packet: ImprovPacket) => T | undefined, withinMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        this.#waiting.delete(hear);
        timer.cancel();
        act();
      };
      const hear = (packet: ImprovPacket | Error): void => {
        if (packet instanceof Error) return settle(() => reject(packet));
        const found = find(packet);
        if (found !== undefined) settle(() => resolve(found));
      };
      const timer = this.#clock.after(withinMs, () => settle(() => reject(silent(withinMs))));
      this.#waiting.add(hear);
      if (this.#lost !== undefined) hear(this.#lost);
    });
  }
}

const silent = (withinMs: number): LinkError =>
  new LinkError(
    'connect-timeout',
    `nothing there answered within ${withinMs / 1_000} s: is it the right port (baseunit units --serial), and has the board been flashed (baseunit flash <definition>)? A line unit for the Arduino Uno has nothing to be told`,
  );

const refusals: Readonly<Record<Exclude<ImprovError, 'none'>, string>> = {
  invalidRpc: 'the unit did not understand what it was told; flash it again: baseunit flash <definition>',
  unknownRpc: 'the unit cannot be told that; flash it again: baseunit flash <definition>',
  unableToConnect:
    'the unit cannot join that Wi-Fi: its name or password is wrong, it is out of reach, or it is a 5 GHz network, which the ESP8266 does not hear',
  notAuthorised:
    'the unit has a key already, and takes another only in its first minute: unplug the board, plug it in, and try again within 60 s',
  unknown: 'the unit could not keep it: its flash may be worn out; unplug the board, plug it in, and try again',
};
