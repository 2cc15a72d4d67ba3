import { describe, expect, test } from 'vitest';
import {
  bool,
  bytes,
  DefinitionError,
  defineUnit,
  type Fields,
  type FieldType,
  f32,
  list,
  oneOf,
  rgb,
  text,
  type UnitOptions,
  u8,
  u16,
} from '../../protocol/definition/index.js';

const sound: UnitOptions = {
  name: 'lamp',
  version: '1.0.0',
  kind: 'updatable',
  commands: { fade: { number: 1, fields: { durationMs: u16() } } },
  reports: { state: { number: 2, fields: { brightness: u8() } } },
};

function problemsOf(options: unknown): string[] {
  try {
    defineUnit(options as UnitOptions);
  } catch (error) {
    expect(error).toBeInstanceOf(DefinitionError);
    const { code, family, problems, message } = error as DefinitionError;
    expect([code, family]).toEqual(['definition-invalid', 'definition']);
    for (const { where, what } of problems) {
      expect(message).toContain(what);
      expect(message).toContain(where);
    }
    return problems.map(({ where, what }) => (where === '' ? what : `${where}: ${what}`));
  }
  return [];
}

const withFields = (fields: Fields): UnitOptions => ({ ...sound, commands: { fade: { number: 1, fields } } });
const many = (count: number, type: FieldType): Fields =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, type]));
const f = 'command fade, field durationMs';

test('a sound definition is taken, with what it leaves out filled in', () => {
  expect(defineUnit(sound)).toMatchObject({ wire: 'session', ring: 16, pollMs: undefined, lineEnd: '\r' });
  expect(defineUnit({ ...sound, poll: '10 min' }).pollMs).toBe(600_000);
});

