import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { type CertificatePair, problemOfPair } from '../links/certificate-pair.js';
import { always, expected, section } from './schema-fields.js';
import { MAX_PEM_OCTETS, type ReadText, type Secrets } from './secrets.js';

/** A file of certificates in PEM to trust, read. */
export function certificates(secrets: Secrets) {
  return z.string({ error: expected('a string', '"my-ca.pem"') }).transform((path, context): string | undefined => {
    const read = secrets.readFile(path.replace(/^file:/, ''), MAX_PEM_OCTETS);
    const what = read.ok ? problemOfPem(read.text, path) : read.what;
    if (what === undefined && read.ok) return read.text;
    context.addIssue({ code: 'custom', message: what!, input: undefined });
    return undefined;
  });
}

function problemOfPem(pem: string, path: string): string | undefined {
  try {
    new X509Certificate(pem);
    return undefined;
  } catch {
    return `names the file ${path}, which holds no certificate; it must be PEM, beginning with -----BEGIN CERTIFICATE-----`;
  }
}

/** A file that is there and was read. */
export interface PemFile {
  /** As it is written, without `file:`. */
  readonly path: string;
  readonly text: string;
}

/** A server's certificate and its key: the names of two files that are a pair. */
export function certificatePair(secrets: Secrets) {
  const shape = { cert: certFile(secrets), key: keyFile(secrets) };
  return section(shape, '{ "cert": "server.crt", "key": "server.key" }').superRefine(({ cert, key }, context) => {
    const problem = pairProblem(cert, key);
    if (problem !== undefined) context.addIssue({ code: 'custom', path: [problem.of], message: problem.what });
  }, always);
}

/** What is wrong with the two files, in words that follow the path of one; `undefined`: nothing, or they were refused already. */
export function pairProblem(cert: PemFile | undefined, key: PemFile | undefined): ReturnType<typeof problemOfPair> {
  if (typeof cert?.text !== 'string' || typeof key?.text !== 'string') return undefined;
  const pair: CertificatePair = { cert: cert.text, key: key.text };
  const problem = problemOfPair(pair);
  if (problem === undefined) return undefined;
  return { of: problem.of, what: `names the file ${{ cert, key }[problem.of].path}, which ${problem.what}` };
}

export const certFile = (secrets: Secrets) => pemFile('"server.crt"', (path) => secrets.readFile(path, MAX_PEM_OCTETS));
/** As {@link certFile}; the base warns when others may read it. */
export const keyFile = (secrets: Secrets) =>
  pemFile('"server.key"', (path) => secrets.readPrivateFile(path, MAX_PEM_OCTETS));

function pemFile(example: string, read: (path: string) => ReadText) {
  return z
    .string({ error: expected('a string', example) })
    .min(1, { error: `is empty; write ${example}` })
    .transform((written, context): PemFile | undefined => {
      const path = written.replace(/^file:/, '');
      const file = read(path);
      if (file.ok) return { path, text: file.text };
      context.addIssue({ code: 'custom', message: file.what, input: undefined });
      return undefined;
    });
}
