import { buildProgram, here, LineProgram, runtimeFolder, sourcesIn } from './cpp-program.js';

/** Codec, hashes and line values, compiled with the given signedness of plain char. */
export async function startValuesDriver(chars: '-funsigned-char' | '-fsigned-char'): Promise<LineProgram> {
  const sources = [
    ...sourcesIn(runtimeFolder),
    ...sourcesIn(`${here}/values`),
    // The port that the rest of the runtime asks for; nothing here runs it.
    `${here}/driver/scripted_port.cpp`,
  ];
  return new LineProgram(await buildProgram('values-driver', sources, [chars]));
}

/** Hexadecimal digits as the driver reads them: `-` for nothing. */
export const hexArgument = (octets: Uint8Array): string =>
  octets.length === 0 ? '-' : Buffer.from(octets).toString('hex');
