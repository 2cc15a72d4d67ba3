/** What sections of an object cost, in octets. */
export interface Sizes {
  /** Code, with the addresses and numbers that it loads. */
  readonly text: number;
  /** Constants that stay in flash. */
  readonly flashData: number;
  /** Constants that lie in RAM, as all do on this chip that are not told to stay in flash. */
  readonly rodata: number;
  readonly data: number;
  readonly bss: number;
}

export const noSizes: Sizes = { text: 0, flashData: 0, rodata: 0, data: 0, bss: 0 };

export function sumOf(all: Iterable<Sizes>): Sizes {
  const sum = { ...noSizes };
  for (const sizes of all) for (const kind of kinds) sum[kind] += sizes[kind];
  return sum;
}

const kinds = Object.keys(noSizes) as (keyof Sizes)[];

/** Flash also holds what RAM begins with. */
export const flashOf = ({ text, flashData, rodata, data }: Sizes): number => text + flashData + rodata + data;
export const ramOf = ({ rodata, data, bss }: Sizes): number => rodata + data + bss;

/** Which of {@link Sizes} a section counts for; `undefined` for what is not loaded: notes, debugging. */
export function kindOf(section: string): keyof Sizes | undefined {
  if (/^\.(text|literal)\b/.test(section)) return 'text';
  if (/^\.irom\b/.test(section)) return 'flashData';
  if (/^\.rodata\b/.test(section)) return 'rodata';
  if (/^\.(data|init_array|ctors)\b/.test(section)) return 'data';
  return /^(\.bss\b|COMMON)/.test(section) ? 'bss' : undefined;
}
