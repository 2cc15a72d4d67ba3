import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccessEntry } from '../../../../base/dialects/iotsocket/access-entry.js';
import {
  maxFileOctets,
  previousPath,
  readAccessList,
  writeAccessList,
} from '../../../../base/dialects/iotsocket/access-list-file.js';
import { fromHex } from '../../../../protocol/octets.js';
import { temporaryFolder } from '../../config/temporary-folder.js';

const KEY = '43434343434343434444444444444444';
const MAX_ENTRIES = 100;
const entry = (uid: string, group = 'Devices', key = KEY): AccessEntry => ({ uid, group, key: fromHex(key) });
const newPath = (): string => join(temporaryFolder(), 'acl.json');

/** Reads a file with this text. */
async function read(text: string | Uint8Array, maxEntries = MAX_ENTRIES): Promise<AccessEntry[]> {
  const path = newPath();
  writeFileSync(path, text);
  return readAccessList(path, maxEntries);
}
const refusal = (text: string | Uint8Array, maxEntries?: number) =>
  read(text, maxEntries).then(
    () => expect.unreachable('it was read'),
    (error: { code: string; message: string }) => error,
  );

describe('reading the access list', () => {
  it('takes the file of the original as it is', async () => {
    const text = `{
\t"ObjTest" :
\t{
\t\t"GroupName"\t\t: "Devices",
\t\t"AuthKey"\t\t: "43434343434343434444444444444444"
\t},
\t"Roof 2" :
\t{
\t\t"GroupName"\t\t: "Stations",
\t\t"AuthKey"\t\t: "0123456789ABCDEF0123456789ABCDEF"
\t}
}
`;
    expect(await read(text)).toEqual([
      entry('ObjTest'),
      entry('Roof 2', 'Stations', '0123456789abcdef0123456789abcdef'),
    ]);
  });

  it('a file that is not there is an empty list', async () => {
    expect(await readAccessList(newPath(), MAX_ENTRIES)).toEqual([]);
    expect(await read('{}')).toEqual([]);
  });

  it('passes over a byte order mark, and names that are not its own', async () => {
    expect(await read(`\uFEFF{"a": {"GroupName": "Devices", "AuthKey": "${KEY}", "Note": "garden"}}`)).toEqual([
      entry('a'),
    ]);
  });

  it('names file, line and column where it is no JSON', async () => {
    expect(await refusal('{\n  "a": {},\n}')).toMatchObject({
      code: 'config-not-json',
      message: expect.stringMatching(/acl\.json:2:10: there is a comma before }/),
    });
    expect(await refusal('')).toMatchObject({ code: 'config-not-json' });
  });

  it('refuses a UID that is there twice, which JSON.parse passes over', async () => {
    const line = `{"GroupName": "Devices", "AuthKey": "${KEY}"}`;
    expect(await refusal(`{\n"a": ${line},\n"a": ${line}\n}`)).toMatchObject({
      code: 'config-not-json',
      message: expect.stringMatching(/acl\.json:3:1: "a" is there twice/),
    });
  });

  it.each([
    ['5', 'must be an object with GroupName and AuthKey'],
    ['[]', 'must be an object with GroupName and AuthKey'],
    ['null', 'must be an object with GroupName and AuthKey'],
    [`{"AuthKey": "${KEY}"}`, 'GroupName is missing or no string'],
    [`{"GroupName": 1, "AuthKey": "${KEY}"}`, 'GroupName is missing or no string'],
    ['{"GroupName": "Devices"}', 'AuthKey must be 32 hexadecimal digits'],
    [`{"GroupName": "Devices", "AuthKey": "${KEY.slice(1)}"}`, 'AuthKey must be 32 hexadecimal digits'],
    [`{"GroupName": "Devices", "AuthKey": "${KEY}0"}`, 'AuthKey must be 32 hexadecimal digits'],
    [`{"GroupName": "Devices", "AuthKey": "${KEY.slice(1)}g"}`, 'AuthKey must be 32 hexadecimal digits'],
    ['{"GroupName": "Devices", "AuthKey": 43}', 'AuthKey must be 32 hexadecimal digits'],
  ])('names the entry whose value is wrong: %s', async (value, what) => {
    const { code, message } = await refusal(`{"good": {"GroupName": "g", "AuthKey": "${KEY}"}, "ObjTest": ${value}}`);
    expect(code).toBe('config-invalid');
    expect(message).toMatch(/acl\.json: entry "ObjTest": /);
    expect(message).toContain(what);
    expect(message).not.toContain(KEY.slice(1));
  });

  it('tells everything wrong at once, 20 of it, and counts the rest', async () => {
    const wrong = (count: number) =>
      JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`u${i}`, 1])));
    const lines = async (count: number) => (await refusal(wrong(count))).message.split('\n');
    expect(await lines(20)).toHaveLength(20);
    expect((await lines(21)).at(-1)).toBe('  and 1 more');
  });

  it.each(['[]', '5', '"x"', 'null'])('%s is no list', async (text) => {
    expect(await refusal(text)).toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining('must be an object'),
    });
  });

  it('takes so many entries and not one more', async () => {
    const text = JSON.stringify(
      Object.fromEntries(Array.from({ length: 3 }, (_, i) => [`u${i}`, { GroupName: 'Devices', AuthKey: KEY }])),
    );
    expect(await read(text, 3)).toHaveLength(3);
    expect(await refusal(text, 2)).toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining('has 3 entries; at most 2 are taken'),
    });
  });

  it('takes so many octets and not one more', async () => {
    const longest = '{}'.padEnd(maxFileOctets(2));
    expect(await read(longest, 2)).toEqual([]);
    expect(await refusal(`${longest} `, 2)).toMatchObject({
      code: 'config-unreadable',
      message: expect.stringContaining(`at most ${maxFileOctets(2)} are read`),
    });
  });

  it('so many octets are enough for so many of the longest entries, however they are written', async () => {
    const escaped = (first: number) =>
      `"${Array.from({ length: 16 }, (_, i) => `\\u00${(first + i).toString(16).padStart(2, '0')}`).join('')}"`;
    const lines = [1, 2, 3].map(
      (first) =>
        `\t${escaped(first)} :\n\t{\n\t\t"GroupName"\t\t: ${escaped(first)},\n\t\t"AuthKey"\t\t: "${KEY}"\n\t}`,
    );
    expect(await read(`{\n${lines.join(',\n')}\n}\n`, 3)).toHaveLength(3);
  });

  it('what is no text, or no file, is said', async () => {
    expect(await refusal(Uint8Array.of(0x7b, 0xff, 0x7d))).toMatchObject({
      code: 'config-unreadable',
      message: expect.stringContaining('it is not UTF-8'),
    });
    await expect(readAccessList(temporaryFolder(), MAX_ENTRIES)).rejects.toMatchObject({
      code: 'config-unreadable',
      message: expect.stringContaining('no regular file'),
    });
  });
});

