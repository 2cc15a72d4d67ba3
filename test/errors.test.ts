import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { DefinitionError } from '../protocol/definition/index.js';
import {
  BaseUnitError,
  ConfigurationError,
  errorCodes,
  InternalError,
  LinkError,
  ProtocolError,
  RelayError,
  StoreError,
  TimeoutError,
} from '../protocol/errors.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const families = Object.entries(errorCodes) as [string, readonly string[]][];
const codes = families.flatMap(([, all]) => all);

/** Family, code, meaning and advice of each line of docs/errors.md. */
function documented(): {
  readonly family: string;
  readonly code: string;
  readonly means: string;
  readonly todo: string;
}[] {
  const lines: ReturnType<typeof documented> = [];
  let family = '';
  for (const line of readFileSync(join(root, 'docs/errors.md'), 'utf8').split('\n')) {
    family = /^## ([a-z]+):/.exec(line)?.[1] ?? family;
    const row = /^\| `([a-z-]+)` \| (.*) \| (.*) \|$/.exec(line);
    if (row !== null) lines.push({ family, code: row[1]!, means: row[2]!, todo: row[3]! });
  }
  return lines;
}

/** All sources that may throw, without the list of codes itself. */
function sources(): string {
  const folders = ['cli', 'clients', 'simulator', 'codegen', 'base', 'protocol'];
  return folders
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => relative(root, path) !== join('protocol', 'errors.ts'))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
}

describe('docs/errors.md', () => {
  test('has each code once, in its family and in the order of the source, and no other', () => {
    expect(documented().map(({ family, code }) => `${family} ${code}`)).toEqual(
      families.flatMap(([family, all]) => all.map((code) => `${family} ${code}`)),
    );
  });

  test.each(documented())('$code: says what it means and what to do, in sentences', ({ means, todo }) => {
    for (const text of [means, todo]) {
      expect(text).toMatch(/^[A-Z`].{7,}\.$/);
      expect(text).not.toMatch(/TODO|\.\.\./);
    }
  });
});

describe('the codes', () => {
  test('are each there once', () => {
    expect(new Set(codes).size).toBe(codes.length);
  });

  const all = sources();
  test.each(codes)('%s is used somewhere', (code) => {
    expect(all).toContain(`'${code}'`);
  });
});

test('each family has its class; message, cause and name are kept', () => {
  const cause = new Error('why');
  const errors = [
    new ConfigurationError('config-invalid', 'a', { cause }),
    new ProtocolError('tag-wrong', 'b', { cause }),
    new LinkError('link-lost', 'c', { cause }),
    new TimeoutError('command-timeout', 'd', { cause }),
    new RelayError('uplink-refused', 'e', { cause }),
    new StoreError('store-failed', 'f', { cause }),
    new InternalError('internal', 'g', { cause }),
  ];
  expect(errors.map(({ family }) => family)).toEqual([
    'configuration',
    'protocol',
    'link',
    'timeout',
    'relay',
    'store',
    'internal',
  ]);
  for (const error of errors) {
    expect(error).toBeInstanceOf(BaseUnitError);
    expect(error.cause).toBe(cause);
    expect(error.name).toBe(error.constructor.name);
  }
  const definition = new DefinitionError('lamp', [{ where: 'command fade', what: 'is wrong' }]);
  expect(definition).toMatchObject({ family: 'definition', code: 'definition-invalid', name: 'DefinitionError' });
});
