import { BaseUnitError } from '../protocol/errors.js';

/** How `baseunit` ends, for scripts. */
export const exitCodes = {
  ok: 0,
  /** Something failed that should not have. */
  failed: 1,
  /** The command line, the configuration or a definition is wrong. */
  usage: 2,
  /** No base is running, or it cannot be reached. */
  unreachable: 3,
  /** The command got an outcome other than `ok`. */
  outcome: 4,
} as const;

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof BaseUnitError)) return exitCodes.failed;
  switch (error.family) {
    case 'configuration':
    case 'definition':
      return exitCodes.usage;
    case 'link':
    case 'relay':
    case 'timeout':
      return exitCodes.unreachable;
    default:
      return exitCodes.failed;
  }
}
