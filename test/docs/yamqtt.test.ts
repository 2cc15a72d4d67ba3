import { execFileSync } from 'node:child_process';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { loadDefinitions } from '../../base/config/definitions.js';
import { MAX_TEXT_OCTETS } from '../../base/dialects/yamqtt/flow-payload.js';
import { defaultYamqttLimits } from '../../base/dialects/yamqtt/yamqtt-limits.js';
import { systemClock, systemRandom } from '../../base/system.js';
import { DEFAULT_PORT, MAX_FLOW, RECORD_OCTETS } from '../../protocol/yamqtt/records.js';
import { simulate } from '../../simulator/simulate.js';
import type { SimulationEvent } from '../../simulator/simulation-event.js';
import { eventually } from '../end-to-end/support/house.js';
import { startYamqtt } from '../end-to-end/support/yamqtt-server.js';
import { blocks, codeIn, proseOf, root, tableRows } from './support/documents.js';
import { ExampleProgram } from './support/example-program.js';

// The example imports what a user imports: the compiled package.
beforeAll(() => void execFileSync(process.execPath, ['scripts/prepare.mjs', 'build'], { cwd: root, stdio: 'pipe' }));

const [configuration] = blocks('json', ['docs/yamqtt.md']).map(({ text }) => JSON.parse(text));

test("the page's configuration: a program hears the thermometer, and the lamp shows what it makes of it", async () => {
  const applied: SimulationEvent[] = [];
  const { known } = configuration.units;
  const units: Record<string, object> = {};
  for (const [uid, { definition: name }] of Object.entries<{ definition: string }>(known)) {
    const { definition } = (await loadDefinitions()).get(name)!;
    const hear = (event: SimulationEvent): void => void (event.kind === 'applied' && applied.push(event));
    const simulation = await simulate({ definition, uid, clock: systemClock, random: systemRandom, hear });
    onTestFinished(() => simulation.stop());
    Object.assign(units, simulation.known());
  }
  expect(Object.keys(units)).toEqual(Object.keys(known));
  const server = await startYamqtt(configuration.yamqtt.flows, { units: { known: units } });
  const client = await server.client();
  client.subscribe(42);
  const reading = client.messages().next();
  const program = new ExampleProgram('yamqtt-lamp.mjs', ['43', '44'], { PORT: String(server.port) });
  const [, color] = await program.shows(/^-?[\d.]+ °C: (#[0-9a-f]{2}00[0-9a-f]{2})$/m);
  await eventually('the colour', () => applied.length > 0);
  expect(applied[0]).toMatchObject({ unit: 'kitchen-lamp', command: 'setColor', fields: { color } });

  const { value } = await reading;
  expect(JSON.parse(value.text)).toEqual({ temperature: expect.any(Number), humidity: expect.any(Number) });
});

test('the table has every limit with its default', () => {
  const documented = tableRows('docs/yamqtt.md', 'Slow clients').flatMap(([name, value]) => {
    const limit = codeIn(name);
    return limit === undefined || limit.includes('.') ? [] : [[limit, Number(value)]];
  });
  expect(Object.fromEntries(documented)).toEqual(defaultYamqttLimits);
});

test.each([
  `from 1 to ${String(MAX_FLOW).replace(/(\d{3})$/, ' $1')}`,
  `up to ${String(RECORD_OCTETS).replace(/(\d{3})$/, ' $1')} octets`,
  `port ${DEFAULT_PORT} is its default`,
  `| ${String(defaultYamqttLimits.clients).replace(/(\d{3})$/, ' $1')} |`,
])('the page says "%s", as the source does', (words) => {
  expect(proseOf('docs/yamqtt.md')).toContain(words);
  expect(MAX_TEXT_OCTETS).toBe(RECORD_OCTETS - 1);
});
