import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { LineProgram } from './cpp-program.js';
import { startValuesDriver } from './values-driver.js';

const ERASED = 0xff;
const RECORDS = 512;

let program: LineProgram;
beforeAll(async () => {
  program = await startValuesDriver('-funsigned-char');
}, 180_000);
afterAll(async () => expect(await program.stop()).toEqual({ status: 0, complaints: '' }));
beforeEach(async () => void (await program.ask(`boot new ${ERASED}`)));

/** The last boot number and how often flash was erased. */
const state = (): Promise<string> => program.ask('boot last');

test('an erased sector has no boot number', async () => {
  expect(await state()).toBe('0 0');
});

test('the sector is erased once in 512 boots', async () => {
  for (let boot = 1; boot <= RECORDS; boot += 1) expect(await program.ask(`boot store ${boot}`)).toBe('stored');
  expect(await state()).toBe(`${RECORDS} 0`);
  expect(await program.ask(`boot store ${RECORDS + 1}`)).toBe('stored');
  expect(await state()).toBe(`${RECORDS + 1} 1`);
});

test('power lost inside a record leaves the number before it, and the next one is stored', async () => {
  await program.ask('boot store 7');
  await program.ask('boot fail-after 1');
  expect(await program.ask('boot store 8')).toBe('failed');
  await program.ask('boot power');
  expect(await state()).toBe('7 0');
  expect(await program.ask('boot store 8')).toBe('stored');
  expect(await state()).toBe('8 0');
});

test('a number that the base tells may be any, also a lower one', async () => {
  await program.ask('boot store 90');
  await program.ask('boot store 5000');
  expect(await state()).toBe('5000 0');
  await program.ask('boot store 12');
  expect(await state()).toBe('12 1');
});

test('a sector full of something else is erased first', async () => {
  await program.ask(`boot new ${0x5a}`);
  expect(await state()).toBe('0 0');
  expect(await program.ask('boot store 3')).toBe('stored');
  expect(await state()).toBe('3 1');
});
