import { printTable } from '../cli/terminal.js';

/** `yes` or `NO`, which also makes the exit code 1; what could not be measured is not met, and no failure either. */
export function met(isMet: boolean | undefined): string {
  if (isMet === undefined) return 'not measured';
  if (!isMet) process.exitCode = 1;
  return isMet ? 'yes' : 'NO';
}

/** A figure that is held against a bar. */
export interface Bar {
  readonly what: string;
  /** `undefined`: what it is measured against is not installed. */
  readonly measured: number | undefined;
  readonly most?: number;
  readonly least?: number;
}

/** What a table says of a peer that is not there. */
export const NOT_INSTALLED = 'not installed';

/** One figure in parts of another's; `undefined` unless both were measured. */
export const over = (ours: number | undefined, other: number | undefined): number | undefined =>
  ours === undefined || other === undefined ? undefined : ours / other;

export function printBars(bars: readonly Bar[]): void {
  printTable(
    ['BAR', 'MEASURED', 'WANTED', 'MET'],
    bars.map(({ what, measured, most, least }) => [
      what,
      measured?.toFixed(2) ?? '',
      most === undefined ? `at least ${least}` : `at most ${most}`,
      met(measured === undefined ? undefined : measured <= (most ?? Infinity) && measured >= (least ?? -Infinity)),
    ]),
  );
}
