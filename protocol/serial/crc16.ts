const POLYNOMIAL = 0x1021;
const START = 0xffff;

const table = Uint16Array.from({ length: 256 }, (_, octet) => {
  let crc = octet << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000 ? (crc << 1) ^ POLYNOMIAL : crc << 1) & 0xffff;
  return crc;
});

/** CRC-16/CCITT-FALSE: polynomial 1021, from ffff, nothing reflected; of `123456789` it is 29b1 (wire/unit.md, "Serial"). */
export function crc16(octets: Uint8Array): number {
  let crc = START;
  for (const octet of octets) crc = ((crc << 8) & 0xffff) ^ table[(crc >> 8) ^ octet]!;
  return crc;
}
