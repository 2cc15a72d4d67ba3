import { resolve } from 'node:path';

/** A file that the configuration names. */
export interface NamedFile {
  /** Where it is named: `units.known.office-fan.key`. */
  readonly path: string;
  /** Absolute. */
  readonly file: string;
  /** As it is written there, without `file:`. */
  readonly written: string;
}

/** A server's certificate and its key. */
export interface NamedPair {
  /** Where it is named: `connector.tls`; with two, parted by a comma. */
  readonly path: string;
  /** Absolute paths. */
  readonly cert: string;
  readonly key: string;
  /** As the key's is written there, without `file:`. */
  readonly writtenKey: string;
}

export interface NamedFiles {
  /** What `file:` leads to. */
  readonly secrets: readonly NamedFile[];
  readonly pairs: readonly NamedPair[];
}

/** Ours, and the original concentrator's. */
const pairKeys = [
  ['cert', 'key'],
  ['SSLCrtFilename', 'SSLKeyFilename'],
] as const;
/** Certificates are for everybody. */
const publicKeys: ReadonlySet<string> = new Set(['ca', 'cert', 'SSLCrtFilename']);

/**
 * The files that a configuration names, also one that is wrong elsewhere: they are found by their form alone. `folder` is
 * that of the configuration file. Each file comes once, where it is named first.
 */
export function namedFiles(raw: unknown, folder: string): NamedFiles {
  const secrets = new Map<string, NamedFile>();
  const pairs = new Map<string, NamedPair>();
  const at = (written: string): string => resolve(folder, plain(written));
  // Not recursive: a file may be as deep as it is long.
  const waiting: { readonly path: string; readonly value: unknown }[] = [{ path: '', value: raw }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { path, value } = next;
    if (typeof value !== 'object' || value === null) continue;
    const entries = Object.entries(value);
    const pair = pairOf(value);
    if (pair !== undefined) {
      const [cert, key] = [at(pair.cert), at(pair.key)];
      const known = pairs.get(`${cert}\n${key}`);
      pairs.set(`${cert}\n${key}`, {
        path: known === undefined ? path : `${known.path}, ${path}`,
        cert,
        key,
        writtenKey: plain(pair.key),
      });
    }
    for (const [name, inner] of entries.reverse()) {
      const innerPath = Array.isArray(value) ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`;
      if (typeof inner !== 'string') waiting.push({ path: innerPath, value: inner });
      else if (/^file:./.test(inner) && pair === undefined && !publicKeys.has(name)) {
        const file = at(inner);
        if (!secrets.has(file)) secrets.set(file, { path: innerPath, file, written: plain(inner) });
      }
    }
  }
  return { secrets: [...secrets.values()], pairs: [...pairs.values()] };
}

const plain = (written: string): string => written.replace(/^file:/, '');

function pairOf(value: object): { readonly cert: string; readonly key: string } | undefined {
  const fields = value as Readonly<Record<string, unknown>>;
  for (const [certName, keyName] of pairKeys) {
    const [cert, key] = [fields[certName], fields[keyName]];
    if (typeof cert === 'string' && typeof key === 'string' && cert !== '' && key !== '') return { cert, key };
  }
  return undefined;
}
