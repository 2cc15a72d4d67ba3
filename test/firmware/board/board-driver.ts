import { buildProgram, LineProgram, runtimeFolder, here as runtimeTests, sourcesIn } from '../runtime/cpp-program.js';

/** The portable parts of a board as a program that answers line by line. */
export async function startBoardDriver(): Promise<LineProgram> {
  const sources = [
    ...sourcesIn(runtimeFolder),
    ...sourcesIn('test/firmware/board/driver'),
    // The port that the rest of the runtime asks for; nothing here runs it.
    `${runtimeTests}/driver/scripted_port.cpp`,
  ];
  return new LineProgram(await buildProgram('board-driver', sources, ['-funsigned-char']));
}

/** Hexadecimal digits as the driver reads them: `-` for nothing. */
export const digits = (octets: Uint8Array | string): string =>
  octets.length === 0 ? '-' : Buffer.from(octets as Uint8Array).toString('hex');

/** Octets as the driver writes them. */
export const octets = (text: string): Buffer => Buffer.from(text === '-' ? '' : text, 'hex');
