import { afterEach, beforeEach, expect, test } from 'vitest';
import { met } from '../../bench/bar.js';

let exitCode: typeof process.exitCode;
beforeEach(() => {
  exitCode = process.exitCode;
});
afterEach(() => {
  process.exitCode = exitCode;
});

test.each([
  [true, 'yes', 0],
  [false, 'NO', 1],
  [undefined, 'not measured', 0],
])('a bar that is met (%s) says %s and ends with %i', (isMet, text, code) => {
  process.exitCode = 0;
  expect(met(isMet)).toBe(text);
  expect(process.exitCode).toBe(code);
});
