import { expect, it } from 'vitest';
import { type AccessListRules, checkAccessList } from '../../../../base/dialects/iotsocket/check-access-list.js';

const KEY = Uint8Array.from({ length: 16 }, (_, index) => index);
const groups = new Map([
  ['Devices', {}],
  ['Stations', {}],
]);
const entry = (uid: string, group = 'Devices', key = KEY) => ({ uid, group, key });
const check = (entries: readonly ReturnType<typeof entry>[], rules: Partial<AccessListRules> = {}) =>
  checkAccessList(entries, groups, { maxEntries: 100, takenBy: () => undefined, ...rules });

it('a list that can be put in force has nothing wrong', () => {
  expect(check([])).toBeUndefined();
  expect(check([entry('ObjTest'), entry('objtest', 'Stations'), entry('\u0001ö"')])).toBeUndefined();
});

it('a UID has 1 to 16 octets', () => {
  expect(check([entry('x'.repeat(16)), entry('ö'.repeat(8))])).toBeUndefined();
  expect(check([entry('a'), entry('x'.repeat(17))])).toBe(
    'entry 2 ("xxxxxxxxxxxxxxxxx"): the UID has 17 octets; at most 16 fit the protocol',
  );
  expect(check([entry(`${'ö'.repeat(8)}x`)])).toContain('17 octets');
  expect(check([entry('')])).toBe(`entry 1 (""): the empty UID is the central's; give the object one of its own`);
});

it('a UID has no 00 inside, and no half characters', () => {
  expect(check([entry('a\0b')])).toBe(
    'entry 1 ("a·b"): the UID has a 00 in it, which fills shorter ones up; take it out',
  );
  expect(check([entry('\0a')])).toContain('has a 00');
  expect(check([entry('a\ud800')])).toContain('half a character');
});

it('a UID is there once', () => {
  expect(check([entry('a'), entry('b'), entry('a', 'Stations')])).toBe(
    'entry 3 ("a"): entry 1 has the same UID; take one of them out',
  );
});

it('a UID that a unit of the base has is not taken', () => {
  const takenBy = (uid: string) => (uid === 'lamp' ? 'a unit of units.known' : undefined);
  expect(check([entry('lamp2')], { takenBy })).toBeUndefined();
  expect(check([entry('lamp')], { takenBy })).toBe(
    'entry 1 ("lamp"): the UID is a unit of units.known; give one of them another',
  );
});

it('its group must be there: a misspelt one is named, with the nearest', () => {
  expect(check([entry('a', 'Devcies')])).toBe('entry 1 ("a"): there is no group "Devcies"; did you mean "Devices"?');
  expect(check([entry('a', 'Gardens')])).toBe(
    'entry 1 ("a"): there is no group "Gardens"; add it to the groups of the configuration',
  );
  expect(check([entry('a', '')])).toContain('there is no group ""');
  expect(check([entry('a', '__proto__')])).toContain('there is no group');
});

it.each([15, 17, 0])('a key of %d octets is none', (length) => {
  expect(check([entry('a', 'Devices', new Uint8Array(length))])).toBe(
    `entry 1 ("a"): the key has ${length} octets, not 16`,
  );
});

it('takes so many entries and not one more', () => {
  const list = [entry('a'), entry('b')];
  expect(check(list, { maxEntries: 2 })).toBeUndefined();
  expect(check(list, { maxEntries: 1 })).toBe('the list has 2 entries; at most 1 are taken (limits.accessListEntries)');
});

it('what it says is one line of bounded length, whatever is in the names', () => {
  const problem = check([entry('a', `Gardens\n${'x'.repeat(10_000)}`)])!;
  expect(problem).toContain('Gardens·xxx');
  expect(problem.length).toBeLessThan(300);
});
