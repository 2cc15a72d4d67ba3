/** Randomness, as everything below `base.ts` sees it. */
export interface Random {
  /** Octets that nobody can guess. */
  octets(count: number): Uint8Array;
  /** 0 ≤ fraction < 1, for jitter. */
  fraction(): number;
}
