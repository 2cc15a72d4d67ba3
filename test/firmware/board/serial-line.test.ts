import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { LineProgram } from '../runtime/cpp-program.js';
import { digits, octets, startBoardDriver } from './board-driver.js';

const RESET = '03ffff00';
const PING = '0410f3c100';
/** What begins a session: what was written before is closed with a `00`, then a reset. */
const BEGINNING = `00${RESET}`;
const AGAIN_MS = 2_000;
const MAX_CHUNK = 240;
/** Octets of the UART's chunks: 128 of output, a mark, a frame's four. */
const MAX_SENT_CHUNK = 123;

let program: LineProgram;
beforeAll(async () => {
  program = await startBoardDriver();
}, 180_000);
afterAll(async () => expect(await program.stop()).toEqual({ status: 0, complaints: '' }));

const line = (command: string): Promise<string> => program.ask(`line ${command}`);
const written = (): Promise<string> => line('out');
const frame = (chunk: Uint8Array): Promise<string> => program.ask(`frame ${digits(chunk)}`);
/** Octets arrive; what the slot reads then. */
async function give(hex: string): Promise<string> {
  await line(`in ${hex}`);
  await line('loop');
  return line('read');
}

beforeEach(async () => {
  await line('new 0');
  await line('loop');
});

/** The line with a session in which something has come. */
async function begin(): Promise<void> {
  await line('open');
  await line('loop');
  expect(await written()).toBe(BEGINNING);
  expect(await give(PING)).toBe('10');
}

describe('a session', () => {
  test('begins at once, with a reset before it, and again every 2 s while nobody answers', async () => {
    for (const [now, mark] of [
      [0, '00'],
      [AGAIN_MS, ''],
      [2 * AGAIN_MS, ''],
    ] as const) {
      await line(`time ${now}`);
      expect(await line('waiting 0')).toBe('waiting');
      await line('open');
      expect(await line('waiting 0')).toBe('no');
      expect(await line('write 01030080')).toBe('4');
      expect(await written()).toBe(`${mark}${RESET}${await frame(octets('01030080'))}`);
      await line(`time ${now + AGAIN_MS - 1}`);
      expect(await line('read')).toBe('-');
      await line(`time ${now + AGAIN_MS}`);
      expect(await line('read')).toBe('- lost');
      await line('close');
    }
    // Nobody had answered: there is nobody to be told.
    expect(await written()).toBe('-');
  });

  test('begins at once when the other side sends a reset, and is not answered with one', async () => {
    await line('open');
    await line('close');
    await line('time 500');
    await written();
    expect(await line('waiting 0')).toBe('no');
    await line(`in 00${RESET}`);
    await line('loop');
    expect(await line('waiting 0')).toBe('waiting');
    await line('open');
    await line('write 10');
    expect(await written()).toBe(PING);
  });

  test('takes an answer that crossed with the reset of who sent both, at most 2 s old', async () => {
    await line('open');
    await line(`in ${RESET}${PING}`);
    await line('loop');
    expect(await line('read')).toBe('- lost');
    await line('close');
    await line('loop');
    await line('open');
    expect(await line('read')).toBe('10');
    await line('close');
    await line(`in ${RESET}${PING}`);
    await line('loop');
    await line('time 2000');
    await line('open');
    expect(await line('read')).toBe('-');
  });

  test('is not begun while a base is served elsewhere, but when the other side asks', async () => {
    expect(await line('waiting 1')).toBe('no');
    await line(`in ${RESET}`);
    await line('loop');
    expect(await line('waiting 1')).toBe('waiting');
  });

  test('that nobody answered makes way for somebody who is there; one that was answered does not', async () => {
    await line('open');
    await line('give-way');
    expect(await line('read')).toBe('- lost');
    await line('close');
    await line('time 2000');
    await written();
    await line('open');
    expect(await give(PING)).toBe('10');
    await line('give-way');
    expect(await line('read')).toBe('-');
  });

  test('ends with a reset from the other side, and begins anew at once', async () => {
    await begin();
    expect(await give(RESET)).toBe('- lost');
    expect(await line('write 10')).toBe('-1');
    await line('close');
    expect(await line('waiting 1')).toBe('waiting');
    await line('open');
    await line('write 10');
    expect(await written()).toBe(PING);
  });

  test('ends with a reset to the other side when a frame is none', async () => {
    await begin();
    expect(await give(`0411f3c100${PING}`)).toBe('- lost');
    expect(await written()).toBe(RESET);
    await line('close');
    expect(await line('waiting 1')).toBe('no');
    await line('time 2000');
    expect(await line('waiting 0')).toBe('waiting');
  });

  test('what came before the end is still read', async () => {
    await begin();
    await line(`in ${PING}0411f3c100`);
    await line('loop');
    expect(await line('read')).toBe('10 lost');
  });

  test('that the unit closes is over for the other side too', async () => {
    await begin();
    await line('write 10');
    await line('close');
    await line('loop');
    expect(await written()).toBe(`${PING}${RESET}`);
  });

  test('an octet of noise is no trouble before it, and ends it', async () => {
    await line('in 5500');
    await line('loop');
    await line('open');
    expect(await give('5500')).toBe('-');
    expect(await give(PING)).toBe('10');
    expect(await give('5500')).toBe('- lost');
  });

  test('nobody reads what comes while there is none', async () => {
    expect(await give(PING)).toBe('- lost');
    await line('open');
    expect(await give(PING)).toBe('10');
  });
});

