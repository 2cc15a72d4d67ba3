/**
 * First octets that a client may send, `type:4 RTE:1 reserved:3` (wire/iotsocket.md, "Transmissions"). All others are
 * refused: telemetry tokens and identified telemetry come from the concentrator alone.
 */
export const firstOctets = {
  accessList: 0x00,
  ping: 0x10,
  pong: 0x20,
  request: 0x30,
  requestWithUid: 0x38,
  response: 0x40,
  responseWithUid: 0x48,
  telemetryToken: 0x50,
  identifiedTelemetry: 0x68,
  close: 0xf0,
} as const;

/** Not enough octets to know the length. */
export const LENGTH_UNKNOWN = 0;
/** No transmission begins so. */
export const NOT_A_TRANSMISSION = -1;

/**
 * How many octets the transmission at `at` has, of which `end - at` are there; {@link LENGTH_UNKNOWN} or
 * {@link NOT_A_TRANSMISSION}. Makes no object: it is what a relay asks for every transmission. An access list is none of
 * these; who takes one looks for it first.
 */
export function transmissionLength(octets: Uint8Array, at: number, end: number): number {
  let head: number;
  switch (octets[at]) {
    case firstOctets.ping:
    case firstOctets.pong:
      return 1;
    case firstOctets.close:
      return 2;
    case firstOctets.request:
      head = 3;
      break;
    case firstOctets.response:
      head = 4;
      break;
    case firstOctets.requestWithUid:
      head = 19;
      break;
    case firstOctets.responseWithUid:
      head = 20;
      break;
    default:
      return NOT_A_TRANSMISSION;
  }
  const block = at + head;
  return block + 3 > end ? LENGTH_UNKNOWN : head + 3 + ((octets[block + 1]! << 8) | octets[block + 2]!);
}

/** With how many octets {@link transmissionLength} knows the length of what begins with that octet. */
export function lengthKnownWith(first: number): number {
  switch (first) {
    case firstOctets.request:
      return 6;
    case firstOctets.response:
      return 7;
    case firstOctets.requestWithUid:
      return 22;
    case firstOctets.responseWithUid:
      return 23;
    default:
      return 1;
  }
}
