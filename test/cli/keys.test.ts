import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadDefinitions } from '../../base/config/definitions.js';
import { loadConfiguration } from '../../base/config/load-config.js';
import { toHex } from '../../protocol/octets.js';
import { baseunit, onlyJson, temporaryFolder } from './support/program.js';

const modeOf = (file: string): number => statSync(file).mode & 0o777;

test('keys make: a file only its owner can read, and what to do with it', async () => {
  const cwd = temporaryFolder();
  const made = await baseunit(['keys', 'make', 'hall "1"'], { cwd });
  expect(made).toMatchObject({ code: 0, err: '' });
  const [, configured] = /"key": "([^"]+)"/.exec(made.out)!;
  expect(made.out).toContain(`baseunit provision 'hall "1"'\n`);
  expect(configured).toMatch(/^file:keys\//);
  const file = join(cwd, configured!.slice('file:'.length));
  expect(modeOf(file)).toBe(0o600);
  expect(modeOf(join(cwd, 'keys'))).toBe(0o700);
  const text = readFileSync(file, 'utf8');
  expect(text).toMatch(/^[0-9a-f]{32}\n$/);
  const key = text.trim();
  // Terminals are scrolled back, and their output is pasted.
  expect(made.out).not.toContain(key);

  const base = join(cwd, 'base.json');
  const unit = { definition: 'led-lamp', address: '192.168.1.20', key: configured };
  writeFileSync(base, JSON.stringify({ units: { known: { 'hall "1"': unit } } }), { mode: 0o600 });
  const { configuration, warnings } = loadConfiguration(base, await loadDefinitions());
  expect(toHex(configuration.units!.known[0]!.key!)).toBe(key);
  expect(warnings).toEqual([]);
});

test('a key that is there is never replaced', async () => {
  const cwd = temporaryFolder();
  const [first] = [await baseunit(['keys', 'make', 'lamp', '--json'], { cwd })];
  const { file, configured, unit } = onlyJson(first) as Record<string, string>;
  expect([unit, configured]).toEqual(['lamp', 'file:keys/lamp.key']);
  const before = readFileSync(file!, 'utf8');
  expect(first.out).not.toContain(before.trim());
  const again = await baseunit(['keys', 'make', 'lamp'], { cwd });
  expect(again).toMatchObject({ code: 2, out: '', err: expect.stringContaining(file!) });
  expect(readFileSync(file!, 'utf8')).toBe(before);
});

test('a UID that cannot be one is refused, and nothing is written', async () => {
  const cwd = temporaryFolder();
  const uids = ['', 'a'.repeat(17), '../../x', '..', 'a\nb'];
  const ended = await Promise.all(uids.map((uid) => baseunit(['keys', 'make', uid], { cwd })));
  for (const { code, err } of ended) {
    expect(err).toMatch(/cannot be a UID/);
    expect(code).toBe(2);
  }
  expect(existsSync(join(cwd, 'keys'))).toBe(false);
});

test('keys where: the files there are and who may read them, beside the configuration that is named', async () => {
  const cwd = temporaryFolder();
  expect(await baseunit(['keys', 'where'], { cwd })).toMatchObject({ code: 0, out: expect.stringMatching(/no key/) });
  await baseunit(['keys', 'make', 'lamp', '-c', 'house/base.json'], { cwd });
  writeFileSync(join(cwd, 'house', 'keys', 'by%hand.key'), '', { mode: 0o644 });
  const [text, json] = await Promise.all([
    baseunit(['keys', 'where', '-c', 'house/base.json'], { cwd }),
    baseunit(['keys', 'where', '-c', 'house/base.json', '--json'], { cwd }),
  ]);
  expect(text.out).toMatch(/^lamp +\S+lamp\.key +0600$/m);
  expect(onlyJson(json)).toMatchObject({
    keys: [
      { unit: 'by%hand', file: join(cwd, 'house', 'keys', 'by%hand.key'), mode: '0644' },
      { unit: 'lamp', file: join(cwd, 'house', 'keys', 'lamp.key'), mode: '0600' },
    ],
  });
});
