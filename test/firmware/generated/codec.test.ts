import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadDefinitions } from '../../../base/config/definitions.js';
import { generateUnit } from '../../../codegen/generate-unit.js';
import { buildProgram } from '../../../codegen/native-build.js';
import { loadTemplates } from '../../../codegen/templates.js';
import { type StructView, unitView } from '../../../codegen/unit-view.js';
import {
  type Decoded,
  decodeFields,
  descriptorOf,
  type Encoded,
  encodeFields,
  type Fields,
  fingerprintOf,
  messagesOf,
  type UnitDefinition,
} from '../../../protocol/definition/index.js';
import { toHex } from '../../../protocol/octets.js';
import { anyUnit } from './definitions.js';
import { Probe } from './probe.js';
import { anyValue, octetsNear, tokensOf } from './values.js';
import { fieldVectors, reportOf, vectorTokens, vectorUnit } from './vector-unit.js';

/**
 * The same random values and the same random octets through the TypeScript codec and the compiled C++ codec: equal
 * octets, equal values, equal refusals. The examples are asked more often, definitions that nobody wrote less often.
 */
const EXAMPLE_CASES = 1_500;
const RANDOM_CASES = 250;
const RANDOM_UNITS = 8;
/** The same definitions in every run, so that the compiled probe is found again; the values differ from run to run. */
const SEED = 20_251;
const NO_FIELD = 255;

const root = join(import.meta.dirname, '..', '..', '..');

interface Struct {
  readonly index: number;
  readonly title: string;
  readonly type: string;
  readonly fields: Fields;
  readonly members: readonly string[];
  readonly cases: number;
}

let structs: Struct[];
let units: readonly UnitDefinition[];
let probe: Probe | undefined;

beforeAll(async () => {
  const examples = [...(await loadDefinitions()).values()].map(({ definition }) => definition);
  const sampled = Array.from(
    { length: RANDOM_UNITS },
    (_, n) => fc.sample(anyUnit(`random-${n}`), { numRuns: 1, seed: SEED + n }).at(0)!,
  );
  // Line units have no octets; their fields are tried as if they were typed.
  const typed = [...examples, ...sampled, vectorUnit()].map((unit): UnitDefinition => ({ ...unit, wire: 'session' }));
  units = typed;
  structs = typed.flatMap((unit) =>
    structsOf(
      unit,
      examples.some(({ name }) => name === unit.name),
    ),
  );
  structs = structs.map((struct, index) => ({ ...struct, index }));

  const headers = typed
    .flatMap((unit) => generateUnit(unit, `units/${unit.name}.ts`))
    .filter(({ path }) => /include\/[^.]*\.h$/.test(path));
  // Named the same in every run, whatever the folder: the hash of a build is over names as well.
  const home = join(root, '.build', 'probe');
  const source = loadTemplates(import.meta.dirname)('probe.cpp', {
    units: typed.map((unit) => unitView(unit, 'x')).map(({ header, namespace }) => ({ header, namespace })),
    structs: structs.map(({ index, type, members }) => ({ index, type, members })),
  });
  const files = [
    ...headers.map(({ path, text }) => [path.replace(/.*\//, ''), text] as const),
    ['probe.cpp', source] as const,
  ];
  for (const [name, text] of files) await put(join(home, name), text);
  const program = await buildProgram('probe', {
    root,
    sanitize: true,
    sources: [join(home, 'probe.cpp')],
    headers: [...headers.map(({ path }) => join(home, path.replace(/.*\//, ''))), join(import.meta.dirname, 'probe.h')],
    includes: [home, import.meta.dirname],
  });
  probe = new Probe(program);
}, 180_000);

afterAll(async () => {
  expect(await probe?.stop()).toBe(0);
});

/** Another run of this test may be compiling the same file: what is right stays as it is. */
async function put(path: string, text: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => '')) === text) return;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

function structsOf(unit: UnitDefinition, isExample: boolean): Struct[] {
  const view = unitView(unit, 'x');
  return messagesOf(unit).flatMap((message, index) => {
    const own = view.messages[index]!;
    const made = (struct: StructView, title: string, fields: Fields): Struct => ({
      index: 0,
      title: `${unit.name} ${title}`,
      type: `${view.namespace}::${struct.type}`,
      fields,
      members: struct.fields.map(({ member }) => member),
      cases: isExample ? EXAMPLE_CASES : RANDOM_CASES,
    });
    const reply =
      own.reply === null || message.kind === 'report'
        ? []
        : [made(own.reply, `${message.name} reply`, message.reply ?? {})];
    return [made(own, message.name, message.fields), ...reply];
  });
}

const valuesOf = (fields: Fields) =>
  fc.record(Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, anyValue(type)])), {
    noNullPrototype: true,
  });

function line(fields: Fields, values: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .map(([name, type]) => ` ${tokensOf(type, values[name] as never)}`)
    .join('');
}

function refusal(fields: Fields, result: Extract<Encoded | Decoded, { ok: false }>): string {
  const { field, code } = result.refusal;
  return `no ${code} ${field === '' ? NO_FIELD : Object.keys(fields).indexOf(field)}`;
}

/** What the C++ side must answer. */
function encoded(fields: Fields, result: Encoded): string {
  return result.ok ? `ok ${toHex(result.octets)}` : refusal(fields, result);
}
function decoded(fields: Fields, result: Decoded): string {
  return result.ok ? `ok${line(fields, result.values)}` : refusal(fields, result);
}

test('the shared vectors are decoded, encoded and refused by the compiled codec as they say', async () => {
  for (const vector of fieldVectors) {
    const { name, hex, error } = vector;
    const struct = structs.find(({ title }) => title === `vectors vector${reportOf(vector)}`)!;
    const answer = await probe!.ask(`decode ${struct.index} ${hex}`);
    if (error !== undefined) {
      expect(answer.split(' ').slice(0, 2), name).toEqual(['no', error]);
      continue;
    }
    expect(answer, name).toBe(`ok ${vectorTokens(vector)}`);
    expect(await probe!.ask(`encode ${struct.index} ${vectorTokens(vector)}`), name).toBe(`ok ${hex}`);
  }
});

// All messages at the same time, so that neither side waits for the other.
test('both sides encode the same values to the same octets, or refuse the same field for the same reason', async () => {
  await Promise.all(
    structs.map(({ index, fields, cases, title }) =>
      fc.assert(
        fc.asyncProperty(valuesOf(fields), async (values) => {
          const answer = await probe!.ask(`encode ${index}${line(fields, values)}`);
          expect(answer, title).toBe(encoded(fields, encodeFields(fields, values)));
        }),
        { numRuns: cases },
      ),
    ),
  );
}, 120_000);

test('both sides decode the same octets to the same values, or refuse the same field for the same reason', async () => {
  await Promise.all(
    structs.map(({ index, fields, cases, title }) => {
      const right = valuesOf(fields).map((values) => {
        const result = encodeFields(fields, values);
        return result.ok ? result.octets : new Uint8Array(0);
      });
      return fc.assert(
        fc.asyncProperty(octetsNear(right), async (octets) => {
          const answer = await probe!.ask(`decode ${index} ${toHex(octets)}`);
          expect(answer, title).toBe(decoded(fields, decodeFields(fields, octets)));
        }),
        { numRuns: cases },
      );
    }),
  );
}, 120_000);

test('both sides have the same defaults', async () => {
  for (const { index, fields, title } of structs) {
    const defaults = Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, type.default]));
    const asSent = decodeFields(fields, octetsOf(encodeFields(fields, defaults)));
    expect(await probe!.ask(`default ${index}`), title).toBe(decoded(fields, asSent));
  }
});

