import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DefinitionFileError, loadDefinitions, MAX_DEFINITIONS } from '../../../base/config/definitions.js';

const root = join(import.meta.dirname, '..', '..', '..');
let home: string;

// Inside the project, because definitions import defineUnit by a relative path.
beforeAll(async () => {
  await mkdir(join(root, '.build'), { recursive: true });
  home = await mkdtemp(join(root, '.build', 'definitions-test-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

async function folderWith(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(home, name);
  await mkdir(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
  return folder;
}

const imports = `import { defineUnit, u8 } from '../../../protocol/definition/index.js';\n`;
const unit = (name: string): string =>
  `${imports}export default defineUnit({ name: '${name}', version: '1', kind: 'read', reports: { r: { number: 1, fields: { a: u8() } } } });\n`;

async function refusalOf(folder: string): Promise<DefinitionFileError> {
  const error = await loadDefinitions(folder).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DefinitionFileError);
  return error as DefinitionFileError;
}

test('the example units are found without being told where, in the order of their names', async () => {
  const loaded = await loadDefinitions();
  const examples = ['garden-probe', 'led-lamp', 'led-lamp-line', 'light-sensor', 'rain-barrel', 'thermometer'];
  expect([...loaded.keys()]).toEqual(expect.arrayContaining(examples));
  expect(loaded.get('led-lamp')?.file).toBe('units/led-lamp.ts');
  expect(loaded.get('led-lamp')?.definition.kind).toBe('updatable');
});

test('another folder can be named', async () => {
  const folder = await folderWith('two', { 'b.ts': unit('bb'), 'a.ts': unit('aa'), 'notes.md': 'no definition' });
  expect([...(await loadDefinitions(folder)).keys()]).toEqual(['aa', 'bb']);
});

test('an impossible definition is named with file, line, message and field', async () => {
  const folder = await folderWith('impossible', {
    'fan.ts': `${imports}
export default defineUnit({
  name: 'fan',
  version: '1',
  kind: 'updatable',
  commands: { spin: { number: 1, fields: { speed: u8({ max: 300 }) } } },
});
`,
  });
  const error = await refusalOf(folder);
  expect(error.code).toBe('definition-invalid');
  expect(error.line).toBe(3);
  expect(error.message).toContain('fan.ts:3: ');
  expect(error.message).toContain('command spin, field speed: max 300 is above what u8 holds (255)');
});

test('a file that throws something else is named with its line', async () => {
  const error = await refusalOf(await folderWith('throws', { 'odd.ts': `\n\nthrow new TypeError('nonsense');\n` }));
  expect(error.message).toMatch(/odd\.ts:3: nonsense$/);
});

test('a file that cannot be parsed is named', async () => {
  const error = await refusalOf(await folderWith('syntax', { 'broken.ts': 'export default {{{' }));
  expect(error.file).toMatch(/broken\.ts$/);
});

test('two units of one name are refused, naming both files', async () => {
  const error = await refusalOf(await folderWith('twice', { 'one.ts': unit('same'), 'two.ts': unit('same') }));
  expect(error.message).toMatch(/two\.ts: unit 'same' is already defined in .*one\.ts/);
});

test('a missing default export and one that defineUnit did not make are refused, saying what to write', async () => {
  const missing = await refusalOf(await folderWith('missing', { 'a.ts': 'export const unit = 1;\n' }));
  expect(missing.message).toMatch(/a\.ts: has no default export; write `export default defineUnit/);
  const other = await refusalOf(await folderWith('other', { 'a.ts': `export default { name: 'x' };\n` }));
  expect(other.message).toMatch(/a\.ts: its default export is not what defineUnit returns/);
});

test('a folder that is not there is said to be missing', async () => {
  await expect(loadDefinitions(join(home, 'nowhere'))).rejects.toMatchObject({ code: 'definition-missing' });
});

test(`a folder of ${MAX_DEFINITIONS} files is loaded, one more is refused before any is`, async () => {
  const files = Object.fromEntries(Array.from({ length: MAX_DEFINITIONS + 1 }, (_, n) => [`u${n}.ts`, 'throw 1;\n']));
  const folder = await folderWith('many', files);
  await expect(loadDefinitions(folder)).rejects.toThrow(`holds ${MAX_DEFINITIONS + 1} definitions`);
  await rm(join(folder, 'u0.ts'));
  await expect(loadDefinitions(folder)).rejects.toThrow(/u1\.ts: 1$/);
});
