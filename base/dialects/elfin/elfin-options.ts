import type { Address } from '../../core/address.js';
import type { TlsFiles } from '../../links/certificates.js';
import type { ElfinLimits } from './elfin-limits.js';

/**
 * How messages are told apart (wire/elfin.md): `segment`: one read is one message, as the original has it; `line`: control
 * messages end in a line feed and data says its length, so that TCP may cut and join them anywhere.
 */
export const framings = ['segment', 'line'] as const;
export type Framing = (typeof framings)[number];

/** The Elfin Connect gateway (wire/elfin.md), checked and resolved. */
export interface ElfinOptions {
  /** At least one. */
  readonly listeners: readonly ElfinListener[];
  /** Messages of users that were not added are dropped. Without it whoever names a user is one. */
  readonly requireKnownUser: boolean;
  /** Of `lastseendate`: an IANA name, and a pattern of YYYY, MM, DD, HH, mm, ss. */
  readonly timeZone: string;
  readonly dateFormat: string;
  readonly limits: ElfinLimits;
}

export interface ElfinListener {
  /** Under which key of the configuration's section it is, for people. */
  readonly setting?: 'tcp' | 'lineTcp' | 'tls.listen' | undefined;
  readonly listen: Address;
  readonly framing: Framing;
  /** Certificate and key, PEM; read anew when they change. `undefined`: in clear. */
  readonly tls: TlsFiles | undefined;
}
