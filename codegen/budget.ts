import type { Board, UnitDefinition } from '../protocol/definition/index.js';
import { BaseUnitError } from '../protocol/errors.js';
import { avrParts } from './avr-parts.js';
import { type BoardLimits, boardLimits } from './board-limits.js';
import { type Part, type Parts, totalOf } from './budget-parts.js';
import { esp8266Parts } from './esp8266-parts.js';
import { MAX_RING_OCTETS, ringOctets } from './ring-octets.js';

/** Octets that a unit takes of a memory, and may take of it. */
export interface Share {
  readonly octets: number;
  readonly limit: number;
  readonly parts: readonly Part[];
}

/** What a unit's firmware takes of a board, reckoned from the definition alone. What the sketch itself declares is not in it. */
export interface Budget {
  readonly unit: string;
  readonly board: Board;
  /** Variables of a size known when the firmware is built. */
  readonly ram: Share;
  /** An upper bound. */
  readonly flash: Share;
}

const partsOf: Readonly<Record<BoardLimits['chip'], (definition: UnitDefinition) => Parts>> = {
  esp8266: esp8266Parts,
  avr: avrParts,
};

/** A budget for each of the unit's boards, in their order. */
export function budgetsOf(definition: UnitDefinition): Budget[] {
  return definition.boards.map((board) => {
    const { chip, ram, flash, spareRam } = boardLimits[board];
    const parts = partsOf[chip](definition);
    return {
      unit: definition.name,
      board,
      ram: { octets: totalOf(parts.ram), limit: ram - spareRam, parts: parts.ram },
      flash: { octets: totalOf(parts.flash), limit: flash, parts: parts.flash },
    };
  });
}

/** Throws `firmware-too-large`, which tells all that is too large for any of its boards, by how much, and what to make smaller. */
export function refuseTooLarge(definitions: Iterable<UnitDefinition>): void {
  const complaints = [...definitions].flatMap((definition) => [
    ...ringComplaint(definition),
    ...budgetsOf(definition).flatMap(complaintsAbout),
  ]);
  if (complaints.length > 0) throw new BaseUnitError('definition', 'firmware-too-large', complaints.join('\n'));
}

function ringComplaint(definition: UnitDefinition): string[] {
  const { name, ring } = definition;
  const octets = ringOctets(definition);
  if (octets <= MAX_RING_OCTETS) return [];
  return [
    `the ring of ${name} takes ${octets} octets of RAM, ${octets - MAX_RING_OCTETS} more than the ${MAX_RING_OCTETS} it may: ` +
      `make \`ring\` smaller than ${ring}, or shorten a text, bytes or list field of the largest report`,
  ];
}

function complaintsAbout({ unit, board, ram, flash }: Budget): string[] {
  const { spareRam, spareFor } = boardLimits[board];
  const reserve = ` beside the ${spareRam} that ${spareFor}`;
  return [
    ...complaintAbout(`${unit} does not fit the RAM of board ${board}`, ram, reserve),
    ...complaintAbout(`${unit} does not fit the flash of board ${board}`, flash, ''),
  ];
}

function complaintAbout(what: string, { octets, limit, parts }: Share, reserve: string): string[] {
  if (octets <= limit) return [];
  const own = parts.filter(({ advice }) => advice !== undefined).sort((a, b) => b.octets - a.octets);
  return [
    `${what}: it takes ${octets} octets, ${octets - limit} more than the ${limit} there are${reserve}. Make smaller:`,
    ...own.map(({ name, octets, advice }) => `  ${name}, ${octets}: ${advice}`),
  ];
}
