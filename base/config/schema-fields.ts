import { z } from 'zod';
import type { Address, Whereabouts } from '../core/address.js';
import { suggest } from '../core/suggest.js';
import { isLoopbackHost, parseAddress, parseWhereabouts } from './address.js';
import type { Secrets } from './secrets.js';

/**
 * The pieces that the sections of a configuration are made of. A message follows the path of what it is about:
 * `http.listen` + `must be a string, not a number; write "127.0.0.1:8889"`. A piece that fails yields `undefined`, so
 * that the checks that look at several fields still run and everything wrong is told at once.
 */

type Input = { readonly input?: unknown };

const kindOf = (value: unknown): string =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'a list'
      : typeof value === 'object'
        ? 'an object'
        : `a ${typeof value}`;

/** The message for a value that is missing or of the wrong kind. */
export function expected(kind: string, example: string): (issue: Input) => string {
  return ({ input }) =>
    input === undefined ? `is missing; write ${example}` : `must be ${kind}, not ${kindOf(input)}; write ${example}`;
}

/** Text of 1 to `max` characters without control characters. */
export function text(example: string, max = 200) {
  return z
    .string({ error: expected('a string', example) })
    .min(1, { error: `is empty; write ${example}` })
    .max(max, { error: `is longer than ${max} characters; write ${example}` })
    .regex(/^[^\p{Cc}\p{Surrogate}]*$/u, { error: 'has control characters; take them out' });
}

/** A whole number of that range. */
export function whole(min: number, max: number, example: number) {
  const error = `must be ${min} to ${max}`;
  return z
    .int({ error: expected('a whole number', String(example)) })
    .min(min, { error })
    .max(max, { error });
}

export function flag() {
  return z.boolean({ error: expected('true or false', 'true or false') });
}

/** `host[:port]`. */
export function address(defaultPort: number, example: string) {
  return z.string({ error: expected('a string', example) }).transform((written, context): Address | undefined => {
    const parsed = parseAddress(written, defaultPort);
    if (parsed.ok) return parsed.address;
    context.addIssue({ code: 'custom', message: `${JSON.stringify(written)} ${parsed.what}`, input: undefined });
    return undefined;
  });
}

/** Where a unit is: `host[:port]`, `serial:/dev/ttyUSB0[@baud]`, `mdns`. */
export function whereabouts(defaultPort: number, example: string) {
  return z.string({ error: expected('a string', example) }).transform((written, context): Whereabouts | undefined => {
    const parsed = parseWhereabouts(written, defaultPort);
    if (parsed.ok) return parsed.where;
    context.addIssue({ code: 'custom', message: `${JSON.stringify(written)} ${parsed.what}`, input: undefined });
    return undefined;
  });
}

/** Params of an issue about a secret that could not be read. */
export const secretIssue = { isSecret: true };

/** A secret, read. */
export function secret(secrets: Secrets, example = '"env:NAME" or "file:path"') {
  return z.string({ error: expected('a string', example) }).transform((written, context): string | undefined => {
    const read = secrets.read(written);
    if (read.ok) return read.text;
    context.addIssue({ code: 'custom', message: read.what, input: undefined, params: secretIssue });
    return undefined;
  });
}

/** A key of 16 octets, read. */
export function key(secrets: Secrets) {
  const example = '"env:NAME", "file:path" or 32 hexadecimal digits';
  return z.string({ error: expected('a string', example) }).transform((written, context): Uint8Array | undefined => {
    const read = secrets.readKey(written);
    if (read.ok) return read.key;
    const params = read.isMissing ? { params: secretIssue } : {};
    context.addIssue({ code: 'custom', message: read.what, input: undefined, ...params });
    return undefined;
  });
}

/** A secret that travels in an HTTP header. */
export function headerSecret(secrets: Secrets) {
  return secret(secrets).refine((value) => value === undefined || /^[\x21-\x7e]+$/.test(value), {
    error: 'has characters that no HTTP header may carry: it must be printable ASCII without blanks',
  });
}

/** `https://…`; whether `http://` may be, the section decides with {@link insecureUrl}. */
export function url(example: string) {
  return z.string({ error: expected('a string', example) }).transform((written, context): string | undefined => {
    const what = URL.canParse(written) ? problemOfUrl(new URL(written)) : 'is no URL';
    if (what === undefined) return written;
    context.addIssue({ code: 'custom', message: `${what}; write ${example}`, input: undefined });
    return undefined;
  });
}

function problemOfUrl(parsed: URL): string | undefined {
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') return `begins with ${parsed.protocol}`;
  if (parsed.username !== '' || parsed.password !== '')
    return 'has a user name or password in it, which ends up in logs';
  return parsed.hash === '' ? undefined : 'has a part behind #, which is never sent';
}

/** What is wrong with a URL whose events would travel in clear over a network; `undefined` when nothing is. */
export function insecureUrl(written: string | undefined, isHttpAllowed: boolean): string | undefined {
  // A value of another type was refused already.
  if (typeof written !== 'string') return undefined;
  const { protocol, hostname } = new URL(written);
  if (protocol === 'https:' || isHttpAllowed || isLoopbackHost(hostname.replace(/^\[|\]$/g, ''))) return undefined;
  return 'is not encrypted; write https:// (with "ca" for a certificate of your own), or "allowHttp": true beside it if that network is yours';
}

/** An object with these keys and no others; the message names each stranger, a line each, with the nearest known key. */
export function section<S extends z.core.$ZodLooseShape>(shape: S, example: string, unknownKey = messageOfUnknownKey) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? (issue.keys as string[]).map((key) => unknownKey(key, known)).join('\n')
        : expected('an object', example)(issue),
  });
}

function messageOfUnknownKey(key: string, known: readonly string[]): string {
  const near = suggest(key, known);
  return near === undefined ? `is unknown; known here: ${known.join(', ')}` : `is unknown; did you mean ${near}?`;
}

/** For checks of several fields of a section: they run though some of the fields are wrong. */
export const always = { when: ({ value }: { readonly value: unknown }) => typeof value === 'object' && value !== null };
