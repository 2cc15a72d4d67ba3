import { type Board, boards, type UnitDefinition } from '../protocol/definition/index.js';
import type { Render } from './templates.js';

/** How each board's firmware is built: reference/esp8266.md has both boards of 4 MB of flash built the same. */
const kinds: Readonly<Record<Board, 'esp8266' | 'uno'>> = { nodemcuv2: 'esp8266', d1_mini: 'esp8266', uno: 'uno' };

/** `led-lamp_d1_mini`. */
export function environmentOf(unit: string, board: string): string {
  return `${unit}_${board}`;
}

export const PLATFORMIO_FILE = 'platformio.ini';

const BEGIN =
  '; >>> generated from units/ by `baseunit generate`. Do not edit. Your own lines go above or below this part.';
const END = '; <<< generated';

/** What is told of a unit here: its environments are those of its boards, and one for this machine. */
export type UnitBoards = Pick<UnitDefinition, 'name' | 'boards'>;

/** The generated part of `platformio.ini`, markers included. `library` is the name in the runtime's `library.json`. */
export function platformioPart(render: Render, units: readonly UnitBoards[], library: string): string {
  const environments = [...units]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((unit) => [
      ...boards.filter((board) => unit.boards.includes(board)).map((board) => environment(unit, board, kinds[board])),
      environment(unit, 'native', 'native'),
    ]);
  const body = render('platformio.ini', {
    library,
    environments,
    nativeEnvironments: environments.filter(({ kind }) => kind === 'native').map(({ name }) => name),
  });
  return `${BEGIN}\n${body.trimEnd()}\n${END}\n`;
}

function environment({ name: unit }: UnitBoards, board: string, kind: 'esp8266' | 'uno' | 'native') {
  const name = environmentOf(unit, board);
  return { name, unit, board, kind, isBoard: kind !== 'native', isUno: kind === 'uno' };
}

/** The file with its generated part replaced. What stands before and behind it stays, octet for octet. */
export function replacePart(existing: string | undefined, part: string): string {
  if (existing === undefined || existing.trim() === '') return part;
  const begin = existing.indexOf(BEGIN);
  const end = existing.indexOf(END, begin);
  if (begin === -1 || end === -1) return `${existing.trimEnd()}\n\n${part}`;
  const behind = existing.slice(end + END.length).replace(/^\r?\n/, '');
  return existing.slice(0, begin) + part + behind;
}
