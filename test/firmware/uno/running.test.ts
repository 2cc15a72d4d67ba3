import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { avrProgram, root } from './avr-build.js';
import { STACK_OCTETS } from './chip.js';
import { documentedFigures, TOLERANCE } from './documented.js';
import { SimulatedUno } from './simulated-uno.js';

let uno: SimulatedUno;
let running: string;
const start = async (unit: string): Promise<SimulatedUno> => {
  running = unit;
  const home = join(root, 'firmware', unit);
  uno = await SimulatedUno.start(await avrProgram(unit, [join(home, 'src', 'main.cpp')], [join(home, 'include')]));
  return uno;
};
afterEach(async () => {
  // Whatever happened in a test, the stack had room enough.
  const documented = documentedFigures(running).stack;
  expect(documented).toBeLessThan(STACK_OCTETS);
  expect(await uno.stackOctets()).toBeLessThanOrEqual(documented * TOLERANCE);
  await uno.stop();
});

describe('the light sensor on an Uno', () => {
  test('writes what the analogue input has over the serial line, once a second', async () => {
    const sensor = await start('light-sensor');
    await sensor.light(2_500);
    expect(await sensor.run(5)).toBe('511\n');
    expect(await sensor.run(2_900)).toBe('511\n511\n');
    await sensor.light(5_000);
    expect(await sensor.run(1_000)).toBe('1023\n');
    await sensor.light(0);
    expect(await sensor.run(1_000)).toBe('0\n');
  }, 60_000);

  test('what it is sent means nothing', async () => {
    const sensor = await start('light-sensor');
    await sensor.light(5_000);
    await sensor.run(5);
    expect(await sensor.hear('red\r\n'.repeat(40), 1_000)).toBe('1023\n');
  }, 60_000);
});

describe('the lamp on an Uno', () => {
  test.each([
    ['red\r', '255 0 0'],
    ['#0a6480\n', '10 100 128'],
    [' LightGoldenrodYellow \r\n', '250 250 210'],
    ['blue\rgreen\n\r#010203\r\n', '1 2 3'],
    [`red${' '.repeat(61)}\n`, '255 0 0'],
  ])(
    '%j is a colour at the pins 9, 10 and 11, and is not answered',
    async (line, colour) => {
      const lamp = await start('led-lamp-line');
      expect(await lamp.run(1)).toBe('');
      expect(await lamp.pwm()).toBe(' 0 0 0');
      expect(await lamp.hear(line, 20)).toBe('');
      expect(await lamp.pwm()).toBe(` ${colour}`);
    },
    60_000,
  );

  test('what is no colour changes nothing, and the line stays silent', async () => {
    const lamp = await start('led-lamp-line');
    await lamp.run(1);
    await lamp.hear('#010203\r', 5);
    for (const line of ['reddish\r', '#12345\n', '\r\n', `red${' '.repeat(62)}\n`, 'x'.repeat(500), '\xff\0\r']) {
      expect(await lamp.hear(line, 60)).toBe('');
      expect(await lamp.pwm()).toBe(' 1 2 3');
    }
    await lamp.hear('#040506\r', 5);
    expect(await lamp.pwm()).toBe(' 4 5 6');
  }, 60_000);

  test('it keeps up with commands as fast as the line brings them', async () => {
    const lamp = await start('led-lamp-line');
    await lamp.run(1);
    await lamp.hear(Array.from({ length: 100 }, (_, index) => `#0000${(index + 100).toString(16)}\r`).join(''), 90);
    expect(await lamp.pwm()).toBe(' 0 0 199');
  }, 60_000);
});
