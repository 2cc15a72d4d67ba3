import { InvalidArgumentError } from 'commander';

/** An option of the command line that is a number of seconds. */
export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds > 0) return seconds;
  throw new InvalidArgumentError('Write a number of seconds above 0.');
}
