import { createHmac } from 'node:crypto';
import { equalInConstantTime } from '../../../protocol/octets.js';

/** How far a receiver's clock may be from the timestamp (reference/limits.md, Signature). */
export const SIGNATURE_TOLERANCE_S = 300;

/** Signatures that a receiver compares: a sender that changes its secret sends two, anything past this is not one. */
const MAX_SIGNATURES = 8;

export interface WebhookHeaders {
  readonly 'webhook-id': string;
  /** Unix time of this attempt, in s. */
  readonly 'webhook-timestamp': string;
  readonly 'webhook-signature': string;
}

/** `whsec_` and base64, or any text as it is; while it is changed several, the new one first. */
export type WebhookSecret = string | readonly string[];

/** The three headers of Standard Webhooks, with one signature a secret. Throws RangeError when there is none. */
export function signWebhook(secret: WebhookSecret, id: string, timestampS: number, body: string): WebhookHeaders {
  const timestamp = String(timestampS);
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': secretsOf(secret)
      .map((each) => `v1,${Buffer.from(sign(each, id, timestamp, body)).toString('base64')}`)
      .join(' '),
  };
}

export type Verified = { readonly isValid: true } | { readonly isValid: false; readonly reason: string };

/**
 * For receivers. One signature by one of the secrets is enough. `headers` by lower-case name as Node gives them, `body`
 * exactly as it arrived, `nowMs` Unix ms. Throws RangeError when there is no secret.
 */
export function verifyWebhook(
  secret: WebhookSecret,
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  body: string,
  nowMs: number,
  toleranceS = SIGNATURE_TOLERANCE_S,
): Verified {
  const id = headers['webhook-id'];
  const timestamp = headers['webhook-timestamp'];
  const signatures = headers['webhook-signature'];
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string')
    return { isValid: false, reason: 'webhook-id, webhook-timestamp or webhook-signature is missing' };
  if (!/^\d{1,12}$/.test(timestamp)) return { isValid: false, reason: 'webhook-timestamp is no Unix time in seconds' };
  if (Math.abs(nowMs / 1000 - Number(timestamp)) > toleranceS)
    return { isValid: false, reason: `webhook-timestamp is more than ${toleranceS} s away` };
  const expected = secretsOf(secret).map((each) => sign(each, id, timestamp, body));
  const isSigned = signatures
    .split(' ', MAX_SIGNATURES)
    .filter((text) => text.startsWith('v1,'))
    .map((text) => Buffer.from(text.slice(3), 'base64'))
    .some((given) => expected.some((each) => equalInConstantTime(given, each)));
  return isSigned ? { isValid: true } : { isValid: false, reason: 'no signature matches' };
}

/** The octets of a secret. Throws RangeError when it holds none. */
export function secretOctets(secret: string): Uint8Array {
  const octets = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret, 'utf8');
  if (octets.length === 0) throw new RangeError('the secret is empty');
  return octets;
}

function secretsOf(secret: WebhookSecret): readonly string[] {
  const secrets = typeof secret === 'string' ? [secret] : secret;
  if (secrets.length === 0) throw new RangeError('there is no secret');
  return secrets;
}

function sign(secret: string, id: string, timestamp: string, body: string): Uint8Array {
  return createHmac('sha256', secretOctets(secret)).update(`${id}.${timestamp}.${body}`).digest();
}
