import { ConfigurationError } from '../../protocol/errors.js';

/** One thing in the file that cannot work. */
export interface ConfigProblem {
  /** Where in the file: `units.known.kitchen-lamp.address`, `webhooks[0].url`; empty for the file as a whole. */
  readonly path: string;
  /** What is wrong and what to write; follows the path. */
  readonly what: string;
  /** It is a secret that could not be read. */
  readonly isSecret?: boolean;
}

/** More are counted, not listed: nobody reads them, and a file of noise would make an endless message. */
const MAX_LISTED = 50;

/**
 * Everything that is wrong with a configuration, at once. `config-invalid`; `secret-missing` when secrets that could not
 * be read are all that is wrong.
 */
export class InvalidConfigurationError extends ConfigurationError {
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, problems: readonly ConfigProblem[]) {
    const isOnlySecrets = problems.length > 0 && problems.every(({ isSecret }) => isSecret === true);
    const lines = problems.slice(0, MAX_LISTED).map(({ path, what }) => `  ${path === '' ? 'the file' : path} ${what}`);
    if (problems.length > MAX_LISTED) lines.push(`  and ${problems.length - MAX_LISTED} more`);
    super(isOnlySecrets ? 'secret-missing' : 'config-invalid', `${file} cannot be used:\n${lines.join('\n')}`);
    this.problems = problems;
  }
}

/** `['units', 'known', 'a', 0]` as people write it: `units.known.a[0]`. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? String(step) : `${text}.${String(step)}`;
  }, '');
}
