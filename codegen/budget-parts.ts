/** A part of what a unit takes of a board. */
export interface Part {
  readonly name: string;
  readonly octets: number;
  /** What makes it smaller; nothing: the definition cannot. */
  readonly advice?: string;
}

/** What a unit takes of a board's memories, in parts. */
export interface Parts {
  readonly ram: readonly Part[];
  readonly flash: readonly Part[];
}

export function totalOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { octets }) => sum + octets, 0);
}
