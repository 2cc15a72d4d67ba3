import { peerText } from '../../base/core/log.js';

/** Why a server was not reached. */
export interface NetworkTrouble {
  readonly kind: 'name' | 'certificate' | 'unreachable';
  /** Follows the name of the server: `refuses the connection`. */
  readonly what: string;
}

const said: Readonly<Record<string, string>> = {
  ENOTFOUND: 'has no address: the name is wrong, or this machine has no DNS',
  EAI_AGAIN: 'has no address: no DNS server answers',
  ECONNREFUSED: 'refuses the connection: nothing listens there, or a firewall is in between',
  ECONNRESET: 'broke the connection off',
  EHOSTUNREACH: 'cannot be reached: there is no way to it',
  ENETUNREACH: 'cannot be reached: this machine has no network to it',
  ETIMEDOUT: 'does not answer',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'shows a certificate that it signed itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'shows a certificate of an authority that is not trusted here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'shows a certificate of an authority that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'shows a certificate of an authority that is not trusted here',
  CERT_HAS_EXPIRED: 'shows a certificate that has expired',
  CERT_NOT_YET_VALID: "shows a certificate that is not valid yet, by this machine's clock",
  ERR_TLS_CERT_ALTNAME_INVALID: 'shows a certificate of another name',
};

/** What TLS says when the other side speaks something else. */
const notTls = /^ERR_SSL_|EPROTO/;
const ofCertificate = /CERT|SIGNATURE|ISSUER/;
const ofTime = /^(UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT|ABORT_ERR|ETIMEDOUT)$|^(AbortError|TimeoutError)$/;

/** Sorts an error of a connection. What it says holds nothing of what was sent. */
export function networkTrouble(error: unknown, timeoutMs: number): NetworkTrouble {
  const { code, name, message } = rootOf(error);
  const key = typeof code === 'string' ? code : name;
  if (ofTime.test(key) || /timed? ?out/i.test(message))
    return { kind: 'unreachable', what: `does not answer within ${timeoutMs / 1_000} s` };
  const known = said[key];
  if (key === 'ENOTFOUND' || key === 'EAI_AGAIN') return { kind: 'name', what: known! };
  if (notTls.test(key)) return { kind: 'unreachable', what: 'does not speak TLS as it should there' };
  const what = known ?? `cannot be reached: ${peerText(`${key}: ${message}`)}`;
  return { kind: ofCertificate.test(key) && key !== 'ECONNRESET' ? 'certificate' : 'unreachable', what };
}

interface Fault {
  readonly code?: unknown;
  readonly name: string;
  readonly message: string;
}

/** Libraries wrap what the system said; several addresses give several errors, of which the first is told. */
function rootOf(error: unknown): Fault {
  let root = error as Fault & { readonly cause?: unknown; readonly error?: unknown; readonly errors?: unknown };
  for (let depth = 0; depth < 5; depth += 1) {
    const inner = (Array.isArray(root.errors) ? root.errors[0] : undefined) ?? root.cause ?? root.error;
    if (typeof inner !== 'object' || inner === null) break;
    root = inner as typeof root;
  }
  return root;
}