describe('writing the access list', () => {
  it('has the form of the original’s, a line an entry', async () => {
    const path = newPath();
    await writeAccessList(path, [entry('ObjTest'), entry('10', 'Stations')]);
    expect(readFileSync(path, 'utf8')).toBe(
      `{\n  "ObjTest": {"GroupName":"Devices","AuthKey":"${KEY}"},\n  "10": {"GroupName":"Stations","AuthKey":"${KEY}"}\n}\n`,
    );
  });

  it('is for its owner alone, keeps the list before, and leaves nothing else', async () => {
    const path = newPath();
    writeFileSync(path, '{ "of": "the original" }');
    chmodSync(path, 0o644);
    await writeAccessList(path, [entry('a')]);
    expect(readFileSync(previousPath(path), 'utf8')).toBe('{ "of": "the original" }');
    await writeAccessList(path, []);
    expect(await readAccessList(path, MAX_ENTRIES)).toEqual([]);
    expect(await readAccessList(previousPath(path), MAX_ENTRIES)).toEqual([entry('a')]);
    for (const each of [path, previousPath(path)]) expect(statSync(each).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(path, '..')).sort()).toEqual(['acl.json', 'acl.json.prev']);
  });

  it('the first one has none before', async () => {
    const path = newPath();
    await writeAccessList(path, [entry('a')]);
    expect(existsSync(previousPath(path))).toBe(false);
  });

  it('what a crash left beside it is no hindrance', async () => {
    const path = newPath();
    for (const name of [`${path}.new`, `${previousPath(path)}.new`]) writeFileSync(name, 'half', { mode: 0o444 });
    await writeAccessList(path, [entry('a')]);
    await writeAccessList(path, [entry('b')]);
    expect(await readAccessList(path, MAX_ENTRIES)).toEqual([entry('b')]);
    expect(readdirSync(join(path, '..')).sort()).toEqual(['acl.json', 'acl.json.prev']);
  });

  it.each(['acl.json.new', 'acl.json.prev.new'])('that fails at %s leaves the old list, and says so', async (name) => {
    const path = newPath();
    await writeAccessList(path, [entry('old')]);
    // A folder at the place of the temporary file cannot be taken away as a file.
    mkdirSync(join(path, '..', name));
    await expect(writeAccessList(path, [entry('new')])).rejects.toMatchObject({
      code: 'config-unreadable',
      message: expect.stringContaining('acl.json cannot be written'),
    });
    expect(await readAccessList(path, MAX_ENTRIES)).toEqual([entry('old')]);
  });

  it('is read as it was written, whatever the UIDs are', async () => {
    const path = newPath();
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 });
    const special = fc.constantFrom('__proto__', 'constructor', '0', '42', '"', '\\', '\u0001', '\u2028', 'ö');
    const entries = fc.uniqueArray(
      fc.record({
        uid: fc.oneof(name, special),
        group: name,
        key: fc.uint8Array({ minLength: 16, maxLength: 16 }),
      }),
      { selector: ({ uid }) => uid, maxLength: 20 },
    );
    const byUid = (list: readonly AccessEntry[]) =>
      new Map(list.map(({ uid, group, key }) => [uid, { group, key: [...key] }]));
    await fc.assert(
      fc.asyncProperty(entries, async (written) => {
        await writeAccessList(path, written);
        const found = await readAccessList(path, MAX_ENTRIES);
        expect(found).toHaveLength(written.length);
        expect(byUid(found)).toEqual(byUid(written));
      }),
      { numRuns: 50 },
    );
  });
});
