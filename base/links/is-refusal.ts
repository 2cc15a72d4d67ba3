import { BaseUnitError } from '../../protocol/errors.js';

/** Somebody has to change something before another attempt can succeed. */
export function isRefusal(error: Error): boolean {
  return error instanceof BaseUnitError && (error.family === 'configuration' || refusals.has(error.code));
}

const refusals = new Set<string>([
  'key-wrong',
  'uid-unknown',
  'uid-unexpected',
  'definition-unexpected',
  'version-unknown',
  'proof-refused',
]);