describe('each rule of a definition names the message and the field', () => {
  test.each<[string, unknown, string]>([
    [
      'a name with capitals',
      { ...sound, name: 'Lamp' },
      `name "Lamp" must be lower-case letters, digits and single hyphens, at most 32 octets, as in 'led-lamp'`,
    ],
    ['a name of 33 octets', { ...sound, name: 'l'.repeat(33) }, 'must be lower-case letters'],
    ['a name that ends in a hyphen', { ...sound, name: 'lamp-' }, 'must be lower-case letters'],
    ['no name', { ...sound, name: undefined }, 'must be lower-case letters'],
    ['no version', { ...sound, version: '' }, `version "" must be 1 to 24 octets, as in '1.0.0'`],
    ['a version of 25 octets', { ...sound, version: '1'.repeat(25) }, 'must be 1 to 24 octets'],
    ['another kind', { ...sound, kind: 'both' }, `kind "both" must be 'read' (its link is always held) or 'updatable'`],
    [
      'a poll nobody understands',
      { ...sound, poll: 'often' },
      `poll "often" must be a number and s, min or h, as in '10 min'`,
    ],
    ['a poll without end', { ...sound, poll: '0 s' }, 'poll "0 s" must be from 1 s to 24 h'],
    ['a poll past any timer', { ...sound, poll: '25 h' }, 'poll "25 h" must be from 1 s to 24 h'],
    ['a poll of a read unit', { ...sound, kind: 'read', poll: '10 min' }, 'poll has no meaning for a read unit'],
    ['no ring', { ...sound, ring: 0 }, 'ring 0 must be a whole number from 1 to 255'],
    ['a ring of 256', { ...sound, ring: 256 }, 'ring 256 must be a whole number from 1 to 255'],
    ['nothing to say', { ...sound, commands: {}, reports: {} }, 'has no report and no command'],
    [
      'number 0',
      { ...sound, commands: { fade: { number: 0 } } },
      'command fade: number 0 must be a whole number from 1 to 111',
    ],
    ['number 112', { ...sound, commands: { fade: { number: 112 } } }, 'command fade: number 112 must be'],
    ['half a number', { ...sound, commands: { fade: { number: 1.5 } } }, 'command fade: number 1.5 must be'],
    [
      'a number taken',
      { ...sound, commands: { fade: { number: 2 } } },
      'number 2 is taken by report state; reports and commands share one number space',
    ],
    [
      'one name twice',
      { ...sound, commands: { state: { number: 1 } } },
      'report state: has the same name as command state',
    ],
    [
      'a message name with a hyphen',
      { ...sound, commands: { 'fade-in': { number: 1 } } },
      'command fade-in: the name must begin with a lower-case letter',
    ],
    ['a message name of 33 octets', { ...sound, commands: { ['f'.repeat(33)]: { number: 1 } } }, 'at most 32 octets'],
    [
      'a message name of C++',
      { ...sound, commands: { delete: { number: 1 } } },
      `command delete: 'delete' means something else in C++`,
    ],
    [
      'a field name of C++',
      withFields({ class: u8() }),
      `command fade, field class: 'class' means something else in C++`,
    ],
    [
      'a field name with a capital',
      withFields({ Ms: u8() }),
      'command fade, field Ms: the name must begin with a lower-case letter',
    ],
    [
      'two field names that differ in case',
      withFields({ aB: u8(), ab: u8() }),
      'command fade, field ab: another field has this name',
    ],
    ['65 fields', withFields(many(65, bool())), 'command fade: has more than 64 fields'],
    [
      'a time-out of nothing',
      { ...sound, commands: { fade: { number: 1, timeoutMs: 0 } } },
      'command fade: timeoutMs 0 must be a whole number from 1 to 300000',
    ],
    ['a time-out past 300 s', { ...sound, commands: { fade: { number: 1, timeoutMs: 300_001 } } }, 'timeoutMs 300001'],
    [
      'an interval of 9 ms',
      { ...sound, reports: { state: { number: 2, fields: {}, everyMs: 9 } } },
      'report state: everyMs 9 must be a whole number from 10 to 86400000',
    ],
    [
      'a message of 1025 octets',
      withFields({ a: list(text(254), 4) }),
      'command fade: takes up to 1026 octets; a message may take 1024',
    ],
    [
      'a reply of 33 octets',
      { ...sound, commands: { fade: { number: 1, reply: { a: bytes(31) } } } },
      'command fade, reply: takes up to 33 octets; a unit remembers answers of 32. Send more as a report',
    ],
    [
      'a reply field that cannot be',
      { ...sound, commands: { fade: { number: 1, reply: { a: u8({ max: 256 }) } } } },
      'command fade, reply, field a: max 256 is above what u8 holds (255)',
    ],
    [
      'a max above the type',
      withFields({ durationMs: u16({ max: 70_000 }) }),
      `${f}: max 70000 is above what u16 holds (65535); use a larger type or a smaller max`,
    ],
    [
      'a min below the type',
      withFields({ durationMs: u16({ min: -1 }) }),
      `${f}: min -1 is below what u16 holds (0); use another type or a larger min`,
    ],
    [
      'a min above the max',
      withFields({ durationMs: u16({ min: 5, max: 4, default: 5 }) }),
      `${f}: min 5 is above max 4`,
    ],
    ['half a bound', withFields({ durationMs: u16({ max: 1.5 }) }), `${f}: min and max of u16 must be whole numbers`],
    [
      'a bound without end',
      withFields({ durationMs: f32({ max: Number.POSITIVE_INFINITY }) }),
      `${f}: min and max must be finite numbers`,
    ],
    ['a bound past f32', withFields({ durationMs: f32({ max: 3.5e38 }) }), `${f}: max 3.5e+38 is above what f32 holds`],
    ['an empty unit', withFields({ durationMs: u16({ unit: '' }) }), `${f}: unit "" must have 1 to 16 octets of UTF-8`],
    [
      'a unit of 17 octets',
      withFields({ durationMs: u16({ unit: `${'é'.repeat(8)}x` }) }),
      'must have 1 to 16 octets of UTF-8',
    ],
    [
      'seven decimals',
      withFields({ durationMs: f32({ decimals: 7 }) }),
      `${f}: decimals 7 must be a whole number from 0 to 6`,
    ],
    [
      'a default out of range',
      withFields({ durationMs: u16({ max: 10, default: 11 }) }),
      `${f}: default 11 must be 0 to 10`,
    ],
    [
      'a default that is no colour',
      withFields({ durationMs: rgb({ default: 'red' }) }),
      `${f}: default "red" must be a colour`,
    ],
    [
      'a text of no length',
      withFields({ durationMs: text(0) }),
      `${f}: the greatest length 0 must be a whole number from 1 to 255`,
    ],
    ['a text of 256', withFields({ durationMs: text(256) }), 'the greatest length 256'],
    [
      'a list of nothing',
      withFields({ durationMs: list(u8(), 0) }),
      `${f}: the greatest count 0 must be a whole number from 1 to 255`,
    ],
    [
      'a list of lists',
      withFields({ durationMs: list(list(u8(), 2) as never, 2) }),
      `${f}: a list of lists is not possible; use two fields`,
    ],
    [
      'a list of what cannot be',
      withFields({ durationMs: list(u8({ max: 300 }), 2) }),
      `${f}: in the list: max 300 is above what u8 holds (255)`,
    ],
    ['a choice of nothing', withFields({ durationMs: oneOf([] as string[]) }), `${f}: oneOf needs 1 to 255 values`],
    [
      'a choice with a blank',
      withFields({ durationMs: oneOf(['a b']) }),
      `${f}: value "a b" of oneOf may hold only letters, digits, _ and -`,
    ],
    ['a choice twice', withFields({ durationMs: oneOf(['a-b', 'A_b']) }), `${f}: value "A_b" of oneOf is there twice`],
    [
      'a type nobody knows',
      withFields({ durationMs: { kind: 'u64' } as never }),
      `${f}: type "u64" is unknown; use bool, u8`,
    ],
  ])('%s', (_, options, problem) => {
    const problems = problemsOf(options);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });

  test('all problems are told at once', () => {
    expect(problemsOf({ ...sound, name: 'X', version: '', commands: { fade: { number: 0 } } })).toHaveLength(3);
  });

  test('a descriptor of more than 16 KiB', () => {
    const wide = many(64, u8({ unit: '%'.repeat(16), max: 99 }));
    const commands = Object.fromEntries(
      Array.from({ length: 5 }, (_, index) => [`c${index}`, { number: index + 1, fields: wide }]),
    );
    expect(problemsOf({ ...sound, commands, reports: {} })[0]).toMatch(
      /^its descriptor has \d+ octets; 16384 are allowed/,
    );
  });
});

