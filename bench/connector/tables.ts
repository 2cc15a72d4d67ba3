import { printTable } from '../../cli/terminal.js';
import { printBars } from '../bar.js';
import { ranged } from '../load/rounds.js';
import { DEVICES, devices } from './devices.js';

/** What ours may take of a bare server's, both measured in the same run (docs/performance.md). */
const MEMORY_OF_BARE = 1.5;
const RATE_OF_BARE = 0.5;

async function devicesTable(): Promise<void> {
  const rows = await devices();
  printTable(
    [
      `${DEVICES} WEBSOCKET DEVICES`,
      'OCTETS FOR ONE, AT FIRST',
      'HELD',
      'CPU ms A SECOND',
      'ALL IN AFTER ms',
      'CPU ms',
    ],
    rows.map(({ peer, octetsAtFirst, octetsHeld, cpuMsPerS, openedMs, openedCpuMs }) => [
      peer,
      octetsAtFirst.toFixed(0),
      octetsHeld.toFixed(0),
      cpuMsPerS.toFixed(2),
      ranged(openedMs),
      ranged(openedCpuMs),
    ]),
  );
  const [ours, bare] = rows as [(typeof rows)[number], (typeof rows)[number]];
  printBars([
    {
      what: "memory for an idle device at first, of a bare ws server's",
      measured: ours.octetsAtFirst / bare.octetsAtFirst,
      most: MEMORY_OF_BARE,
    },
    {
      what: "memory for an idle device held, of a bare ws server's",
      measured: ours.octetsHeld / bare.octetsHeld,
      most: MEMORY_OF_BARE,
    },
    {
      what: "devices accepted a second, of a bare ws server's",
      measured: bare.openedMs.median / ours.openedMs.median,
      least: RATE_OF_BARE,
    },
  ]);
}

/** The table of the cloud connector's load, by its name. */
export const connectorTables = { devices: devicesTable } as const;