function octetsOf(result: Encoded): Uint8Array {
  if (!result.ok) throw new Error(`a default is refused: ${result.refusal.message}`);
  return result.octets;
}

test('name, version, descriptor and fingerprint in flash are those of the definition', async () => {
  for (const [index, unit] of units.entries()) {
    const texts = [unit.name, unit.version, descriptorOf(unit)].map((text) => toHex(new TextEncoder().encode(text)));
    expect(await probe!.ask(`describe ${index}`), unit.name).toBe([...texts, fingerprintOf(unit)].join(' '));
  }
});

test('between them the units have every field type, and every refusal is met', async () => {
  const kinds = new Set(
    structs.flatMap(({ fields }) =>
      Object.values(fields).flatMap((type) => (type.kind === 'list' ? [type.kind, type.item.kind] : [type.kind])),
    ),
  );
  expect([...kinds].sort()).toEqual(
    ['bool', 'bytes', 'f32', 'i16', 'i32', 'i8', 'list', 'oneOf', 'rgb', 'text', 'u16', 'u32', 'u8'].sort(),
  );
  const struct = (title: string): Struct => structs.find((one) => one.title === title)!;
  const water = struct('rain-barrel water');
  const configure = struct('rain-barrel configure');
  const refusals: readonly (readonly [Struct, string, string])[] = [
    [water, '', 'no short 0'],
    [water, '03', 'no bad-index 0'],
    [water, '010000c07f', 'no not-finite 1'],
    [water, '0100004843', 'no short 2'],
    [water, '010100484300', 'no out-of-range 1'],
    [water, '010000484309', 'no too-many 2'],
    [water, '01000048430110', 'no out-of-range 2'],
    [water, '0100004843010f00', 'no left-over 255'],
    [configure, '21', 'no too-long 0'],
    [configure, '02c080', 'no bad-utf8 0'],
    [configure, '00010203000c0002', 'no not-bool 4'],
  ];
  for (const [{ index, fields }, hex, expected] of refusals) {
    const octets = Uint8Array.from(Buffer.from(hex, 'hex'));
    expect(await probe!.ask(`decode ${index} ${hex}`), hex).toBe(expected);
    expect(decoded(fields, decodeFields(fields, octets)), hex).toBe(expected);
  }
});
