import { expect, test } from 'vitest';
import { RawCarrier } from '../../../../base/links/serial/raw-carrier.js';
import { fromHex, toHex } from '../../../../protocol/octets.js';
import { ScriptedPort } from './scripted-port.js';
import { dialled, FarEnd, SerialLine, until } from './serial-line.js';

async function opened() {
  const line = await SerialLine.plugged();
  const unit = await FarEnd.at(line);
  const { carrier, told } = await dialled(line, true);
  const text = (): string =>
    told
      .filter((one) => /^[0-9a-f]+$/.test(one))
      .map((hex) => Buffer.from(fromHex(hex)).toString('latin1'))
      .join('');
  return { line, unit, carrier, told, text };
}

test.each(['\n', '\r', '\r\n'])(
  'the line that was begun when the port opened is not passed on (its end is %j)',
  async (end) => {
    const { unit, text } = await opened();
    await unit.write(`1.5${end}`);
    await unit.write(`21.5${end}22`);
    await until(() => text().endsWith('22'));
    expect(text()).toBe(`21.5${end}22`);
  },
);

test('a CR whose LF comes later is one end', async () => {
  const { unit, text, told } = await opened();
  await unit.write('1.5\r');
  await until(() => told.length > 0);
  await unit.write('\n21.5\n');
  await until(() => text().endsWith('21.5\n'));
  expect(text()).toBe('21.5\n');
});

test('what comes while it is paused is lost, and so is the line it was paused in and that it is resumed in', async () => {
  const port = new ScriptedPort();
  const carrier = new RawCarrier({ port, remote: 'scripted', closed: () => {} });
  let text = '';
  carrier.attach({
    octets: (octets) => {
      text += Buffer.from(octets).toString('latin1');
    },
    drained: () => {},
    ended: () => {},
    closed: () => {},
  });
  await port.says('\n20\n2');
  expect(text).toBe('20\n2');
  carrier.pause();
  await port.says('1\n22\n2');
  carrier.resume();
  carrier.resume();
  await port.says('3\n24\n');
  // An octet that no value has: "2" alone would be another reading.
  expect(text).toBe('20\n2\u00ff\n24\n');
  carrier.destroy();
});

test('what is written goes as it is, and is said to be on the line', async () => {
  const { unit, carrier, told } = await opened();
  expect(carrier.write(new TextEncoder().encode('#102030\n'))).toBe(false);
  await until(() => told.length > 0);
  expect(told).toEqual(['drained']);
  expect(toHex(await unit.until((heard) => heard.length >= 8))).toBe(toHex(new TextEncoder().encode('#102030\n')));
  carrier.end();
  await until(() => told.length === 2);
  expect(told).toEqual(['drained', 'closed']);
  expect(unit.take()).toHaveLength(0);
});
