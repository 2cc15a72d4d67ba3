import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Secrets } from '../../../base/config/secrets.js';
import { temporaryFolder } from './temporary-folder.js';

const KEY = '00112233445566778899AABBCCDDEEFF';

it('reads a secret given directly, from the environment, and from a file beside the configuration', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'token'), 'from-file\n', { mode: 0o600 });
  const secrets = new Secrets(folder, { TOKEN: 'from-env' });
  expect(secrets.read('env:TOKEN')).toEqual({ ok: true, text: 'from-env' });
  expect(secrets.read('file:token')).toEqual({ ok: true, text: 'from-file' });
  expect(secrets.read(`file:${join(folder, 'token')}`)).toEqual({ ok: true, text: 'from-file' });
  expect(secrets.isAnyInFile).toBe(false);
  expect(secrets.read('plain')).toEqual({ ok: true, text: 'plain' });
  expect(secrets.isAnyInFile).toBe(true);
  expect(secrets.warnings).toEqual([]);
});

it.each([0o640, 0o604, 0o644, 0o660])('warns once of a file with mode %o', (mode) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'token'), 'x');
  chmodSync(join(folder, 'token'), mode);
  const secrets = new Secrets(folder, {});
  secrets.read('file:token');
  secrets.read('file:token');
  expect(secrets.warnings).toEqual([
    `token holds a secret and others may read it (mode 0${mode.toString(8)}): chmod 600 token`,
  ]);
});

it.each([0o600, 0o400])('does not warn of a file with mode %o', (mode) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'token'), 'x');
  chmodSync(join(folder, 'token'), mode);
  const secrets = new Secrets(folder, {});
  expect(secrets.read('file:token').ok).toBe(true);
  expect(secrets.warnings).toEqual([]);
});

it('says what is missing and where it was looked for', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'empty'), ' \n');
  const secrets = new Secrets(folder, { EMPTY: '' });
  const what = (text: string) => {
    const read = secrets.read(text);
    return read.ok ? '' : read.what;
  };
  expect(what('env:NOT_SET')).toContain('environment variable NOT_SET, which is not set');
  expect(what('env:EMPTY')).toContain('environment variable EMPTY, which is empty');
  expect(what('env:with blank')).toContain('names no environment variable');
  expect(what('file:missing')).toContain(`does not exist; it is looked for at ${join(folder, 'missing')}`);
  expect(what('file:empty')).toContain('which is empty');
  expect(what('file:')).toContain('names no file');
  expect(what('file:.')).toContain('cannot be read');
  expect(what('')).toContain('is empty');
});

it('a secret file has at most 4096 octets', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'most'), 'x'.repeat(4096), { mode: 0o600 });
  writeFileSync(join(folder, 'more'), 'x'.repeat(4097), { mode: 0o600 });
  const secrets = new Secrets(folder, {});
  expect(secrets.read('file:most').ok).toBe(true);
  expect(secrets.read('file:more')).toMatchObject({ ok: false, what: expect.stringContaining('4097 octets') });
});

it('a key is 16 octets in hexadecimal, and its text is never repeated', () => {
  const secrets = new Secrets(temporaryFolder(), { KEY, SHORT: KEY.slice(2) });
  expect(secrets.readKey('env:KEY')).toEqual({ ok: true, key: Uint8Array.from(Buffer.from(KEY, 'hex')) });
  for (const text of [KEY.slice(1), `${KEY}0`, `${KEY}00`, `x${KEY.slice(1)}`, 'env:SHORT']) {
    const read = secrets.readKey(text);
    expect(read).toMatchObject({ ok: false, isMissing: false, what: expect.stringContaining('32 hexadecimal digits') });
    expect(JSON.stringify(read)).not.toContain('AABBCC');
  }
  expect(secrets.readKey('env:NONE')).toMatchObject({ ok: false, isMissing: true });
});
