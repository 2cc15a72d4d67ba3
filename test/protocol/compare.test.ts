import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compareDescriptors,
  defineUnit,
  descriptorOf,
  fingerprintOf,
  oneOf,
  rgb,
  type UnitOptions,
  u8,
  u16,
} from '../../protocol/definition/index.js';
import barrel from '../../units/rain-barrel.js';
import { fields, names } from './random-definitions.js';

const lamp: UnitOptions = {
  name: 'led-lamp',
  version: '1.3.0',
  kind: 'updatable',
  commands: {
    setColor: { number: 1, fields: { color: rgb() } },
    fade: { number: 2, fields: { color: rgb(), durationMs: u16({ unit: 'ms', max: 60_000 }) }, reply: { queue: u8() } },
    off: { number: 4 },
  },
  reports: { state: { number: 3, fields: { color: rgb(), mode: oneOf(['a', 'b']) } } },
};
const ours = defineUnit(lamp);
const here = descriptorOf(ours);

/** What is said when a unit tells this descriptor, and which numbers keep flowing. */
function compared(theirs: string): { said: readonly string[]; equal: number[] } {
  const { differences, equal } = compareDescriptors(theirs, ours);
  return { said: differences, equal: [...equal] };
}

test('a definition differs from itself in nothing, and all its messages keep flowing', () => {
  expect(compared(here)).toEqual({ said: [], equal: [1, 2, 3, 4] });
  expect(compareDescriptors(descriptorOf(barrel), barrel)).toMatchObject({ differences: [] });
});

describe('each kind of difference is named, and the equal messages keep flowing', () => {
  test.each<[string, string, string, string[], number[]]>([
    [
      'another type',
      'durationMs:u16[ms,0..60000]',
      'durationMs:u8[ms]',
      ['fade.durationMs is u8[ms] there, u16[ms,0..60000] here'],
      [1, 3, 4],
    ],
    ['a field missing', ',durationMs:u16[ms,0..60000]', '', ['fade.durationMs is missing there'], [1, 3, 4]],
    [
      'a field more',
      'setColor color:rgb',
      'setColor color:rgb,white:u8',
      ['setColor.white is unknown here'],
      [2, 3, 4],
    ],
    [
      'fields in another order',
      'color:rgb,mode:oneOf(a|b)',
      'mode:oneOf(a|b),color:rgb',
      ['the fields of state come in the order mode, color there, color, mode here'],
      [1, 2, 4],
    ],
    ['other choices', 'oneOf(a|b)', 'oneOf(a|b|c)', ['state.mode is oneOf(a|b|c) there, oneOf(a|b) here'], [1, 2, 4]],
    ['another reply', '->queue:u8', '->queue:u16', ['fade reply.queue is u16 there, u8 here'], [1, 3, 4]],
    ['no reply', '->queue:u8', '', ['fade reply.queue is missing there'], [1, 3, 4]],
    ['a command missing', 'command 4 off\n', '', ['command off is missing there'], [1, 2, 3]],
    [
      'a command more',
      'command 4 off\n',
      'command 4 off\ncommand 9 blink\n',
      ['command blink is unknown here'],
      [1, 2, 3, 4],
    ],
    ['another number', 'command 4 off', 'command 5 off', ['command off has number 5 there, 4 here'], [1, 2, 3]],
    [
      'a report where a command is',
      'command 4 off',
      'report 4 off',
      ['command off is missing there', 'report off is unknown here'],
      [1, 2, 3],
    ],
    [
      'another kind of unit',
      'led-lamp updatable',
      'led-lamp read',
      ['it says "unit led-lamp read" there, "unit led-lamp updatable" here'],
      [1, 2, 3, 4],
    ],
    [
      'something behind the fields',
      'command 4 off',
      'command 4 off ',
      ['command off is "command 4 off " there, "command 4 off" here'],
      [1, 2, 3],
    ],
  ])('%s', (_, from, to, said, equal) => {
    expect(here).toContain(from);
    expect(compared(here.replace(from, to))).toEqual({ said, equal });
  });

  test('two numbers exchanged: neither flows', () => {
    const exchanged = here
      .replace('command 1 setColor', 'command 2 setColor')
      .replace('command 2 fade', 'command 1 fade');
    expect(compared(exchanged).equal).toEqual([3, 4]);
  });
});

test('a stranger’s text is bounded and fit for a log line', () => {
  const long = here.replace('durationMs:u16[ms,0..60000]', `durationMs:u16[${'x'.repeat(500)}]`);
  expect(compared(long).said[0]!.length).toBeLessThan(150);
  const odd = `${here}command 9 a\u0000\u001b[2Jb\n`;
  expect(compared(odd).said).toEqual(['command a··[2Jb is unknown here']);
  const flood = here + Array.from({ length: 1_000 }, (_, index) => `command ${index} x${index}\n`).join('');
  expect(compared(flood).said).toHaveLength(33);
  expect(compared(flood).said.at(-1)).toBe('and 968 more');
});

test('whatever a unit says, comparing never throws', () => {
  const pieces = fc.constantFrom(
    'command',
    'report',
    ' ',
    '\n',
    ':',
    ',',
    '(',
    ')',
    '[',
    ']',
    '->',
    '1',
    'fade',
    'rgb',
    '|',
    '__proto__',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(pieces).map((all) => all.join('')),
      ),
      (text) => {
        const { differences, equal } = compareDescriptors(text, ours);
        expect(differences.length).toBeGreaterThan(0);
        expect(equal.size).toBeLessThan(5);
      },
    ),
    { numRuns: 2_000 },
  );
});

const anyUnit = fc
  .tuple(names(4), names(4))
  .filter(([a, b]) => !a.some((name) => b.some((other) => other.toLowerCase() === name.toLowerCase())))
  .chain(([commandNames, reportNames]) =>
    fc
      .array(fields(3), {
        minLength: commandNames.length + reportNames.length,
        maxLength: commandNames.length + reportNames.length,
      })
      .map((all): UnitOptions => {
        const commands = commandNames.map((name, index) => [name, { number: index + 1, fields: all[index]! }]);
        const reports = reportNames.map((name, index) => {
          return [name, { number: 50 + index, fields: all[commandNames.length + index]! }];
        });
        return {
          name: 'any',
          version: '1',
          kind: 'read',
          commands: Object.fromEntries(commands),
          reports: Object.fromEntries(reports),
        };
      }),
  );

test('whatever the definition: it differs from itself in nothing, and its descriptor is lines of the grammar', () => {
  const line = /^(unit [a-z0-9-]+ (read|updatable)|(report|command) \d+ [a-z][A-Za-z0-9]*( [^ ]+)?)$/;
  fc.assert(
    fc.property(anyUnit, (options) => {
      const definition = defineUnit(options);
      const text = descriptorOf(definition);
      expect(text.endsWith('\n')).toBe(true);
      for (const each of text.slice(0, -1).split('\n')) expect(each).toMatch(line);
      expect(compareDescriptors(text, definition).differences).toEqual([]);
      expect(fingerprintOf(definition)).toMatch(/^[0-9a-f]{16}$/);
      expect(fingerprintOf(defineUnit({ ...options, version: '2', description: 'else' }))).toBe(
        fingerprintOf(definition),
      );
    }),
    { numRuns: 300 },
  );
});
