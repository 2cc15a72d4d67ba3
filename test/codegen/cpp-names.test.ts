import fc from 'fast-check';
import { expect, test } from 'vitest';
import { enumeratorsOf, handlerNameOf, memberNameOf, namespaceOf, typeNameOf } from '../../codegen/cpp-names.js';

test('names of units, messages and fields become C++ names', () => {
  expect(namespaceOf('led-lamp')).toBe('led_lamp');
  expect(namespaceOf('switch')).toBe('switch_unit');
  expect(typeNameOf('setColor')).toBe('SetColor');
  expect(memberNameOf('level')).toBe('level');
});

test('a field that C++ or one of its macros keeps for itself gets an underscore', () => {
  expect(memberNameOf('linux')).toBe('linux_');
  expect(memberNameOf('errno')).toBe('errno_');
});

test('a handler is not named like a macro that looks like a call', () => {
  expect(handlerNameOf('setColor')).toBe('setColor');
  expect(handlerNameOf('bit')).toBe('bit_');
  expect(handlerNameOf('linux')).toBe('linux_');
});

test('enumerators are safe: capitals (Arduino macros), digits, hyphens, C++ words', () => {
  expect(enumeratorsOf(['drip', 'HIGH', '1st', 'a-b', 'auto', '_x', '__', 'fadeIn', 'a--c', 'unix'])).toEqual([
    'drip',
    'high',
    'v1st',
    'a_b',
    'auto_',
    'x',
    'blank',
    'fadeIn',
    'a_c',
    'unix_',
  ]);
});

test('values that would meet in one enumerator are kept apart', () => {
  expect(enumeratorsOf(['a_b', 'a__b', '_a_b'])).toEqual(['a_b', 'a_b_2', 'a_b_3']);
  expect(enumeratorsOf(['a_', '_a_'])).toEqual(['a_', 'a_2']);
  expect(enumeratorsOf(['a_2', 'a', '_a', '__a'])).toEqual(['a_2', 'a', 'a_3', 'a_4']);
});

test('whatever the values: every enumerator is a C++ name, its own, and no macro of capitals', () => {
  const value = fc.oneof(fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/), fc.stringMatching(/^[aA1_-]{1,4}$/));
  fc.assert(
    fc.property(fc.uniqueArray(value, { minLength: 1, maxLength: 30 }), (values) => {
      const names = enumeratorsOf(values);
      expect(new Set(names).size).toBe(values.length);
      for (const name of names) expect(name).toMatch(/^(?=.*[a-z])[A-Za-z](?!.*__)[A-Za-z0-9_]*$/);
    }),
    { numRuns: 2_000 },
  );
});
