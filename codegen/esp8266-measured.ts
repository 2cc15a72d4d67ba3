/**
 * What the runtime and the port take of an ESP8266 in a unit whose definition sizes nothing, in octets, as the compiler made
 * and linked it; flash with 2 % to spare. test/firmware/chip/sizes.test.ts keeps these figures and writes them anew: see
 * docs/firmware-size.md.
 */
export const measured = {
  session: { ram: 2337, flash: 18828 },
  readLine: { ram: 1518, flash: 13088 },
  updatableLine: { ram: 1611, flash: 13597 },
} as const;

/** The figures for a unit of this kind. */
export type MeasuredKind = keyof typeof measured;