test('at the bounds a definition is taken', () => {
  const commands = {
    fade: { number: 1, fields: { a: list(text(253), 4), b: bytes(1) }, timeoutMs: 300_000 },
    last: { number: 111, fields: many(64, bool()), reply: { a: bytes(30) }, timeoutMs: 1 },
    ['f'.repeat(32)]: { number: 2, fields: { a: u16({ unit: 'é'.repeat(8) }), b: text(255), c: f32({ decimals: 6 }) } },
  };
  const reports = {
    state: { number: 3, fields: {}, everyMs: 10 },
    slow: { number: 4, fields: {}, everyMs: 86_400_000 },
  };
  const options: UnitOptions = {
    ...sound,
    name: 'l'.repeat(32),
    version: '1'.repeat(24),
    ring: 255,
    poll: '24 h',
    commands,
    reports,
  };
  expect(problemsOf(options)).toEqual([]);
  expect(problemsOf({ ...sound, ring: 1, poll: '1s' })).toEqual([]);
});

describe('a line unit', () => {
  const reading = { number: 1, fields: { level: u16() }, everyMs: 1_000 };
  const sensor: UnitOptions = { name: 'sensor', version: '1', kind: 'read', wire: 'line', reports: { light: reading } };
  const switched = { number: 1, fields: { isOn: bool() } };
  const socket: UnitOptions = {
    name: 'socket',
    version: '1',
    kind: 'updatable',
    wire: 'line',
    commands: { set: switched },
  };

  test('has one report of one field, or one command of one field', () => {
    expect(problemsOf(sensor)).toEqual([]);
    expect(problemsOf(socket)).toEqual([]);
  });

  test.each<[string, unknown, string]>([
    [
      'a read unit with a command',
      { ...sensor, reports: {}, commands: { set: switched } },
      `a line unit of kind 'read' has exactly one report and nothing else; use wire: 'session' for more`,
    ],
    [
      'an updatable unit with two commands',
      { ...socket, commands: { set: switched, unset: { number: 2, fields: { a: bool() } } } },
      `a line unit of kind 'updatable' has exactly one command`,
    ],
    [
      'two fields',
      { ...sensor, reports: { light: { ...reading, fields: { a: u8(), b: u8() } } } },
      'report light: a line carries exactly one field, this has 2',
    ],
    [
      'a list',
      { ...sensor, reports: { light: { ...reading, fields: { a: list(u8(), 2) } } } },
      'report light: a line cannot carry a list or bytes field',
    ],
    [
      'bytes',
      { ...socket, commands: { set: { number: 1, fields: { a: bytes(2) } } } },
      'command set: a line cannot carry a list or bytes field',
    ],
    [
      'no interval',
      { ...sensor, reports: { light: { number: 1, fields: { level: u16() } } } },
      'report light: a line unit needs everyMs: silence is how a lost unit is noticed',
    ],
    [
      'a reply',
      { ...socket, commands: { set: { ...switched, reply: { a: u8() } } } },
      'command set: a line unit answers nothing: leave reply out',
    ],
  ])('%s is refused', (_, options, problem) => {
    const problems = problemsOf(options);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });
});
