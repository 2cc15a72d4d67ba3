import { ConfigurationError } from '../../protocol/errors.js';

/** What a timer of Node can hold. */
export const MAX_MS = 2 ** 31 - 1;

/** Throws ConfigurationError `config-invalid`. */
export function whole(name: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most)
    refuse(name, `must be a whole number from ${least} to ${most}`);
  return value;
}

/** Throws ConfigurationError `config-invalid`, naming the option. */
export function refuse(name: string, what: string): never {
  throw new ConfigurationError('config-invalid', `${name} ${what}`);
}