describe('a stream of octets', () => {
  const stream = Buffer.from(Array.from({ length: 1_000 }, (_, at) => (at * 7) % 256));

  /** The chunks of what was written, joined; every frame checked. */
  async function unframed(hex: string): Promise<{ octets: Buffer; longest: number }> {
    let all = Buffer.alloc(0);
    let longest = 0;
    for (const each of hex.match(/(?:[0-9a-f]{2})*?00/g) ?? []) {
      if (each === '00') continue;
      const chunk = octets(await program.ask(`unframe ${each.slice(0, -2)}`));
      longest = Math.max(longest, chunk.length);
      all = Buffer.concat([all, chunk]);
    }
    return { octets: all, longest };
  }

  test('is written in frames that fit the output, however little the UART takes', async () => {
    for (const room of [1, 7, 64, 128, 4_096]) {
      await line('new 0');
      await begin();
      let left = stream;
      let all = '';
      while (left.length > 0) {
        await line(`room ${room}`);
        const taken = Number(await line(`write ${digits(left)}`));
        left = left.subarray(taken);
        all += (await written()).replace('-', '');
      }
      await line('room -1');
      await line('loop');
      all += (await written()).replace('-', '');
      expect(await unframed(all)).toEqual({ octets: stream, longest: MAX_SENT_CHUNK });
    }
  });

  test('waits while the UART takes nothing, and goes on', async () => {
    await begin();
    await line('room 0');
    expect(await line(`write ${digits(stream)}`)).toBe(String(MAX_SENT_CHUNK));
    expect(await line(`write ${digits(stream)}`)).toBe('0');
    await line('room -1');
    expect(await line('write 10')).toBe('1');
  });

  test('is read out of frames of any size, whole or in pieces', async () => {
    for (const size of [1, 100, MAX_CHUNK]) {
      for (const most of [1, 50, 4_096]) {
        await line('new 0');
        await begin();
        await line(`most ${most}`);
        let sent = '';
        for (let at = 0; at < stream.length; at += size) sent += await frame(stream.subarray(at, at + size));
        await line(`in ${sent}`);
        let got = '';
        while (got.length < 2 * stream.length) got += (await line('read')).replace('-', '');
        expect(got).toBe(digits(stream));
      }
    }
  });

  test('stays in the UART while nobody reads: no more than one frame is kept', async () => {
    await begin();
    const one = await frame(stream.subarray(0, MAX_CHUNK));
    await line(`in ${one.repeat(3)}`);
    for (let loops = 0; loops < 10; loops += 1) await line('loop');
    expect(Number(await line('left'))).toBe(one.length);
  });
});

describe('text for whoever watches', () => {
  test('is written while there is no session, and the next frame has a 00 before it', async () => {
    expect(await line('text')).toBe('done');
    await line('open');
    await line('loop');
    expect(await written()).toBe(`${Buffer.from('text').toString('hex')}${BEGINNING}`);
    await line('text');
    await line('write 10');
    expect(await written()).toBe(`${Buffer.from('text').toString('hex')}00${PING}`);
  });

  test('is not written in a session, nor into the middle of a frame', async () => {
    await line('room 3');
    await line('open');
    await line('loop');
    expect(await line('text')).toBe('no');
    await line('room -1');
    expect(await line('text')).toBe('done');
    expect(await give(PING)).toBe('10');
    expect(await line('text')).toBe('no');
    await line('close');
    expect(await line('text')).toBe('done');
  });
});

describe('packets beside frames', () => {
  const packet = '494d50524f560103020200';
  const sum = Buffer.from(packet, 'hex').reduce((before, octet) => before + octet, 0) & 255;
  const whole = `${packet}${sum.toString(16).padStart(2, '0')}0a`;

  test('a frame behind a packet, and a packet behind a frame', async () => {
    await line('open');
    await line(`in ${whole}${PING}${whole}`);
    await line('loop');
    expect(await line('packet')).toBe('3 0200');
    expect(await line('read')).toBe('10');
    await line('loop');
    expect(await line('packet')).toBe('3 0200');
  });

  test('what begins like a packet and is none in 1 s is a frame', async () => {
    await line('open');
    const like = await frame(Buffer.from(`4d50524f5601ff70${'21'.repeat(64)}0031`, 'hex'));
    expect(like.startsWith('494d50524f5601ff70')).toBe(true);
    expect(await give(like)).toBe('-');
    await line('time 999');
    expect(await line('read')).toBe('-');
    await line('time 1000');
    expect((await line('read')).length).toBe(2 * 74);
  });

  test('a packet that was cut short does not take the next one with it', async () => {
    await line(`in ${whole.slice(0, 22)}`);
    await line('loop');
    await line(`in ${whole}`);
    await line('time 1000');
    expect(await line('packet')).toBe('3 0200');
  });

  test('are not looked for while the base is served: nothing in a command is one', async () => {
    await begin();
    await line('served');
    const chunk = Buffer.concat([
      Buffer.from('MPROV\x01'),
      octets('030202'),
      Buffer.from('!'.repeat(63)),
      octets('0031'),
    ]);
    const like = await frame(chunk);
    const injected = `${whole.slice(0, -2)}00`;
    expect(await give(like)).toBe(digits(chunk));
    expect(await give(injected)).toBe('- lost');
    expect(await line('packet')).toBe('none');
  });

  test('are answered when no frame is half written, and not while somebody is in a session', async () => {
    await line('room 2');
    await line('open');
    await line('loop');
    expect(await line(`send-packet ${whole}`)).toBe('no');
    await line('room -1');
    expect(await line(`send-packet ${whole}`)).toBe('sent');
    expect(await line(`send-packet ${'00'.repeat(129)}`)).toBe('no');
    await give(PING);
    expect(await line(`send-packet ${whole}`)).toBe('no');
  });
});
