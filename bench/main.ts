import { cpus } from 'node:os';
import { printTable } from '../cli/terminal.js';
import { commandLatency } from './command-latency.js';

process.stdout.write(
  `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, everything on loopback\n\n`,
);
const rows = await commandLatency();
printTable(
  ['FROM EVENT TO APPLIED', 'SAMPLES', 'P50 ms', 'P99 ms', 'MAX ms', 'BAR (P50)', 'MET'],
  rows.map(({ what, barMs, ms }) => [
    what,
    String(ms.count),
    ms.p50.toFixed(1),
    ms.p99.toFixed(1),
    ms.max.toFixed(1),
    barMs === undefined ? '' : `${barMs} ms`,
    barMs === undefined ? '' : ms.p50 < barMs ? 'yes' : 'NO',
  ]),
);
// pusher-js may hold its socket for a while after it was told to let go.
process.exit(rows.every(({ barMs, ms }) => barMs === undefined || ms.p50 < barMs) ? 0 : 1);
