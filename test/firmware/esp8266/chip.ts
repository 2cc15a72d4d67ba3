import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { concat, fromHex, toHex } from '../../../protocol/octets.js';
import { encodeFrames, RESET_FRAME } from '../../../protocol/serial/frame.js';
import { FrameReader } from '../../../protocol/serial/frame-reader.js';
import { encodeImprov, type ImprovPacket } from '../../../protocol/serial/improv.js';
import { ImprovReader } from '../../../protocol/serial/improv-reader.js';
import { buildProgram, LineProgram, runtimeFolder, sourcesIn } from '../runtime/cpp-program.js';
import { DrivenUnit, type Happened } from '../runtime/driven-unit.js';

const portFolder = `${runtimeFolder}/port/esp8266`;
const coreFolder = 'test/firmware/esp8266/core';
const portFlags = ['-DARDUINO=10812', '-DARDUINO_ARCH_ESP8266', '-Itest/firmware/stubs', '-funsigned-char'];

/** Where the linker script of a layout puts the end of the file system, and the EEPROM's sector. */
export const layouts = {
  /** eagle.flash.4m2m.ld */
  ours: { fileSystemEnd: '0x405fa000', eeprom: '0x405fb000' },
  /** A file system up to the EEPROM's sector. */
  full: { fileSystemEnd: '0x405fb000', eeprom: '0x405fb000' },
} as const;

/**
 * The esp8266 port with the sketch of a lamp and of a light sensor, over a core that the test makes up. The rest of the runtime is
 * compiled as for every other test; of the port only HMAC is left out, which the chip's BearSSL makes.
 */
export function buildChip({ fileSystemEnd, eeprom }: (typeof layouts)[keyof typeof layouts]): Promise<string> {
  const port = sourcesIn(portFolder).filter((source) => !source.endsWith('_hmac.cpp'));
  const ofChip = [...port, ...sourcesIn(coreFolder)];
  const symbols = [`-Wl,--defsym=_FS_end=${fileSystemEnd}`, `-Wl,--defsym=_EEPROM_start=${eeprom}`];
  return buildProgram(
    'chip',
    [...sourcesIn(runtimeFolder), ...ofChip],
    (source) => (ofChip.includes(source) ? portFlags : []),
    ['-no-pie', ...symbols],
  );
}

/** The SDK's numbers. */
export const wifi = { connected: 3, wrongPassword: 6, disconnected: 7 } as const;
export const resetReasons = { power: 0, restart: 4, wake: 5, button: 6 } as const;

/** Whoever waits at the serial line makes way for a base of the network in a loop of its own. */
class ChipUnit extends DrivenUnit {
  override loop(count = 1): Promise<Happened> {
    return super.loop(3 * count);
  }
}

/** The same, with its serial line for connection 0. */
class UnitBySerial extends ChipUnit {
  readonly #frames = new FrameReader();

  override async do(command: string): Promise<Happened> {
    const [word, connection, octets] = command.split(' ');
    // Whoever comes begins with a reset.
    if (word === 'connect') return super.do(`uart ${toHex(RESET_FRAME)}`);
    if (word === 'in' && connection === '0') return super.do(`uart ${toHex(encodeFrames(fromHex(octets!)))}`);
    const happened = await super.do(command);
    const chunks = [...this.#frames.push(told(happened).uart)].flatMap((frame) => {
      if (frame.kind === 'bad') throw frame.error;
      return frame.kind === 'chunk' ? [frame.octets] : [];
    });
    return { events: happened.events, out: () => concat(...chunks) };
  }
}

/** A board with its flash, which outlives its power. */
export class Chip {
  readonly #program: string;
  readonly #flash: string;
  readonly #kind: string;
  #unit: DrivenUnit | undefined;
  #bySerial: DrivenUnit | undefined;
  #process: LineProgram | undefined;

  constructor(program: string, kind: 'lamp' | 'light' = 'lamp') {
    this.#program = program;
    this.#kind = kind;
    this.#flash = join(mkdtempSync(join(tmpdir(), 'bu-chip-')), 'flash');
  }

  get unit(): DrivenUnit {
    return this.#unit!;
  }

  /** For a base at its serial line, as connection 0. */
  get bySerial(): DrivenUnit {
    return this.#bySerial!;
  }

  /** Starts it, anew if it runs; what happened then. */
  async start(reason: number = resetReasons.power): Promise<Told> {
    await this.#process?.stop();
    const process = new LineProgram(this.#program, [this.#kind, this.#flash, String(reason)]);
    onTestFinished(async () => void (await process.stop()));
    this.#process = process;
    this.#unit = new ChipUnit(process);
    this.#bySerial = new UnitBySerial(process);
    return told(await this.unit.do('start'));
  }

  async loop(count = 1): Promise<Told> {
    return told(await this.unit.loop(count));
  }

  async pass(ms: number): Promise<Told> {
    return told(await this.unit.pass(ms));
  }

  /** The Wi-Fi is there, or gone; time enough for the unit to believe it. */
  async wifiIs(status: number): Promise<Told> {
    await this.unit.do(`wifi ${status}`);
    return this.pass(600);
  }

  /** Says something over the serial line; what the unit answers. */
  async say(packet: ImprovPacket): Promise<Told> {
    await this.unit.do(`uart ${toHex(encodeImprov(packet))}`);
    return this.loop(4);
  }
}

export interface Told {
  /** All but what was written to the serial line. */
  readonly events: readonly string[];
  /** What was written there: octets, packets, and the rest as text. */
  readonly uart: Uint8Array;
  readonly packets: readonly ImprovPacket[];
  readonly text: string;
}

function told({ events }: Happened): Told {
  const uart = fromHex(
    events
      .filter((event) => event.startsWith('uart '))
      .map((event) => event.slice('uart '.length))
      .join(''),
  );
  return {
    events: events.filter((event) => !event.startsWith('uart ')),
    uart,
    packets: [...new ImprovReader().push(uart)],
    text: new TextDecoder().decode(uart),
  };
}
