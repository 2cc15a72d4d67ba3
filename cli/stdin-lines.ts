import { ConfigurationError } from '../protocol/errors.js';

const LF = 0x0a;
const CR = 0x0d;

/**
 * The lines of a stream as octets, without their ends (`\n` or `\r\n`); the last may have none. Throws ConfigurationError
 * `config-invalid` at a line that is too long, behind all before it; `advice` says what to do then. Keeps one line.
 */
export async function* linesOf(
  input: AsyncIterable<Uint8Array>,
  maxOctets: number,
  advice: string,
): AsyncGenerator<Uint8Array> {
  let begun: Uint8Array = new Uint8Array(0);
  let number = 1;
  const whole = (line: Uint8Array): Uint8Array => {
    const end = line.at(-1) === CR ? line.length - 1 : line.length;
    if (end > maxOctets)
      throw new ConfigurationError(
        'config-invalid',
        `line ${number} has more than ${maxOctets} octets: ${advice}. The lines before it are published`,
      );
    number += 1;
    return line.subarray(0, end);
  };
  for await (const chunk of input) {
    let at = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, at)) {
      const line = whole(Buffer.concat([begun, chunk.subarray(at, end)]));
      begun = new Uint8Array(0);
      at = end + 1;
      yield line;
    }
    begun = Buffer.concat([begun, chunk.subarray(at)]);
    // One more may be the first half of the line's end.
    if (begun.length > maxOctets + 1) whole(begun);
  }
  if (begun.length > 0) yield whole(begun);
}
