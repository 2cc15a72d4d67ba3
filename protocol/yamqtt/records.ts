/**
 * What a YAMQTT message is made of (wire/yamqtt.md): three records, one after the other, each of the same length. Octets:
 *
 *     0..1023      action: an ASCII letter; the other 1 023 octets mean nothing
 *     1024..2047   flow number: decimal ASCII, ended by the first 00; behind that nothing means anything
 *     2048..3071   data: 1 024 octets; a text ends with its first 00
 *
 * Here they are read and written where they lie: relaying makes no object per message.
 */

/** Octets of one record. */
export const RECORD_OCTETS = 1024;
/** Octets of one message: every one has as many. */
export const MESSAGE_OCTETS = 3 * RECORD_OCTETS;
/** Octets of a message before its data. */
export const HEAD_OCTETS = 2 * RECORD_OCTETS;
/** TCP port. */
export const DEFAULT_PORT = 1884;

/** No flow: of `disconnect`, and of the server's `error`. */
export const NO_FLOW = 0;
/** Flows are numbered from 1 to this. */
export const MAX_FLOW = 65_535;
/** As many as a number of 32 bits may have; leading zeros count. What has more is no number. */
const MAX_FLOW_DIGITS = 10;

/** What `flowAt` gives instead of a flow: a record that is no number, and a number past `MAX_FLOW`. */
export const FLOW_IS_NO_NUMBER = -1;
export const FLOW_IS_OUT_OF_RANGE = -2;

/** First octets of messages. Client to server: the first four. Server to client: `message`. Both: `error`. */
export const actionOctets = {
  subscribe: 0x73,
  unsubscribe: 0x75,
  publish: 0x70,
  disconnect: 0x64,
  message: 0x6d,
  error: 0x65,
} as const;

export type Action = keyof typeof actionOctets;

const ZERO = 0x30;
const noOctets = new Uint8Array(HEAD_OCTETS);

/**
 * The flow of the message at `at`: 0 to 65 535, or one of the two above. A number is 1 to 10 digits and a `00` behind them: no
 * sign, no blanks. The octets of the message must be there.
 */
export function flowAt(octets: Uint8Array, at: number): number {
  const first = at + RECORD_OCTETS;
  let flow = 0;
  for (let digits = 0; digits <= MAX_FLOW_DIGITS; digits += 1) {
    const octet = octets[first + digits]!;
    if (octet === 0) return digits === 0 ? FLOW_IS_NO_NUMBER : flow > MAX_FLOW ? FLOW_IS_OUT_OF_RANGE : flow;
    if (octet < ZERO || octet > ZERO + 9) return FLOW_IS_NO_NUMBER;
    flow = 10 * flow + octet - ZERO;
  }
  return FLOW_IS_NO_NUMBER;
}

/**
 * Writes action and flow of the message at `at` over what is there: every octet that means nothing becomes `00`. The data stay.
 * `flow` must be 0 to 65 535.
 */
export function writeHead(octets: Uint8Array, at: number, action: Action, flow: number): void {
  octets.set(noOctets, at);
  octets[at] = actionOctets[action];
  let digit = at + RECORD_OCTETS + (flow > 9999 ? 4 : flow > 999 ? 3 : flow > 99 ? 2 : flow > 9 ? 1 : 0);
  let left = flow;
  do {
    octets[digit] = ZERO + (left % 10);
    left = Math.floor(left / 10);
    digit -= 1;
  } while (left > 0);
}
