import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate that signed itself, for so many days from now, with its key. */
export function selfSigned(days: number): { readonly cert: string; readonly key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'baseunit-self-signed-'));
  const words = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    String(days),
  ];
  try {
    execFileSync('openssl', [...words, '-keyout', 'key', '-out', 'cert', '-subj', '/CN=localhost'], {
      cwd: folder,
      stdio: 'pipe',
    });
    const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
    return { cert: read('cert'), key: read('key') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
