import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { fromHex } from '../../protocol/octets.js';
import { KEY_OCTETS } from './configuration.js';
import { readablePath } from './credentials.js';

export type ReadText = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly what: string };
export type ReadKey =
  | { readonly ok: true; readonly key: Uint8Array }
  /** `isMissing`: there is nothing to read; else what there is is no key. */
  | { readonly ok: false; readonly what: string; readonly isMissing: boolean };

/** A secret is a key or a token; a path to anything longer is a typing error (a certificate store has 200 000 octets). */
const MAX_SECRET_OCTETS = 4_096;
/** Certificates in PEM of one receiver: a chain, not the whole system's store. */
export const MAX_PEM_OCTETS = 65_536;
const OTHERS_MODE = 0o077;
const environmentName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Reads what a configuration names: `env:NAME`, `file:path` (relative to the configuration file), or the text itself. */
export class Secrets {
  readonly #folder: string;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #warnings: string[] = [];
  #isAnyInFile = false;

  constructor(folder: string, environment: Readonly<Record<string, string | undefined>>) {
    this.#folder = folder;
    this.#environment = environment;
  }

  /** Files that others may read, each once. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** True when a secret stood in the configuration file itself. */
  get isAnyInFile(): boolean {
    return this.#isAnyInFile;
  }

  /** The secret, blanks at its ends taken off; `what` follows the path in the file and never shows the secret. */
  read(text: string): ReadText {
    if (text.startsWith('env:')) return this.#fromEnvironment(text.slice(4));
    if (text.startsWith('file:')) {
      const read = this.readPrivateFile(text.slice(5), MAX_SECRET_OCTETS);
      if (!read.ok) return read;
      return filled(read.text, `names the file ${text.slice(5)}, which is empty; write the secret into it`);
    }
    this.#isAnyInFile = true;
    return filled(text, 'is empty; write the secret, "env:NAME" or "file:path"');
  }

  /** A unit's key: 16 octets, written as 32 hexadecimal digits wherever it stands. */
  readKey(text: string): ReadKey {
    const secret = this.read(text);
    if (!secret.ok) return { ok: false, what: secret.what, isMissing: true };
    const isHex = new RegExp(`^[0-9a-fA-F]{${2 * KEY_OCTETS}}$`).test(secret.text);
    if (isHex) return { ok: true, key: fromHex(secret.text) };
    const where =
      text.startsWith('env:') || text.startsWith('file:') ? `names ${text}, which holds no key` : 'is no key';
    return {
      ok: false,
      what: `${where}: a key is ${2 * KEY_OCTETS} hexadecimal digits; "baseunit keys make" makes one`,
      isMissing: false,
    };
  }

  /** The text of a file, path relative to the configuration file; not watched for its mode. */
  readFile(path: string, maxOctets: number): ReadText {
    if (path === '') return { ok: false, what: 'names no file; write a path behind "file:"' };
    const absolute = this.#absolute(path);
    try {
      const readable = readablePath(absolute, this.#environment);
      const { size } = statSync(readable);
      if (size > maxOctets) {
        return {
          ok: false,
          what: `names the file ${path}, which has ${size} octets; at most ${maxOctets} make sense here`,
        };
      }
      return { ok: true, text: readFileSync(readable, 'utf8').trim() };
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? String(error);
      const why = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
      return { ok: false, what: `names the file ${path}, which ${why}; it is looked for at ${absolute}` };
    }
  }

  /** The same of a file that others should not read: {@link warnings} has it when they may. */
  readPrivateFile(path: string, maxOctets: number): ReadText {
    const read = this.readFile(path, maxOctets);
    if (read.ok) this.#warnOfMode(path);
    return read;
  }

  #fromEnvironment(name: string): ReadText {
    if (!environmentName.test(name)) {
      return { ok: false, what: 'names no environment variable; write "env:NAME" with letters, digits and _' };
    }
    const text = this.#environment[name];
    if (text === undefined) {
      return {
        ok: false,
        what: `names the environment variable ${name}, which is not set; set it, or write "file:path"`,
      };
    }
    return filled(text, `names the environment variable ${name}, which is empty; set it`);
  }

  #warnOfMode(path: string): void {
    const warning = warningOfMode(this.#absolute(path), path);
    if (warning !== undefined && !this.#warnings.includes(warning)) this.#warnings.push(warning);
  }

  #absolute(path: string): string {
    return isAbsolute(path) ? path : resolve(this.#folder, path);
  }
}

/** What to say about a file with secrets that others may read; `undefined` when its mode is 0600 or narrower. */
export function warningOfMode(path: string, shown: string): string | undefined {
  const mode = statSync(path).mode & 0o777;
  if (process.platform === 'win32' || (mode & OTHERS_MODE) === 0) return undefined;
  return `${shown} holds a secret and others may read it (mode ${mode.toString(8).padStart(4, '0')}): chmod 600 ${shown}`;
}

function filled(text: string, whatIfEmpty: string): ReadText {
  const trimmed = text.trim();
  return trimmed === '' ? { ok: false, what: whatIfEmpty } : { ok: true, text: trimmed };
}
