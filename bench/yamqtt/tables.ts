import { printTable } from '../../cli/terminal.js';
import { type Bar, NOT_INSTALLED, over, printBars } from '../bar.js';
import { ranged } from '../load/rounds.js';
import { type FlowsRow, flows, type LoadName, loads } from './flows.js';

/** What a delivered message may take of mosquitto's, both measured in the same run (docs/performance.md). */
const CPU_OF_MOSQUITTO: Partial<Record<LoadName, number>> = {
  '1→1, 1 a write': 0.6,
  '1→1, 16 a write': 0.6,
  '1→100, 1 a write': 0.3,
  '1→100, 16 a write': 0.3,
  '100→1, 1 a write': 0.6,
  '100→1, 16 a write': 0.6,
};

async function yamqttTable(): Promise<void> {
  const rows = await flows();
  const bars: Bar[] = [];
  for (const { name } of loads) {
    const these = rows.filter(({ load }) => load === name);
    printFlows(name, these);
    const cpuOf = (peer: string) => these.find((row) => row.peer === peer)?.figures?.cpuUs.median;
    const most = CPU_OF_MOSQUITTO[name];
    if (most === undefined) continue;
    const measured = over(cpuOf('baseunit'), cpuOf('mosquitto'));
    bars.push({ what: `CPU of a message, ${name}, of mosquitto's`, measured, most });
  }
  printBars(bars);
}

function printFlows(title: string, rows: readonly FlowsRow[]): void {
  printTable(
    [title.toUpperCase(), 'CPU µs EACH', 'DELIVERED A SECOND'],
    rows.map(({ peer, figures }) =>
      figures === undefined ? [peer, NOT_INSTALLED, ''] : [peer, ranged(figures.cpuUs, 2), ranged(figures.perSecond)],
    ),
  );
}

/** The table of YAMQTT's load, by its name. */
export const yamqttTables = { yamqtt: yamqttTable } as const;
