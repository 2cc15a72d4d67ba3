import { InvalidArgumentError } from 'commander';
import { parseAddress } from '../base/config/address.js';
import type { Address } from '../base/core/address.js';

/** An option of the command line that says where something listens: `host`, `host:port`, `[::1]:port`. */
export function parsePlace(text: string, defaultPort: number): Address {
  const parsed = parseAddress(text, defaultPort);
  if (!parsed.ok) throw new InvalidArgumentError(`${JSON.stringify(text)} ${parsed.what}.`);
  if (parsed.address.port === 0) throw new InvalidArgumentError('Nobody listens at port 0.');
  return parsed.address;
}
