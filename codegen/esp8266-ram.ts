import type { UnitDefinition } from '../protocol/definition/index.js';
import type { Part } from './budget-parts.js';
import { ringOctets } from './ring-octets.js';
import { sessionOctets } from './transmissions.js';
import type { UnitView } from './unit-view.js';

/** What the longest hello takes; a unit's memory for a transmission is never smaller (bu_unit_core.h). */
const LEAST_TRANSMISSION = 96;
/** Octets of a report and of a command before their fields. */
const REPORT_HEAD = 9;
const COMMAND_HEAD = 5;
/** The longest line that an updatable line unit takes is never shorter (bu_line_reader.h). */
const LEAST_LINE = 512;
/** With so many commands the compiler finds the right one in a table, of an address each. */
const TABLED_COMMANDS = 5;
const ADDRESS = 4;
/** A default of more octets is kept as a constant, to be copied. */
const LARGEST_NUMBER = 4;

/** What a unit's definition makes it take of an ESP8266's RAM. */
export function esp8266Ram(definition: UnitDefinition, view: UnitView): Part[] {
  const own = view.isLine ? lineParts(definition, view) : sessionParts(definition, view);
  return [...own, ...commandParts(view)];
}

function sessionParts(definition: UnitDefinition, view: UnitView): Part[] {
  const report = sessionOctets(REPORT_HEAD + view.maxReportOctets);
  const command = sessionOctets(COMMAND_HEAD + view.maxCommandOctets);
  return [
    {
      name: 'its ring',
      octets: ringOctets(definition),
      advice: `make \`ring\` smaller than ${definition.ring}, or shorten the largest report`,
    },
    {
      name: 'a transmission',
      octets: Math.max(LEAST_TRANSMISSION, report, command),
      advice: 'shorten the largest message',
    },
  ];
}

function lineParts({ kind }: UnitDefinition, { messages }: UnitView): Part[] {
  const octets = Math.max(...messages.flatMap(({ fields }) => fields.map(({ lineOctets }) => lineOctets)));
  const lines = kind === 'read' ? 2 * (octets + 1) : Math.max(LEAST_LINE, octets);
  return [{ name: 'its lines', octets: lines, advice: 'shorten its text' }];
}

/** Commands that are too large for the stack have a place in RAM each; the others begin with a copy of their defaults. */
function commandParts({ commands }: UnitView): Part[] {
  const large = commands.filter(({ isStatic }) => isStatic).sort((a, b) => b.ramOctets - a.ramOctets);
  const withDefaults = commands.filter(({ isStatic, fields }) => !isStatic && fields.some(hasLargeDefault));
  const table = commands.length < TABLED_COMMANDS ? 0 : commands.length * ADDRESS;
  return [
    { name: 'constants of its commands', octets: ramOf(withDefaults) + table },
    {
      name: `its ${large.length === 1 ? 'large command' : `${large.length} large commands`}`,
      octets: ramOf(large),
      advice: `shorten text, bytes and list fields; the largest is ${large[0]?.name}`,
    },
  ].filter(({ octets }) => octets > 0);
}

const ramOf = (commands: UnitView['commands']): number => commands.reduce((sum, { ramOctets }) => sum + ramOctets, 0);

function hasLargeDefault({ initial, maxOctets }: UnitView['messages'][number]['fields'][number]): boolean {
  return initial !== '' && maxOctets > LARGEST_NUMBER;
}
