import { printTable } from '../../cli/terminal.js';
import { NOT_INSTALLED, over, printBars } from '../bar.js';
import { ranged } from '../load/rounds.js';
import { PAIRS, PAYLOAD, TUNNEL_ROUNDS, tunnels } from './tunnels.js';

/** What a message through a tunnel may take of another's, both measured in the same run (docs/performance.md). */
const CPU_OF_PIPE = 1.3;
const CPU_OF_MOSQUITTO = 1.2;

async function elfinTable(): Promise<void> {
  const rows = await tunnels();
  printTable(
    [
      `${PAIRS} TUNNELS, ${PAYLOAD} OCTETS, ${TUNNEL_ROUNDS} ROUNDS`,
      'CPU µs EACH',
      'A SECOND',
      'AND BACK: P50 µs',
      'P99 µs',
    ],
    rows.map(({ peer, figures }) =>
      figures === undefined
        ? [peer, NOT_INSTALLED, '', '', '']
        : [peer, ranged(figures.cpuUs, 2), ranged(figures.perSecond), ranged(figures.p50Us), ranged(figures.p99Us)],
    ),
  );
  const cpuOf = (name: string) => rows.find(({ peer }) => peer === name)?.figures?.cpuUs.median;
  const [pipe, mosquitto] = [cpuOf('plain Node pipe'), cpuOf('mosquitto')];
  printBars(
    (['in lines', 'in segments'] as const).flatMap((framing) => {
      const ours = cpuOf(`baseunit, ${framing}`);
      return [
        {
          what: `CPU of a message, ${framing}, of a plain Node pipe's`,
          measured: over(ours, pipe),
          most: CPU_OF_PIPE,
        },
        {
          what: `CPU of a message, ${framing}, of mosquitto's`,
          measured: over(ours, mosquitto),
          most: CPU_OF_MOSQUITTO,
        },
      ];
    }),
  );
}

/** The table of Elfin's load, by its name. */
export const elfinTables = { elfin: elfinTable } as const;
