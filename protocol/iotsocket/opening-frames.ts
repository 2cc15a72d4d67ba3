import { bad, type DecodeResult, frame, more } from '../decode-result.js';
import { ProtocolError } from '../errors.js';
import { OctetWriter } from '../octets.js';

/**
 * The first exchange of a session (wire/iotsocket.md, "Opening a connection").
 *
 *     client → concentrator, 4 octets   0 TLS:1 version:7   1 options:8   2..3 max transmission length:16 (0: unsaid)
 *     concentrator → client, 2 octets   0 OK:1 rule type:7  1 rule flags:8   then, rule 1: string host, port:16
 */
export interface Initiation {
  readonly tls: boolean;
  /** 0: draft v0.07. 1: v1.01. */
  readonly version: number;
  readonly options: number;
  readonly maxTransmission: number;
}

/** Options and rule flags of wire/unit.md, "Opening with mutual proof". */
export const initiationOptions = { typedMessages: 0x01, mutualProof: 0x02 } as const;
export const ruleFlags = { mutualProof: 0x02 } as const;

export const VERSION_1_01 = 1;
const INITIATION_OCTETS = 4;

export type InitiationAnswer =
  | { readonly kind: 'refused' }
  | { readonly kind: 'accepted'; readonly flags: number }
  | { readonly kind: 'redirected'; readonly flags: number; readonly host: string; readonly port: number };

const OK = 0x80;
const RULE_NONE = 0;
const RULE_REDIRECTION = 1;

export function encodeInitiation(initiation: Initiation): Uint8Array {
  return new OctetWriter()
    .u8((initiation.tls ? 0x80 : 0) | initiation.version)
    .u8(initiation.options)
    .u16(initiation.maxTransmission, false)
    .finish();
}

export function decodeInitiation(octets: Uint8Array): DecodeResult<Initiation> {
  if (octets.length < INITIATION_OCTETS) return more(INITIATION_OCTETS);
  return frame(
    {
      tls: (octets[0]! & 0x80) !== 0,
      version: octets[0]! & 0x7f,
      options: octets[1]!,
      maxTransmission: (octets[2]! << 8) | octets[3]!,
    },
    INITIATION_OCTETS,
  );
}

export function encodeInitiationAnswer(answer: InitiationAnswer): Uint8Array {
  const writer = new OctetWriter();
  if (answer.kind === 'refused') return writer.u8(0).u8(0).finish();
  writer.u8(OK | (answer.kind === 'redirected' ? RULE_REDIRECTION : RULE_NONE)).u8(answer.flags);
  if (answer.kind === 'redirected') {
    const host = new TextEncoder().encode(answer.host);
    writer.u8(host.length).octets(host).u16(answer.port, false);
  }
  return writer.finish();
}

export function decodeInitiationAnswer(octets: Uint8Array): DecodeResult<InitiationAnswer> {
  if (octets.length < 2) return more(2);
  if ((octets[0]! & OK) === 0) return frame({ kind: 'refused' }, 2);
  const rule = octets[0]! & 0x7f;
  const flags = octets[1]!;
  if (rule === RULE_NONE) return frame({ kind: 'accepted', flags }, 2);
  if (rule !== RULE_REDIRECTION) return bad(new ProtocolError('opening-malformed', `rule ${rule} is unknown`));
  if (octets.length < 3) return more(3);
  const used = 3 + octets[2]! + 2;
  if (octets.length < used) return more(used);
  const host = new TextDecoder().decode(octets.subarray(3, used - 2));
  return frame({ kind: 'redirected', flags, host, port: (octets[used - 2]! << 8) | octets[used - 1]! }, used);
}
