import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { loadDefinitions } from '../../base/config/definitions.js';
import { systemClock, systemRandom } from '../../base/system.js';
import { simulate } from '../../simulator/simulate.js';
import type { SimulationEvent } from '../../simulator/simulation-event.js';
import { eventually } from './support/house.js';
import { buildCClient, CClient } from './support/yamqtt-c-client.js';
import { startYamqtt } from './support/yamqtt-server.js';

let program: string;
beforeAll(async () => {
  program = await buildCClient();
});

test('a publisher in C reaches subscribers in C line by line, and ends with an empty message', async () => {
  const server = await startYamqtt();
  const first = new CClient(program, [String(server.port), 'sub', '42']);
  const second = new CClient(program, [String(server.port), 'sub', '42']);
  const other = new CClient(program, [String(server.port), 'sub', '65535']);
  await server.subscribed(3);

  // Few: a client that reads each record with one call is out of step when messages come faster than it reads.
  const lines = ['one', '', 'with blanks and ümläuts', 'x'.repeat(1_022), 'last'];
  const publisher = new CClient(program, [String(server.port), 'pub', '42']);
  publisher.type(...lines);
  publisher.endInput();
  expect(await publisher.ended).toBe(0);
  for (const subscriber of [first, second]) expect(await subscriber.printed(lines.length + 1)).toEqual([...lines, '']);

  const last = new CClient(program, [String(server.port), 'pub', '65535']);
  last.endInput();
  expect(await last.ended).toBe(0);
  // What was published on the other flow came before, and is not for this one.
  expect(await other.printed(1)).toEqual(['']);
  await eventually('the publishers gone', () => server.count('clients') === 3);
  expect(server.count('refusals')).toBe(0);
});

test('a client in C that is typed into subscribes, publishes, is refused, and unsubscribes', async () => {
  const server = await startYamqtt();
  const talker = new CClient(program, [String(server.port), 'talk']);
  talker.type('subscribe with more than a letter', '7', '.');
  await server.subscribed(1);
  talker.type('p', '7', 'hello');
  expect(await talker.printed(1)).toEqual(['[7] hello']);
  // Each of them is refused; the client does not show it, and goes on.
  talker.type('z', '7', 'what?', 's', 'seven', '.', 'p', '0', 'nobody', 'p', '70000', 'nobody', 'm', '7', 'not mine');
  talker.type('p', '7', 'again');
  expect(await talker.printed(2)).toEqual(['[7] hello', '[7] again']);
  expect(server.count('refusals')).toBe(5);
  // Behind `d` nothing is taken any more.
  talker.type('u', '7', '.', 'p', '7', 'unheard', 'd', '0', '.', 's', '7', '.', 'p', '7', 'unsent');
  talker.endInput();
  expect(await talker.ended).toBe(0);
  await eventually('its end', () => server.count('clients') === 0);
  expect(talker.lines).toHaveLength(2);
  expect([server.count('subscriptions'), server.count('publications')]).toEqual([0, 3]);
});

async function simulated(name: string, hear: (event: SimulationEvent) => void = () => {}) {
  const { definition } = (await loadDefinitions()).get(name)!;
  const simulation = await simulate({ definition, uid: name, clock: systemClock, random: systemRandom, hear });
  onTestFinished(() => simulation.stop());
  return simulation;
}

test('a client watches a thermometer and sets a lamp', async () => {
  const applied: SimulationEvent[] = [];
  const thermometer = await simulated('thermometer');
  const lamp = await simulated('led-lamp', (event) => void (event.kind === 'applied' && applied.push(event)));
  const server = await startYamqtt(
    {
      42: { report: 'thermometer.reading' },
      43: { report: 'thermometer.reading.temperature' },
      44: { command: 'led-lamp.setColor' },
      45: { command: 'led-lamp.fade' },
    },
    { units: { known: { ...thermometer.known(), ...lamp.known() } } },
  );
  const watcher = new CClient(program, [String(server.port), 'sub', '42']);
  const number = new CClient(program, [String(server.port), 'sub', '43']);
  const [reading] = await watcher.printed(1);
  expect(JSON.parse(reading!)).toEqual({ temperature: expect.any(Number), humidity: expect.any(Number) });
  expect((await number.printed(1))[0]).toMatch(/^-?\d+(\.\d+)?$/);

  // The empty message that it ends with is no command.
  const echo = new CClient(program, [String(server.port), 'sub', '44']);
  await server.subscribed(3);
  const setter = new CClient(program, [String(server.port), 'pub', '44']);
  setter.type('#ff8800');
  setter.endInput();
  expect(await echo.printed(2)).toEqual(['#ff8800', '']);
  await eventually('the colour', () => applied.length === 1);
  expect(applied).toMatchObject([{ command: 'setColor', fields: { color: '#ff8800' } }]);

  const ours = await server.client();
  const errors: string[] = [];
  ours.onEvent((event) => void (event.kind === 'error' && errors.push(event.text)));
  await ours.publish(45, '{"color":"#0000ff","durationMs":5}');
  await eventually('the fade', () => applied.length === 2);
  expect(applied[1]).toMatchObject({ command: 'fade', fields: { color: '#0000ff', durationMs: 5 } });
  await ours.publish(44, 'blue');
  await ours.publish(45, 'blue');
  await ours.publish(45, '{"colour":"#0000ff"}');
  await eventually('three refusals', () => errors.length === 3);
  expect(errors).toEqual([
    '44: refused: color must be a colour as "#rrggbb"',
    '45: refused: fade has several fields; publish {"color":"#000000","durationMs":1000}',
    '45: refused: colour is no field of this message; its fields are: color, durationMs',
  ]);
  expect(applied).toHaveLength(2);
  await lamp.stop();
  await ours.publish(44, '#000000');
  await eventually('the lamp is told to be away', () => errors.length === 4);
  expect(errors[3]).toMatch(/^44: unreachable: /);
});
