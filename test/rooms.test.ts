import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The rooms of the house, from the top to the bottom: a file imports from its own room and from those below it. */
const rooms: readonly (readonly string[])[] = [
  ['cli'],
  ['dashboard'],
  ['simulator'],
  // What a user of another program imports: nothing of the base.
  ['clients'],
  ['codegen'],
  ['firmware-templates'],
  // The composition: what lies in base/ itself.
  ['base/*'],
  ['base/config'],
  ['base/api'],
  ['base/hub'],
  ['base/uplinks'],
  ['base/discovery'],
  ['base/dialects'],
  ['base/links'],
  ['base/engine'],
  ['base/core'],
  ['protocol'],
];

/** Where the list of rooms alone does not say it. `only` replaces what is below; `also` adds to it. */
const rules: readonly {
  readonly from: string;
  readonly only?: readonly string[];
  readonly also?: readonly string[];
}[] = [
  // The launcher builds what is missing, then runs it.
  { from: 'cli/baseunit.mjs', only: ['scripts', 'dist/cli'] },
  // A definition is written by a user, and runs in a browser too.
  { from: 'units', only: ['units', 'protocol'] },
  { from: 'protocol', only: ['protocol'] },
  // The generator needs to find and load definitions, and nothing else of the base.
  { from: 'codegen', only: ['codegen', 'firmware-templates', 'base/config/definitions.ts', 'protocol'] },
  { from: 'clients', only: ['clients', 'protocol'] },
  { from: 'dashboard', only: ['dashboard', 'protocol'] },
  // The examples that the demonstration and the simulator show.
  { from: 'cli', also: ['units', 'bench'] },
  { from: 'simulator', also: ['units'] },
  { from: 'bench', also: ['cli', 'simulator', 'clients', 'codegen', 'base', 'protocol', 'units', 'test', 'bench'] },
];

const code = /\.(ts|tsx|mts|js|mjs)$/;

function sourcesIn(folder: string): string[] {
  try {
    return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && code.test(entry.name))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
      .filter((path) => !path.includes('node_modules') && !path.includes('dist/'));
  } catch {
    return [];
  }
}

/** `folder/*` are the files of that folder itself, none of its folders. */
const isIn = (path: string, place: string): boolean =>
  place.endsWith('/*') ? dirname(path) === place.slice(0, -2) : path === place || path.startsWith(`${place}/`);

/** What every import, export from, and import() of this text names. Comments name nothing. */
function specifiersOf(text: string): string[] {
  const withoutComments = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const found: string[] = [];
  for (const [, first, second, third] of withoutComments.matchAll(
    /(?:^|[;}\n])\s*(?:import|export)\s[^'"`;]*?\sfrom\s*['"]([^'"]+)['"]|(?:^|[;}\n])\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g,
  ))
    found.push((first ?? second ?? third)!);
  return found;
}

/** The file of ours that this specifier names; `undefined` for packages and for Node's own. */
function target(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return normalize(join(dirname(from), specifier)).replace(/\.js$/, '.ts');
}

function levelOf(path: string): number {
  return rooms.findIndex((places) => places.some((place) => isIn(path, place)));
}

/** Why this file may not import that one; `undefined`: it may. */
function objection(from: string, to: string): string | undefined {
  const rule = rules.find((each) => isIn(from, each.from));
  if (rule?.only !== undefined)
    return rule.only.some((place) => isIn(to, place)) ? undefined : `${rule.from} imports only ${rule.only.join(', ')}`;
  if (rule?.also?.some((place) => isIn(to, place))) return undefined;
  const level = levelOf(from);
  const toLevel = levelOf(to);
  if (toLevel === -1) return `${to} is in no room below`;
  // The machine's own clock and randomness are handed in: only who composes a whole program makes them.
  if (to === 'base/system.ts' && !['cli', 'simulator', 'base/*'].some((place) => isIn(from, place)))
    return 'base/system.ts is for cli, simulator and what lies in base/ itself';
  return toLevel >= level ? undefined : `imports go down only: ${rooms[toLevel]!.join(', ')} is above`;
}

