import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificates {
  /** PEM of the authority. */
  readonly ca: string;
  readonly key: string;
  /** For localhost and 127.0.0.1, signed by `ca`. */
  readonly cert: string;
  /** The same, but its time is over. */
  readonly expired: string;
  /** An authority that signed none of these. */
  readonly strangerCa: string;
}

/** An authority and its certificates, made by openssl in a folder that is gone afterwards. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'baseunit-certificates-'));
  const openssl = (...words: string[]): void => void execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const authority = (name: string): void =>
    openssl(
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
      ...['-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/CN=${name}`],
    );
  const sign = (out: string, days: string): void =>
    openssl(
      ...['x509', '-req', '-in', 'leaf.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'],
      ...['-days', days, '-extfile', 'names', '-out', out],
    );
  try {
    writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
    authority('ca');
    authority('stranger');
    openssl(
      ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-keyout', 'leaf.key', '-out', 'leaf.csr', '-subj', '/CN=localhost'],
    );
    sign('leaf.pem', '2');
    sign('expired.pem', '-1');
    const [ca, key, cert] = [read('ca.pem'), read('leaf.key'), read('leaf.pem')];
    return { ca, key, cert, expired: read('expired.pem'), strangerCa: read('stranger.pem') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
