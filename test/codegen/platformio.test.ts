import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadDefinitions } from '../../base/config/definitions.js';
import { libraryName, ownTemplates } from '../../codegen/generate-unit.js';
import { platformioPart, replacePart, type UnitBoards } from '../../codegen/platformio.js';

const root = join(import.meta.dirname, '..', '..');

/** Sections of an INI file as PlatformIO's parser sees them: `;` and `#` begin comments, indented lines go on. */
function parseIni(text: string): Map<string, Map<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let section: Map<string, string> | undefined;
  let option: string | undefined;
  for (const raw of text.split('\n')) {
    const line = raw.replace(/(^|\s)[;#].*$/, '');
    const head = /^\[([^\]]+)\]\s*$/.exec(line);
    const pair = /^([a-z_.]+)\s*=\s*(.*)$/.exec(line);
    if (line.trim() === '') continue;
    if (head !== null) {
      if (sections.has(head[1]!)) throw new Error(`section ${head[1]} is there twice, which PlatformIO refuses`);
      section = new Map();
      sections.set(head[1]!, section);
    } else if (/^\s/.test(line) && section !== undefined && option !== undefined) {
      section.set(option, `${section.get(option)}\n${line.trim()}`.trim());
    } else if (pair !== null && section !== undefined) {
      option = pair[1]!;
      if (section.has(option)) throw new Error(`option ${option} is there twice`);
      section.set(option, pair[2]!.trim());
    } else {
      throw new Error(`not INI: ${raw}`);
    }
  }
  return sections;
}

test('the project file has an environment for each unit and board, and each builds that unit alone', async () => {
  const ini = parseIni(await readFile(join(root, 'platformio.ini'), 'utf8'));
  for (const { definition } of (await loadDefinitions()).values()) {
    const { name: unit } = definition;
    for (const [board, base] of [
      ['nodemcuv2', 'baseunit_esp8266'],
      ['d1_mini', 'baseunit_esp8266'],
      ['uno', 'baseunit_uno'],
      ['native', 'baseunit_native'],
    ] as const) {
      const environment = ini.get(`env:${unit}_${board}`);
      expect(environment !== undefined, `${unit} ${board}`).toBe(
        board === 'native' || definition.boards.includes(board),
      );
      if (environment === undefined) continue;
      expect(environment.get('extends')).toBe(base);
      expect(environment.get('board')).toBe(board === 'native' ? undefined : board);
      const runtime = board === 'uno' ? `\${${base}.build_src_filter}` : '-<*>';
      expect(environment.get('build_src_filter')).toBe(`${runtime} +<${unit}/src/>`);
      const flags = [`\${${base}.build_flags}`, `-I firmware/${unit}/include`];
      if (board !== 'native') flags.push(`-D BU_BOARD=${board}`);
      expect(environment.get('build_flags')).toBe(flags.join('\n'));
    }
    expect(ini.get('platformio')?.get('default_envs')?.split('\n')).toContain(`${unit}_native`);
  }
});

test('platform versions are pinned, sources and library are where they are', async () => {
  const ini = parseIni(await readFile(join(root, 'platformio.ini'), 'utf8'));
  expect(ini.get('platformio')?.get('src_dir')).toBe('firmware');
  expect(ini.get('baseunit_esp8266')?.get('platform')).toBe('platformio/espressif8266@4.2.1');
  expect(ini.get('baseunit_uno')?.get('platform')).toBe('platformio/atmelavr@5.1.0');
  expect(ini.get('baseunit_native')?.get('platform')).toBe('platformio/native@1.2.1');
  expect(ini.get('baseunit')?.get('lib_extra_dirs')).toBe('firmware-templates');
  const manifest = JSON.parse(await readFile(join(root, 'firmware-templates', 'runtime', 'library.json'), 'utf8'));
  expect(ini.get('baseunit')?.get('lib_deps')).toBe(manifest.name);
  expect(manifest.platforms).toEqual(expect.arrayContaining(['espressif8266', 'native']));
});

test('every environment name is one that PlatformIO takes', async () => {
  const ini = parseIni(await readFile(join(root, 'platformio.ini'), 'utf8'));
  const names = [...ini.keys()].filter((name) => name.startsWith('env:'));
  const boards = [...(await loadDefinitions()).values()].flatMap(({ definition }) => [...definition.boards, 'native']);
  expect(names).toHaveLength(boards.length);
  for (const name of names) expect(name).toMatch(/^env:[a-z\d_-]+$/i);
});

const part = (names: readonly string[]): string => {
  const units = names.map((name): UnitBoards => ({ name, boards: ['nodemcuv2', 'uno'] }));
  return platformioPart(ownTemplates(), units, libraryName());
};

test("a user's own lines before and behind the generated part survive, octet for octet", () => {
  const before = '; mine\r\n[env:mine]\nextends = env:a_native\n\n';
  const behind = '\n[more]\nx = 1 ; \tbehind\n';
  const old = before + part(['a']) + behind;
  const now = replacePart(old, part(['a', 'b']));
  expect(now).toBe(before + part(['a', 'b']) + behind);
  expect(replacePart(now, part(['a', 'b']))).toBe(now);
});

test('a file without the generated part gets it at its end; an empty or missing one becomes it', () => {
  expect(replacePart('[env:mine]\nboard = x\n', part(['a']))).toBe(`[env:mine]\nboard = x\n\n${part(['a'])}`);
  expect(replacePart(undefined, part(['a']))).toBe(part(['a']));
  expect(replacePart(' \n', part(['a']))).toBe(part(['a']));
});

test('the order of the units does not matter', () => {
  expect(part(['b', 'a'])).toBe(part(['a', 'b']));
});
