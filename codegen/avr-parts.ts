import { messagesOf, type UnitDefinition } from '../protocol/definition/index.js';
import type { Part, Parts } from './budget-parts.js';
import { lineOctetsOf } from './line-octets.js';
import { unitView } from './unit-view.js';

/** The Arduino core 1.8.6 with its serial line, and what of the runtime does not depend on the definition; as linked. */
const READ_RAM = 270;
const UPDATABLE_RAM = 260;
const FLASH = 4_600;
/** The shortest line that an updatable unit takes (bu_line_reader.h). */
const LEAST_LINE_OCTETS = 64;
/** What the value's type needs beside that: the names of all colours, arithmetic with floats. */
const FLASH_OF_KIND: Readonly<Record<string, number>> = { rgb: 4_000, f32: 3_000 };

/** What a line unit takes of an Arduino Uno; test/firmware/uno links such units with the real core. */
export function avrParts(definition: UnitDefinition): Parts {
  const [type] = messagesOf(definition).flatMap(({ fields }) => Object.values(fields));
  const octets = lineOctetsOf(type!);
  const isRead = definition.kind === 'read';
  const commands: Part[] = unitView(definition, '')
    .commands.filter(({ isStatic }) => isStatic)
    .map(({ name, ramOctets }) => ({ name: `command ${name}`, octets: ramOctets, advice: 'shorten its text' }));
  const lines = isRead ? 2 * (octets + 1) : Math.max(LEAST_LINE_OCTETS, octets);
  return {
    ram: [
      { name: 'the Arduino core and the runtime', octets: isRead ? READ_RAM : UPDATABLE_RAM },
      { name: 'its lines', octets: lines, advice: 'shorten its text' },
      ...commands,
    ],
    flash: [
      { name: 'the Arduino core and the runtime', octets: FLASH },
      { name: `its ${type!.kind}`, octets: FLASH_OF_KIND[type!.kind] ?? 0 },
    ],
  };
}
