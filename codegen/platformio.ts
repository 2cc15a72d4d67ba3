import type { Render } from './templates.js';

/** A board that the generated firmware is built for. */
interface Board {
  readonly name: string;
  /** `esp8266`: an Arduino board to flash. `native`: a program for this machine. */
  readonly kind: 'esp8266' | 'native';
}

/** reference/esp8266.md: both boards have 4 MB of flash and are built the same. */
const boards: readonly Board[] = [
  { name: 'nodemcuv2', kind: 'esp8266' },
  { name: 'd1_mini', kind: 'esp8266' },
  { name: 'native', kind: 'native' },
];

/** The boards that can be flashed. */
export const flashableBoards: readonly string[] = boards
  .filter((board) => board.kind === 'esp8266')
  .map((board) => board.name);

/** `led-lamp_d1_mini`. */
export function environmentOf(unit: string, board: string): string {
  return `${unit}_${board}`;
}

export const PLATFORMIO_FILE = 'platformio.ini';

const BEGIN =
  '; >>> generated from units/ by `baseunit generate`. Do not edit. Your own lines go above or below this part.';
const END = '; <<< generated';

/** The generated part of `platformio.ini`, markers included. `library` is the name in the runtime's `library.json`. */
export function platformioPart(render: Render, units: readonly string[], library: string): string {
  const environments = [...units].sort().flatMap((unit) =>
    boards.map((board) => ({
      name: environmentOf(unit, board.name),
      unit,
      board: board.name,
      kind: board.kind,
      isBoard: board.kind === 'esp8266',
    })),
  );
  const body = render('platformio.ini', {
    library,
    environments,
    nativeEnvironments: environments.filter(({ kind }) => kind === 'native').map(({ name }) => name),
  });
  return `${BEGIN}\n${body.trimEnd()}\n${END}\n`;
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
