import { codeIn, tableRows } from '../../docs/support/documents.js';

/** A figure may be off by so much before docs/firmware.md has to say another. */
export const TOLERANCE = 1.02;

/** Octets, as docs/firmware.md has them. */
export interface Figures {
  readonly flash: number;
  readonly ram: number;
  readonly stack: number;
}

/** What docs/firmware.md says an example unit takes on an Uno. */
export function documentedFigures(unit: string): Figures {
  const row = tableRows('docs/firmware.md', 'Arduino Uno').find(([first]) => codeIn(first) === unit);
  if (row === undefined) throw new Error(`docs/firmware.md, "Arduino Uno", has no row for ${unit}`);
  const [flash, ram, stack] = row.slice(1).map((cell) => Number(cell.replaceAll(' ', '')));
  return { flash: flash!, ram: ram!, stack: stack! };
}
