import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { LineProgram } from '../runtime/cpp-program.js';
import { startBoardDriver } from './board-driver.js';

const RECORDS = 480;
/** Octets of an erased sector, of settings, of a boot record and of a head: all that one change writes. */
const REWRITE_OCTETS = 4096 + 200 + 8 + 12;

let program: LineProgram;
beforeAll(async () => {
  program = await startBoardDriver();
}, 180_000);
afterAll(async () => expect(await program.stop()).toEqual({ status: 0, complaints: '' }));
beforeEach(async () => void (await program.ask(`store new ${0xff}`)));

/** `<name of the settings> <last boot> <erasures of one sector>+<of the other>`. */
const state = (): Promise<string> => program.ask('store');
const stored = async (what: string): Promise<void> => expect(await program.ask(`store ${what}`)).toBe('stored');

test.each([0xff, 0x00, 0x5a])(
  'flash full of %i has neither settings nor boot number, and takes both',
  async (octet) => {
    await program.ask(`store new ${octet}`);
    expect(await state()).toBe('- 0 0+0');
    await stored('boot 3');
    expect(await state()).toBe('- 3 1+0');
    await stored('settings lamp');
    expect(await state()).toBe('lamp 3 1+1');
  },
);

test('settings keep the boot number, and boot numbers the settings', async () => {
  await stored('settings lamp');
  await stored('boot 1');
  await stored('boot 2');
  await stored('settings other');
  await stored('boot 3');
  expect(await state()).toBe('other 3 1+1');
});

test('the sectors are erased in turn, each once in 960 boots, and no zero is ever written over', async () => {
  for (let boot = 1; boot <= 4 * RECORDS; boot += 1) await stored(`boot ${boot}`);
  // The first boot began a sector; each holds 480.
  expect(await state()).toBe(`- ${4 * RECORDS} 2+2`);
  await stored(`boot ${4 * RECORDS + 1}`);
  expect(await state()).toBe(`- ${4 * RECORDS + 1} 3+2`);
});

test('a number that the base tells may be any, also a lower one', async () => {
  await stored('settings lamp');
  await stored('boot 90');
  await stored('boot 5000');
  expect(await state()).toBe('lamp 5000 1+0');
  await stored('boot 12');
  expect(await state()).toBe('lamp 12 1+1');
  await stored(`boot ${2 ** 32 - 1}`);
  expect(await state()).toBe(`lamp ${2 ** 32 - 1} 1+1`);
});

test('a bit that turned by itself in the newest sector: the one before counts', async () => {
  await stored('settings old');
  await stored('boot 7');
  await stored('settings new');
  await program.ask('store flip 1 40');
  expect(await state()).toBe('old 7 1+1');
});

test('flash that no longer takes what is written is told', async () => {
  await stored('settings lamp');
  await stored('boot 4');
  await program.ask('store worn-out');
  expect(await program.ask('store boot 5')).toBe('failed');
  expect(await program.ask('store settings other')).toBe('failed');
  expect(await state()).toMatch(/^lamp 4 /);
});

describe('power lost at any octet leaves the old state or the new one', () => {
  /** Runs `change` with power for 0, 1, 2 … octets; the sequence of what is there afterwards, repetitions left out. */
  async function states(change: string, octets: number): Promise<string[]> {
    await program.ask('store keep');
    const seen: string[] = [];
    for (let power = 0; power <= octets; power += 1) {
      const [after, , how] = splitState(await program.ask(`store cut ${power} ${change}`));
      if (seen.at(-1) !== `${after} ${how}`) seen.push(`${after} ${how}`);
    }
    return seen;
  }
  const splitState = (text: string): [string, string, string] => {
    const [name, boot, how] = text.split(' ');
    return [`${name} ${boot}`, boot!, how!];
  };

  test.each(['forwards', 'backwards'])('new settings over old ones, erased %s', async (direction) => {
    await stored('settings first');
    await stored('settings old');
    await stored('boot 6');
    if (direction === 'backwards') await program.ask('store backwards');
    const seen = await states('settings new', REWRITE_OCTETS);
    // With its last octets being as the erased ones the new state may be there before it is known to be.
    expect(seen.filter((each) => each !== 'new 6 cut')).toEqual(['old 6 cut', 'new 6 done']);
  });

  test('the first settings', async () => {
    const seen = await states('settings new', REWRITE_OCTETS - 8);
    expect(seen.filter((each) => each !== 'new 0 cut')).toEqual(['- 0 cut', 'new 0 done']);
  });

  test('a boot number', async () => {
    await stored('settings lamp');
    await stored('boot 258');
    const seen = await states('boot 259', 8);
    expect(seen.filter((each) => each !== 'lamp 259 cut')).toEqual(['lamp 258 cut', 'lamp 259 done']);
  });

  test('a boot number for which there is no room in this sector', async () => {
    await stored('settings lamp');
    for (let boot = 1; boot <= RECORDS; boot += 1) await stored(`boot ${boot}`);
    const seen = await states(`boot ${RECORDS + 1}`, REWRITE_OCTETS);
    expect(seen.filter((each) => each !== `lamp ${RECORDS + 1} cut`)).toEqual([
      `lamp ${RECORDS} cut`,
      `lamp ${RECORDS + 1} done`,
    ]);
  });

  test('and the next change is done all the same', async () => {
    await stored('settings lamp');
    await stored('boot 8');
    await program.ask('store keep');
    for (let power = 0; power <= 8; power += 1) {
      await program.ask(`store cut ${power} boot 9`);
      await stored('boot 10');
      expect(await state()).toMatch(/^lamp 10 /);
      await stored('settings other');
      expect(await state()).toMatch(/^other 10 /);
    }
    expect(await state()).not.toContain('wrote over zeros');
  });
});
