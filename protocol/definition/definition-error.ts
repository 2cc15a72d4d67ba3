import { BaseUnitError } from '../errors.js';

/** One thing that cannot be: where in the definition, what, and what to do. */
export interface DefinitionProblem {
  /** `command fade, field durationMs`; empty when it is the unit itself. */
  readonly where: string;
  /** `max 70000 is above what u16 holds (65535); use u32 or a smaller max`. */
  readonly what: string;
}

/** A definition that cannot be. `definition-invalid`; `problems` has all of them, the message too. */
export class DefinitionError extends BaseUnitError {
  readonly unit: string;
  readonly problems: readonly DefinitionProblem[];

  constructor(unit: string, problems: readonly DefinitionProblem[]) {
    const lines = problems.map(({ where, what }) => `  ${where === '' ? '' : `${where}: `}${what}`);
    super(
      'definition',
      'definition-invalid',
      `unit ${unit || '(without a name)'} cannot be defined:\n${lines.join('\n')}`,
    );
    this.unit = unit;
    this.problems = problems;
  }
}
