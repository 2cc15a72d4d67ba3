import type { UnitDefinition } from '../protocol/definition/index.js';
import type { Parts } from './budget-parts.js';
import { esp8266Flash } from './esp8266-flash.js';
import { type MeasuredKind, measured } from './esp8266-measured.js';
import { esp8266Ram } from './esp8266-ram.js';
import { unitView } from './unit-view.js';

/**
 * The Arduino core 3.1.2 as measured in a sketch that has Wi-Fi, mDNS, hashes and four connections, and updates over the air
 * and a file system beside (reference/esp8266.md): an upper bound, as ours does without the last two.
 */
const CORE_RAM = 30_236;
const CORE_FLASH = 341_653;

/** What a unit takes of an ESP8266. */
export function esp8266Parts(definition: UnitDefinition): Parts {
  const { ram, flash } = measured[measuredKind(definition)];
  const sized = sizedParts(definition);
  return {
    ram: [{ name: 'the Arduino core', octets: CORE_RAM }, { name: 'the runtime', octets: ram }, ...sized.ram],
    flash: [{ name: 'the Arduino core', octets: CORE_FLASH }, { name: 'the runtime', octets: flash }, ...sized.flash],
  };
}

/** What of it depends on the definition. */
export function sizedParts(definition: UnitDefinition): Parts {
  return { ram: esp8266Ram(definition, unitView(definition, '')), flash: esp8266Flash(definition) };
}

/** Which of the measured figures holds for a unit. */
export function measuredKind({ wire, kind }: UnitDefinition): MeasuredKind {
  if (wire !== 'line') return 'session';
  return kind === 'read' ? 'readLine' : 'updatableLine';
}
