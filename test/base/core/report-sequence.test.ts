import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReportSequence } from '../../../base/core/report-sequence.js';

const welcome = (acknowledged: number) => ({ kind: 'welcome', acknowledged, waiting: 0 });

test('a base younger than the boot knows nothing of it: the first report is no gap', () => {
  const sequence = new ReportSequence();
  expect(sequence.hello(7, 1)).toEqual(welcome(0));
  expect(sequence.admit(7, 500)).toEqual({ kind: 'new', missing: 0 });
  sequence.stored(7, 500);
  expect(sequence.admit(7, 503)).toEqual({ kind: 'new', missing: 2 });
});

test('the same boot again: what we have is told, and is a duplicate', () => {
  const sequence = new ReportSequence();
  sequence.hello(7, 1);
  sequence.admit(7, 4);
  sequence.stored(7, 4);
  expect(sequence.hello(7, 1)).toEqual(welcome(4));
  expect(sequence.admit(7, 4)).toEqual({ kind: 'duplicate' });
  expect(sequence.admit(7, 3)).toEqual({ kind: 'duplicate' });
  expect(sequence.admit(7, 5)).toEqual({ kind: 'new', missing: 0 });
});

test('the next boot starts at 1: reports missing at its start are counted', () => {
  const sequence = new ReportSequence();
  sequence.hello(7, 1);
  sequence.stored(7, 9);
  expect(sequence.hello(8, 2)).toEqual(welcome(0));
  expect(sequence.admit(8, 4)).toEqual({ kind: 'new', missing: 3 });
});

test('a boot number used before, or a lower one, gets the next: flash was erased', () => {
  const sequence = new ReportSequence();
  sequence.hello(7, 1);
  expect(sequence.hello(7, 2)).toEqual({ kind: 'next-boot', boot: 8 });
  expect(sequence.hello(3, 1)).toEqual({ kind: 'next-boot', boot: 8 });
  expect(sequence.hello(8, 2)).toEqual(welcome(0));
});

test('a report of another boot than the last hello’s is old', () => {
  const sequence = new ReportSequence();
  expect(sequence.admit(1, 1)).toEqual({ kind: 'duplicate' });
  sequence.hello(8, 1);
  expect(sequence.admit(7, 1)).toEqual({ kind: 'duplicate' });
});

test('what was stored of a boot before the last hello’s moves nothing', () => {
  const sequence = new ReportSequence();
  sequence.hello(7, 1);
  sequence.hello(8, 2);
  sequence.stored(7, 9);
  expect(sequence.admit(8, 1)).toEqual({ kind: 'new', missing: 0 });
});

test('restored, it goes on where it was', () => {
  const sequence = new ReportSequence();
  sequence.hello(7, 1);
  sequence.stored(7, 4);
  const restored = new ReportSequence();
  restored.restore(JSON.parse(JSON.stringify(sequence.state)));
  expect(restored.life).toBe(sequence.life);
  expect(restored.hello(7, 1)).toEqual(welcome(4));
  expect(restored.admit(7, 4)).toEqual({ kind: 'duplicate' });
  expect(restored.admit(7, 6)).toEqual({ kind: 'new', missing: 1 });
});

test('whatever arrives, each sequence is new at most once, and stored and missing add up to the last one', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 80 }), (arrivals) => {
      const sequence = new ReportSequence();
      sequence.hello(1, 1);
      sequence.hello(2, 2);
      const news: number[] = [];
      let missing = 0;
      for (const number of arrivals) {
        const admission = sequence.admit(2, number);
        if (admission.kind === 'duplicate') continue;
        news.push(number);
        missing += admission.missing;
        sequence.stored(2, number);
      }
      expect(new Set(news).size).toBe(news.length);
      expect(news.length + missing).toBe(news.at(-1) ?? 0);
    }),
  );
});
