import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';

/** A certificate, with those that lead to its authority behind it, and its private key. PEM. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** What is wrong with a pair, and with which of the two. `what` follows the name of that file. */
export interface PairProblem {
  readonly of: keyof CertificatePair;
  readonly what: string;
}

/** RFC 8996: TLS 1.0 and 1.1 must not be used. BearSSL and mbed TLS of the ESP boards have 1.2. */
const MIN_TLS_VERSION = 'TLSv1.2';

/** A chain, or a key; not the whole system's store. */
export const MAX_PEM_OCTETS = 65_536;

/** Why a server cannot use them; `undefined`: it can. Says nothing of what is in the key. */
export function problemOfPair(pair: CertificatePair): PairProblem | undefined {
  const certificate = certificateOf(pair.cert);
  if (certificate === undefined) {
    const what = 'holds no certificate; it must be PEM, beginning with -----BEGIN CERTIFICATE-----';
    return { of: 'cert', what };
  }
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(pair.key)) {
    const what = 'is encrypted, and nobody is there to type its passphrase; write it anew with "openssl pkey"';
    return { of: 'key', what };
  }
  const key = keyOf(pair.key);
  if (key === undefined) {
    const what = 'holds no private key; it must be PEM, beginning with -----BEGIN PRIVATE KEY----- or the like';
    return { of: 'key', what };
  }
  if (!certificate.checkPrivateKey(key)) {
    const what = 'is not the key of the certificate; in the file of a chain, the first must be that of this server';
    return { of: 'key', what };
  }
  try {
    secureContextOf(pair);
    return undefined;
  } catch (error) {
    return { of: 'cert', what: `cannot be used: ${(error as Error).message}` };
  }
}

/** For a server. Throws what OpenSSL says; see {@link problemOfPair}. */
export function secureContextOf({ cert, key }: CertificatePair): SecureContext {
  return createSecureContext({ cert, key, minVersion: MIN_TLS_VERSION });
}

/** The first of the file, as OpenSSL takes it. */
function certificateOf(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function keyOf(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}
