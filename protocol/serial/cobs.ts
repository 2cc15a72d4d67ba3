/**
 * Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999), without the `00` that ends a frame: octets without a `00`
 * among them, in runs of `code, code - 1 octets`. A code below ff stands for a `00` behind its run, but not at the end.
 */

/** The longest run, its code not counted. */
const MAX_RUN = 0xfe;

export function encodeCobs(octets: Uint8Array): Uint8Array {
  const encoded = new Uint8Array(octets.length + Math.floor(octets.length / MAX_RUN) + 1);
  let codeAt = 0;
  let at = 1;
  octets.forEach((octet, index) => {
    if (octet !== 0) {
      encoded[at] = octet;
      at += 1;
    }
    const run = at - codeAt - 1;
    const isFull = run === MAX_RUN && index < octets.length - 1;
    if (octet !== 0 && !isFull) return;
    encoded[codeAt] = run + 1;
    codeAt = at;
    at += 1;
  });
  encoded[codeAt] = at - codeAt;
  return encoded.subarray(0, at);
}

/** `undefined` where a code points behind the end, or a `00` is among the octets. */
export function decodeCobs(encoded: Uint8Array): Uint8Array | undefined {
  const octets = new Uint8Array(encoded.length);
  let length = 0;
  for (let at = 0; at < encoded.length; ) {
    const code = encoded[at]!;
    const end = at + code;
    if (code === 0 || end > encoded.length) return undefined;
    for (at += 1; at < end; at += 1) {
      if (encoded[at] === 0) return undefined;
      octets[length] = encoded[at]!;
      length += 1;
    }
    // The zero of the last run is none.
    if (code <= MAX_RUN && at < encoded.length) length += 1;
  }
  return octets.subarray(0, length);
}
