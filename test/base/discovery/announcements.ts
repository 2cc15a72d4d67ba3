import type { Announced } from '../../../base/discovery/mdns.js';
import { fingerprintOf } from '../../../protocol/definition/index.js';
import lamp from '../../../units/led-lamp.js';

type Pairs = Readonly<Record<string, string | undefined>>;

export const txtOf = (pairs: Pairs): ReadonlyMap<string, string> =>
  new Map(Object.entries(pairs).filter((pair): pair is [string, string] => pair[1] !== undefined));

/** A lamp without a key, as it announces itself. */
export function announced(
  name: string,
  { txt = {}, ...changes }: Partial<Omit<Announced, 'txt'>> & { readonly txt?: Pairs } = {},
): Announced {
  const standard = { definition: 'led-lamp', version: '1.0.0', fingerprint: fingerprintOf(lamp), key: 'none' };
  const place = { host: `${name}.local`, addresses: ['10.0.0.1'], port: 8888 };
  return { name, ...place, ...changes, txt: txtOf({ ...standard, ...txt }) };
}
