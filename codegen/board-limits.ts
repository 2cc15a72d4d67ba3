import type { Board } from '../protocol/definition/index.js';

/** What a board has, and how much of it a unit may take. Octets. */
export interface BoardLimits {
  readonly chip: 'esp8266' | 'avr';
  /** For variables whose size is known when the firmware is built. */
  readonly ram: number;
  /** For the firmware. */
  readonly flash: number;
  /** RAM that must stay free of such variables, and what for. */
  readonly spareRam: number;
  readonly spareFor: string;
}

/**
 * reference/esp8266.md: 80 KiB of RAM and a 1 MiB part of flash for the sketch on both boards. What Wi-Fi and connections
 * take at run time comes from the heap, which is what static variables leave: 5 to 13 KiB once Wi-Fi is up, about 2 KiB a
 * connection, and a reserve against its falling to pieces.
 */
const esp8266: BoardLimits = {
  chip: 'esp8266',
  ram: 81_920,
  flash: 1_044_464,
  spareRam: 20 * 1024,
  spareFor: 'Wi-Fi and connections take at run time',
};

/** atmega328p: 2 KiB of RAM; of 32 KiB of flash the boot loader has 512 octets. */
const uno: BoardLimits = {
  chip: 'avr',
  ram: 2_048,
  flash: 32_256,
  spareRam: 512,
  spareFor: 'the stack needs',
};

export const boardLimits: Readonly<Record<Board, BoardLimits>> = { nodemcuv2: esp8266, d1_mini: esp8266, uno };
