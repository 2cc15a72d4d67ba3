/** A file of a generated project, in memory. */
export interface GeneratedFile {
  /** From the project's root, with `/`. */
  readonly path: string;
  readonly text: string;
  /** `generated`: ours, compared by the check. `once`: the user's from the day it was created. */
  readonly kind: 'generated' | 'once';
}

/** What every generated file says near its top; how one is known again when its unit is gone. */
const GENERATED_MARK = 'by `baseunit generate`. Do not edit.';

/** A file is ours when one of its first lines says so. */
export function isGenerated(text: string): boolean {
  return text.split('\n', 3).some((line) => line.includes(GENERATED_MARK));
}
