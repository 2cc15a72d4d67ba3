import { cpus } from 'node:os';
import { printTable } from '../cli/terminal.js';
import { commandLatency } from './command-latency.js';
import { durableReports } from './durable-reports.js';
import { outboxDrain } from './outbox-drain.js';

/** Of SQLite's own. */
const LEAST_SHARE = 0.7;
const MOST_DRAIN_S = 120;

process.stdout.write(
  `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, everything on loopback\n\n`,
);
const met = (isMet: boolean): string => {
  if (!isMet) process.exitCode = 1;
  return isMet ? 'yes' : 'NO';
};

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

process.stdout.write('\n');
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

process.stdout.write('\n');
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
// pusher-js may hold its socket for a while after it was told to let go.
process.exit();
