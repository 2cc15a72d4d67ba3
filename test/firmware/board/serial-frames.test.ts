import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LineProgram } from '../runtime/cpp-program.js';
import { startBoardDriver } from './board-driver.js';

interface FrameVector {
  readonly name: string;
  /** With the `00` at its end. */
  readonly hex: string;
  readonly value?: { readonly chunk: string };
  readonly ignored?: true;
  readonly error?: string;
}
interface PacketVector {
  readonly name: string;
  readonly hex: string;
  readonly value?: { readonly type: number; readonly data: string };
  readonly error?: string;
}
const vectors = JSON.parse(readFileSync('test/vectors/serial-frames.json', 'utf8')) as {
  readonly crc: readonly { readonly text: string; readonly crc: string }[];
  readonly frames: readonly FrameVector[];
  readonly improv: readonly PacketVector[];
};

let program: LineProgram;
beforeAll(async () => {
  program = await startBoardDriver();
}, 180_000);
afterAll(async () => expect(await program.stop()).toEqual({ status: 0, complaints: '' }));

const orNothing = (hex: string): string => (hex === '' ? '-' : hex);

test.each(vectors.crc)('the CRC of "$text" is $crc', async ({ text, crc }) => {
  expect(await program.ask(`crc16 ${orNothing(Buffer.from(text).toString('hex'))}`)).toBe(crc);
});

test('the CRC-32 of 123456789 is cbf43926', async () => {
  expect(await program.ask(`crc32 ${Buffer.from('123456789').toString('hex')}`)).toBe('cbf43926');
});

describe('frames', () => {
  const right = vectors.frames.filter((vector) => vector.value !== undefined);
  const wrong = vectors.frames.filter((vector) => vector.error !== undefined);

  test.each(right)('$name: made, and read', async ({ hex, value }) => {
    expect(await program.ask(`frame ${orNothing(value!.chunk)}`)).toBe(hex);
    expect(await program.ask(`unframe ${orNothing(hex.slice(0, -2))}`)).toBe(orNothing(value!.chunk));
  });

  test.each(right)('$name: through a line, whole and octet by octet', async ({ hex, value }) => {
    for (const most of [4096, 1]) {
      await beginSession();
      await program.ask(`line most ${most}`);
      await program.ask(`line in ${hex}`);
      let got = '';
      // An octet at a time takes as many loops.
      for (let loops = 0; loops < hex.length && got === ''; loops += 1) {
        got = (await program.ask('line read')).replace(/^-$/, '');
      }
      expect(got).toBe(value!.chunk === '' ? '- lost' : value!.chunk);
    }
  });

  test.each(wrong)('$name: none, and the end of a session', async ({ hex }) => {
    expect(await program.ask(`unframe ${orNothing(hex.slice(0, -2))}`)).toBe('none');
    await beginSession();
    await program.ask(`line in ${hex}`);
    expect(await program.ask('line read')).toBe('- lost');
  });

  test.each(vectors.frames.filter((vector) => vector.ignored))('$name', async ({ hex }) => {
    await beginSession();
    await program.ask(`line in ${hex}${hex}`);
    expect(await program.ask('line read')).toBe('-');
  });

  // A CRC that ends in a zero is also that of the chunk before its last octet: there the session's tag must tell.
  const cuttable = right.filter(({ hex, value }) => value!.chunk.length > 2 && !hex.endsWith('0100'));
  test.each(cuttable)('$name: cut at any octet it is none', async ({ hex }) => {
    for (let cut = 2; cut < hex.length - 2; cut += 2) {
      expect(await program.ask(`unframe ${hex.slice(0, cut)}`)).toBe('none');
    }
  });
});

describe('packets', () => {
  test.each(vectors.improv.filter((vector) => vector.value !== undefined))(
    '$name: found, also behind noise and an octet at a time',
    async ({ hex, value }) => {
      for (const before of ['', '00', '494d50', '0a0d41', '494d50524f5601', '41'.repeat(200), '41'.repeat(700)]) {
        for (const most of [4096, 1]) {
          await program.ask('line new 0');
          await program.ask(`line most ${most}`);
          await program.ask(`line in ${before}${hex}`);
          let got = 'none';
          // What only began like a packet is waited for 1 s.
          for (let ms = 0; ms < 3_000 && got === 'none'; ms += 4) {
            await program.ask(`line time ${ms}`);
            got = await program.ask('line packet');
          }
          expect(got).toBe(`${value!.type} ${orNothing(value!.data)}`);
        }
      }
    },
  );

  test.each(vectors.improv.filter((vector) => vector.error !== undefined))('$name: none', async ({ hex }) => {
    await program.ask('line new 0');
    await program.ask(`line in ${hex}`);
    await program.ask('line loop');
    expect(await program.ask('line packet')).toBe('none');
  });
});

/** A line whose other side has just begun to answer. */
async function beginSession(): Promise<void> {
  await program.ask('line new 0');
  await program.ask('line loop');
  await program.ask('line open');
  await program.ask('line in 0410f3c100');
  expect(await program.ask('line read')).toBe('10');
}
