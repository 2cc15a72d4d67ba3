import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Certificates, makeCertificates } from '../../base/uplinks/certificates.js';

/** What the original concentrator calls them. */
const sslNames: Readonly<Record<string, string | undefined>> = { SSLCrtFilename: 'cert', SSLKeyFilename: 'key' };
let made: Certificates | undefined;
/** The same for all examples: to make them takes a second. */
export const certificates = (): Certificates => {
  made ??= makeCertificates();
  return made;
};

const KEY = '00112233445566778899aabbccddeeff';
/** Keys of these sections are 16 octets. */
const sectionsWithKey = ['unit', 'central'];
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
      const content =
        key === 'encryptionKey' ? MASTER_KEY : key === 'key' && sectionsWithKey.includes(parent) ? KEY : 'a-secret';
      if (value.startsWith('file:')) write(value.slice(5), content);
      if (value.startsWith('env:')) environment[value.slice(4)] = content;
      if (key === 'ca') write(value, certificates().ca);
      if (parent === 'handlers') write(value, 'export default {};');
      const ofPair = /^(tls|httpTls)$/.test(parent) ? key : sslNames[key];
      if (ofPair === 'cert' || ofPair === 'key') write(value, certificates()[ofPair]);
    } else if (typeof value === 'object' && value !== null) {
      const own = Object.hasOwn(value, 'definition') ? 'unit' : key;
      for (const [name, inner] of Object.entries(value)) visit(inner, name, own);
    }
  };
  visit(JSON.parse(text), '', '');
  return { path: write('base.json', text), environment };
}