const folders = [
  'cli',
  'dashboard',
  'simulator',
  'clients',
  'codegen',
  'firmware-templates',
  'base',
  'protocol',
  'units',
  'bench',
];
const sources = folders.flatMap(sourcesIn);

describe('the rooms of the house', () => {
  test('there are sources to look at', () => {
    expect(sources.length).toBeGreaterThan(100);
    expect(sources).toContain('base/core/router.ts');
  });

  test('imports only go down', () => {
    const wrong = sources.flatMap((from) =>
      specifiersOf(readFileSync(join(root, from), 'utf8')).flatMap((specifier) => {
        const to = target(from, specifier);
        const why = to === undefined ? undefined : objection(from, to);
        return why === undefined ? [] : [`${from} imports '${specifier}': ${why}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  test('every source of the base is in a room', () => {
    expect(sources.filter((path) => isIn(path, 'base') && levelOf(path) === -1)).toEqual([]);
  });

  test('protocol and units run in a browser too: they name nothing of Node', () => {
    const wrong = sources
      .filter((path) => isIn(path, 'protocol') || isIn(path, 'units'))
      .flatMap((path) =>
        specifiersOf(readFileSync(join(root, path), 'utf8'))
          .filter((specifier) => specifier.startsWith('node:'))
          .map((specifier) => `${path}: ${specifier}`),
      );
    expect(wrong).toEqual([]);
  });

  test('nothing below the composition asks the machine for time or chance itself', () => {
    // How long a socket may be idle is counted by the socket.
    const ambient = /(?<!\bsocket\.)\b(Date\.now|setTimeout|setInterval|performance\.now|Math\.random)\s*\(/;
    const composition = rooms.findIndex((places) => places.includes('base/*'));
    const below = [...rooms.slice(composition + 1).flat(), 'units'];
    const wrong = sources
      .filter((path) => below.some((place) => isIn(path, place)))
      .filter((path) => ambient.test(readFileSync(join(root, path), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')));
    expect(wrong).toEqual([]);
  });
});

describe('the check itself', () => {
  test('finds every way to import', () => {
    const text = `import { a } from './a.js';
import type { B } from "./b.js";
import './c.js';
export { d } from './d.js';
export * from './e.js';
import {
  f,
} from './f.js';
const g = await import('./g.js');
// import './not.js';
/* import './nor.js'; */`;
    expect(specifiersOf(text)).toEqual(['./a.js', './b.js', './c.js', './d.js', './e.js', './f.js', './g.js']);
  });

  test.each([
    ['base/core/router.ts', 'base/links/link.ts', false],
    ['base/links/link.ts', 'base/core/clock.ts', true],
    ['base/dialects/unit/a.ts', 'base/dialects/line/b.ts', true],
    ['base/uplinks/a.ts', 'base/api/b.ts', false],
    ['protocol/octets.ts', 'base/core/clock.ts', false],
    ['units/lamp.ts', 'protocol/definition/index.ts', true],
    ['units/lamp.ts', 'base/core/clock.ts', false],
    ['codegen/a.ts', 'base/config/definitions.ts', true],
    ['codegen/a.ts', 'base/config/schema.ts', false],
    ['simulator/a.ts', 'clients/iotsocket/index.ts', true],
    ['clients/iotsocket/a.ts', 'protocol/octets.ts', true],
    ['clients/iotsocket/a.ts', 'base/core/clock.ts', false],
    ['base/dialects/a.ts', 'clients/iotsocket/index.ts', false],
    ['cli/a.ts', 'base/system.ts', true],
    ['base/hub/a.ts', 'base/system.ts', false],
    ['base/base.ts', 'base/system.ts', true],
    ['base/core/a.ts', 'test/support/b.ts', false],
  ])('%s may import %s: %s', (from, to, isAllowed) => {
    expect(objection(from, to) === undefined).toBe(isAllowed);
  });
});
