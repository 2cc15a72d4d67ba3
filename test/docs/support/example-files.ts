import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeCertificates } from '../../base/uplinks/certificates.js';

const KEY = '00112233445566778899aabbccddeeff';
const MASTER_KEY = Buffer.alloc(32, 7).toString('base64');

/** Writes a configuration into a folder, with the files and the environment that it names. Gives its path and that environment. */
export function writeExample(folder: string, text: string): { path: string; environment: Record<string, string> } {
  const environment: Record<string, string> = {};
  const write = (name: string, content: string): string => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    chmodSync(path, 0o600);
    return path;
  };
  const visit = (value: unknown, key: string, parent: string): void => {
    if (typeof value === 'string') {
      const content = key === 'encryptionKey' ? MASTER_KEY : key === 'key' && parent === 'unit' ? KEY : 'a-secret';
      if (value.startsWith('file:')) write(value.slice(5), content);
      if (value.startsWith('env:')) environment[value.slice(4)] = content;
      if (key === 'ca') write(value, makeCertificates().ca);
    } else if (typeof value === 'object' && value !== null) {
      const own = Object.hasOwn(value, 'definition') ? 'unit' : key;
      for (const [name, inner] of Object.entries(value)) visit(inner, name, own);
    }
  };
  visit(JSON.parse(text), '', '');
  return { path: write('base.json', text), environment };
}
