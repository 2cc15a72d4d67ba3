import { cpus } from 'node:os';
import { Argument, Command } from 'commander';
import { print, printTable } from '../cli/terminal.js';
import { met } from './bar.js';
import { commandLatency } from './command-latency.js';
import { connectorTables } from './connector/tables.js';
import { durableReports } from './durable-reports.js';
import { elfinTables } from './elfin/tables.js';
import { iotsocketTables } from './iotsocket/tables.js';
import type { Broker } from './load/brokers.js';
import { prepareLoad } from './load/conditions.js';
import { outboxDrain } from './outbox-drain.js';
import { yamqttTables } from './yamqtt/tables.js';

/** Of SQLite's own. */
const LEAST_SHARE = 0.7;
const MOST_DRAIN_S = 120;

async function commandsTable(): Promise<void> {
  const latencies = await commandLatency();
  printTable(
    ['FROM EVENT TO APPLIED', 'SAMPLES', 'P50 ms', 'P99 ms', 'MAX ms', 'BAR (P50)', 'MET'],
    latencies.map(({ what, barMs, ms }) => [
      what,
      String(ms.count),
      ms.p50.toFixed(1),
      ms.p99.toFixed(1),
      ms.max.toFixed(1),
      barMs === undefined ? '' : `${barMs} ms`,
      barMs === undefined ? '' : met(ms.p50 < barMs),
    ]),
  );
}

async function reportsTable(): Promise<void> {
  const durable = await durableReports();
  const [ceiling, ours] = durable;
  printTable(
    ['DURABLE REPORTS', 'A SECOND', 'P50 ms', 'P99 ms', 'BAR', 'MET'],
    durable.map((row) => [
      row.what,
      row.perSecond.toFixed(0),
      row.ms?.p50.toFixed(1) ?? '',
      row.ms?.p99.toFixed(1) ?? '',
      row === ours ? `${LEAST_SHARE * 100} % of SQLite alone` : '',
      row === ours
        ? `${met(row.perSecond >= LEAST_SHARE * ceiling!.perSecond)}, ${((row.perSecond / ceiling!.perSecond) * 100).toFixed(0)} %`
        : '',
    ]),
  );
}

async function outboxTable(): Promise<void> {
  const { deliveries, tookS } = await outboxDrain();
  printTable(
    ['OUTBOX', 'SECONDS', 'BAR', 'MET'],
    [
      [
        `${deliveries} waiting deliveries, a fast receiver`,
        tookS.toFixed(1),
        `${MOST_DRAIN_S} s`,
        met(tookS < MOST_DRAIN_S),
      ],
    ],
  );
}

const tables = {
  commands: commandsTable,
  reports: reportsTable,
  outbox: outboxTable,
  ...iotsocketTables,
  ...connectorTables,
  ...yamqttTables,
  ...elfinTables,
};
const names = Object.keys(tables) as (keyof typeof tables)[];
const iotsocket = Object.keys(iotsocketTables) as (keyof typeof iotsocketTables)[];

/** What these are measured beside; `undefined`: none of them is put under load from outside. */
function brokersFor(parts: readonly (keyof typeof tables)[]): readonly Broker[] | undefined {
  if (parts.some((name) => name in iotsocketTables)) return ['mosquitto', 'nats-server'];
  if (parts.some((name) => name in yamqttTables || name in elfinTables)) return ['mosquitto'];
  return parts.some((name) => name in connectorTables) ? [] : undefined;
}

const { args } = new Command('npm run bench --')
  .description('Measures the base on this machine, and prints tables.')
  .addArgument(
    new Argument('[parts...]', 'only these; iotsocket: all of the concentrator').choices(['iotsocket', ...names]),
  )
  .parse();
const chosen = names.filter(
  (name) =>
    args.length === 0 ||
    args.includes(name) ||
    (args.includes('iotsocket') && iotsocket.some((other) => other === name)),
);

print(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, everything on loopback\n`);
const brokers = brokersFor(chosen);
if (brokers !== undefined) await prepareLoad(brokers);
for (const name of chosen) {
  await tables[name]();
  print('');
}
// pusher-js may hold its socket for a while after it was told to let go.
process.exit();
