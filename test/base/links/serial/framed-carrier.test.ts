import { expect, test } from 'vitest';
import type { Carrier } from '../../../../base/links/carrier.js';
import { concat, fromHex, toHex } from '../../../../protocol/octets.js';
import { encodeFrame, encodeFrames, RESET_FRAME } from '../../../../protocol/serial/frame.js';
import { dialled, FarEnd, SerialLine, until } from './serial-line.js';

const RESET = toHex(RESET_FRAME);
const hello = fromHex('01030000');

async function opened(): Promise<{ line: SerialLine; unit: FarEnd; carrier: Carrier; told: string[] }> {
  const line = await SerialLine.plugged();
  const unit = await FarEnd.at(line);
  const { carrier, told } = await dialled(line);
  expect(toHex(await unit.until((heard) => toHex(heard).endsWith(RESET)))).toBe(`00${RESET}`);
  return { line, unit, carrier, told };
}

test('opening tells the unit to begin anew; boot messages, log lines and resets before its first words are noise', async () => {
  const { unit, carrier, told } = await opened();
  expect(carrier).toMatchObject({ kind: 'serial', buffered: 0 });
  await unit.write(concat(fromHex('00ff8c9e0c1c006e00'), new TextEncoder().encode('I (12) Wi-Fi is up\r\n')));
  // What the unit had said to a base that is gone: a ping with its tag.
  const old = encodeFrame(fromHex('10531bcc8b2b9c6e27'));
  await unit.write(concat(new Uint8Array(400).fill(0x55), Uint8Array.of(0), old, RESET_FRAME, encodeFrame(hello)));
  await until(() => told.length > 0);
  expect(told).toEqual([toHex(hello)]);
});

test('what the unit says again because it had no answer comes once, and only until it says something else', async () => {
  const { unit, told } = await opened();
  await unit.write(concat(...[hello, hello].map(encodeFrame), RESET_FRAME));
  await unit.write(concat(...[hello, fromHex('aa'), hello].map(encodeFrame)));
  await until(() => told.length === 3);
  expect(told).toEqual([toHex(hello), 'aa', toHex(hello)]);
});

test('a stream goes both ways in frames of at most 240 octets', async () => {
  const { unit, carrier, told } = await opened();
  const stream = Uint8Array.from({ length: 1_000 }, (_, at) => at & 0xff);
  await unit.write(concat(encodeFrame(hello), encodeFrames(stream)));
  await until(() => told.join('').length >= 2 * (hello.length + stream.length));
  expect(told.join('')).toBe(toHex(concat(hello, stream)));
  carrier.writeAll([stream.subarray(0, 5), stream.subarray(5)]);
  const sent = concat(encodeFrame(stream.subarray(0, 5)), encodeFrames(stream.subarray(5)));
  expect(toHex(await unit.until((heard) => heard.length >= sent.length))).toBe(toHex(sent));
});

test('in a session a wrong checksum, or octets that are no frame, end it: the unit is told, and nothing more is taken', async () => {
  for (const noise of ['0411f3c100', '4142430d0a00', '11'.repeat(244)]) {
    const { unit, carrier, told } = await opened();
    await unit.write(concat(encodeFrame(hello), fromHex(noise), encodeFrame(fromHex('aa'))));
    await until(() => told.length === 2);
    expect(told).toEqual([toHex(hello), expect.stringMatching(/^closed: .* on the serial line/)]);
    expect(toHex(await unit.until((heard) => toHex(heard).includes(RESET)))).toBe(RESET);
    expect(carrier.write(fromHex('aa'))).toBe(false);
  }
});

test('a reset by the unit ends the session', async () => {
  const { unit, told } = await opened();
  await unit.write(concat(encodeFrame(hello), encodeFrame(fromHex('aa')), RESET_FRAME, encodeFrame(hello)));
  await until(() => told.length === 3);
  expect(told).toEqual([toHex(hello), 'aa', 'closed: the unit began anew']);
});

test('the end writes what is left, then a reset, and is told once; the port can be opened again at once', async () => {
  const { line, unit, carrier, told } = await opened();
  carrier.write(fromHex('aabb'));
  carrier.end();
  carrier.end();
  await until(() => told.length > 0);
  expect(toHex(await unit.until((heard) => toHex(heard).endsWith(RESET)))).toBe(
    toHex(encodeFrame(fromHex('aabb'))) + RESET,
  );
  carrier.destroy();
  const again = await dialled(line);
  expect(toHex(await unit.until((heard) => toHex(heard).endsWith(RESET)))).toBe(`00${RESET}`);
  again.carrier.destroy();
  again.carrier.destroy();
  await until(() => again.told.length > 0);
  expect([told, again.told]).toEqual([['closed'], ['closed']]);
});

test('paused it takes nothing; resumed it goes on where it was', async () => {
  const { unit, carrier, told } = await opened();
  await unit.write(encodeFrame(hello));
  await until(() => told.length === 1);
  carrier.pause();
  // One read was under way already.
  await unit.write(encodeFrame(fromHex('aa')));
  await until(() => told.length === 2);
  await unit.write(encodeFrame(fromHex('bb')));
  carrier.write(fromHex('cc'));
  await unit.until((heard) => heard.length > 0);
  expect(told).toEqual([toHex(hello), 'aa']);
  carrier.resume();
  await until(() => told.length === 3);
  expect(told.at(-1)).toBe('bb');
});

test('a line that takes nothing is told by what waits; there is room again when it takes it', async () => {
  const line = await SerialLine.plugged();
  const { carrier, told } = await dialled(line);
  const piece = new Uint8Array(16 * 1_024).fill(1);
  // The pseudo-terminals and socat between them hold some of it.
  await until(() => !carrier.write(piece) && carrier.buffered >= 4 * piece.length);
  told.length = 0;
  expect(carrier.write(piece)).toBe(false);
  await FarEnd.at(line);
  await until(() => told.length > 0);
  expect(told).toEqual(['drained']);
  expect(carrier.buffered).toBe(0);
  expect(carrier.write(fromHex('aa'))).toBe(true);
});

test('an unplugged board ends it with the reason, once', async () => {
  const { line, unit, told } = await opened();
  await unit.write(encodeFrame(hello));
  await until(() => told.length === 1);
  await line.unplug();
  await until(() => told.length === 2);
  expect(told).toEqual([toHex(hello), expect.stringMatching(/^closed: the serial port is gone: ./)]);
});
