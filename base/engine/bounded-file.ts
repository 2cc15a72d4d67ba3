import { readFile, stat } from 'node:fs/promises';

/**
 * The octets of a file that has at most so many. Rejects with what the file system says, and with a RangeError when it has
 * more or is no regular file: a pipe would be read for ever.
 */
export async function readBounded(path: string, maxOctets: number): Promise<Uint8Array> {
  const found = await stat(path);
  if (!found.isFile()) throw new RangeError('it is no regular file');
  refuseMore(found.size, maxOctets);
  const octets = await readFile(path);
  // It may have grown in between.
  refuseMore(octets.length, maxOctets);
  return octets;
}

function refuseMore(octets: number, maxOctets: number): void {
  if (octets > maxOctets) throw new RangeError(`it has ${octets} octets; at most ${maxOctets} are read`);
}
