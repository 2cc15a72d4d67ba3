import { beforeEach, describe, expect, test } from 'vitest';
import {
  LOG_RATE,
  MAX_LINE_CHARACTERS,
  MAX_LOG_OCTETS,
  MAX_UNIT_LINES,
  UnitLogs,
} from '../../../base/core/unit-logs.js';

let logs: UnitLogs;
/** Late enough for one more line of every unit. */
let now: number;

beforeEach(() => {
  logs = new UnitLogs();
  now = 0;
});

const say = (unit: string, text: string) => {
  now += 1_000 / LOG_RATE.perSecond;
  return logs.add(unit, { level: 'info', text }, now, now);
};
const texts = (unit: string): string[] => logs.of(unit).map(({ text }) => text);
const numbered = (count: number, from = 0): string[] => Array.from({ length: count }, (_, index) => `${from + index}`);

describe('the logs of units', () => {
  test('are kept in order, each unit’s own', () => {
    say('hall', 'one');
    say('lamp', 'two');
    say('hall', 'three');
    expect(logs.of('hall')).toEqual([
      { kind: 'log', unit: 'hall', level: 'info', text: 'one', at: 200 },
      { kind: 'log', unit: 'hall', level: 'info', text: 'three', at: 600 },
    ]);
    expect(texts('lamp')).toEqual(['two']);
    expect(texts('nobody')).toEqual([]);
  });

  test(`are the last ${MAX_UNIT_LINES} lines of a unit`, () => {
    for (const text of numbered(MAX_UNIT_LINES)) say('hall', text);
    expect(texts('hall')).toEqual(numbered(MAX_UNIT_LINES));
    say('hall', `${MAX_UNIT_LINES}`);
    expect(texts('hall')).toEqual(numbered(MAX_UNIT_LINES, 1));
  });

  test('have no control characters, and no line is longer than its bound', () => {
    expect(say('hall', 'a\u001b[2J\nb\u009b')!.text).toBe('a·[2J·b·');
    expect(say('hall', 'x'.repeat(MAX_LINE_CHARACTERS))!.text).toBe('x'.repeat(MAX_LINE_CHARACTERS));
    expect(say('hall', 'x'.repeat(MAX_LINE_CHARACTERS + 1))!.text).toBe(`${'x'.repeat(MAX_LINE_CHARACTERS)}…`);
  });

  test('a thousand lines a second: the first hundred and five a second are kept, the others are counted', () => {
    const kept = numbered(10_000).flatMap(
      (text, index) => logs.add('mad', { level: 'debug', text }, index, index) ?? [],
    );
    expect(kept).toHaveLength(LOG_RATE.burst + 10 * LOG_RATE.perSecond - 1);
    const leftOut = kept.reduce((sum, { leftOut: some = 0 }) => sum + some, 0);
    const last = kept.at(-1)!;
    expect(leftOut + kept.length).toBe(Number(last.text) + 1);
    expect(kept.slice(0, LOG_RATE.burst).every((line) => line.leftOut === undefined)).toBe(true);
    expect(logs.add('mad', { level: 'debug', text: 'later' }, 20_000, 20_000)).toMatchObject({
      leftOut: 10_000 - 1 - Number(last.text),
    });
    expect(logs.add('mad', { level: 'debug', text: 'and on' }, 20_001, 20_001)).not.toHaveProperty('leftOut');
  });

  test('one that writes without end pushes out its own lines only', () => {
    for (let unit = 0; unit < 50; unit += 1) say(`unit ${unit}`, 'here');
    for (let line = 0; line < 20_000; line += 1) say('mad', 'x'.repeat(MAX_LINE_CHARACTERS));
    for (let unit = 0; unit < 50; unit += 1) expect(texts(`unit ${unit}`)).toEqual(['here']);
    expect(logs.of('mad')).toHaveLength(MAX_UNIT_LINES);
  });

  test('where all room is taken, those give who have more than their share', () => {
    for (let unit = 0; unit < 50; unit += 1) say(`quiet ${unit}`, 'here');
    for (let round = 0; round < 2 * MAX_UNIT_LINES; round += 1)
      for (let unit = 0; unit < 20; unit += 1) {
        say(`mad ${unit}`, 'x'.repeat(MAX_LINE_CHARACTERS));
        expect(logs.octets).toBeLessThanOrEqual(MAX_LOG_OCTETS);
      }
    for (let unit = 0; unit < 50; unit += 1) expect(texts(`quiet ${unit}`)).toEqual(['here']);
    const left = Array.from({ length: 20 }, (_, unit) => logs.of(`mad ${unit}`).length);
    expect(Math.min(...left)).toBeGreaterThan(20);
  });

  test('however many units there are, all together stay within their bound', () => {
    for (let round = 0; round < 3; round += 1)
      for (let unit = 0; unit < 16_384; unit += 1) say(`unit ${unit}`, 'x'.repeat(200));
    expect(logs.octets).toBeLessThanOrEqual(MAX_LOG_OCTETS);
    expect(logs.octets).toBeGreaterThan(MAX_LOG_OCTETS / 2);
    expect(texts('unit 16383').length).toBeGreaterThan(0);
  });

  test('nothing is left of what is forgotten', () => {
    say('hall', 'one');
    say('lamp', 'two');
    logs.forget('hall');
    logs.forget('nobody');
    expect(texts('hall')).toEqual([]);
    expect(texts('lamp')).toEqual(['two']);
    logs.forget('lamp');
    expect(logs.octets).toBe(0);
  });
});
