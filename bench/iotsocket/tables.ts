import { printTable } from '../../cli/terminal.js';
import { NOT_INSTALLED, over, printBars } from '../bar.js';
import { ranged } from '../load/rounds.js';
import { bursts, MESSAGES } from './bursts.js';
import { idleSessions, SESSIONS } from './idle-sessions.js';
import { openings } from './openings.js';
import { IN_FLIGHT, PACE, roundTrips } from './round-trips.js';
import { telemetry } from './telemetry.js';

/** What ours may take of another's, both measured in the same run (docs/performance.md). */
const CPU_OF_MOSQUITTO = 0.75;
const P99_OF_MOSQUITTO = 3;
const P99_OF_NATS = 1;
const MEMORY_OF_BARE = 1.5;
const HEARTBEAT_MS_PER_S = 5;
const RATE_OF_SINK = 0.6;
const OPENING_OF_BARE = 3;
const FIFTH_OF_FIRST = 1.2;
/** Writes for a burst that came in one. */
const WRITES_OF_BURST = 1;

const MIB = 1_024 * 1_024;

async function roundTripsTable(): Promise<void> {
  const rows = await roundTrips();
  printTable(
    [`ROUND TRIPS, ${IN_FLIGHT} IN FLIGHT`, 'CPU µs EACH', 'A SECOND', `AT ${PACE} A SECOND: P50 µs`, 'P99 µs'],
    rows.map(({ peer, figures }) =>
      figures === undefined
        ? [peer, NOT_INSTALLED, '', '', '']
        : [peer, ranged(figures.cpuUs, 1), ranged(figures.perSecond), ranged(figures.p50Us), ranged(figures.p99Us)],
    ),
  );
  const figuresOf = (name: string) => rows.find(({ peer }) => peer === name)?.figures;
  const [ours, mosquitto, nats] = ['baseunit', 'mosquitto', 'nats-server'].map(figuresOf);
  printBars([
    {
      what: "CPU of a round trip, of mosquitto's",
      measured: over(ours?.cpuUs.median, mosquitto?.cpuUs.median),
      most: CPU_OF_MOSQUITTO,
    },
    {
      what: "P99, of mosquitto's",
      measured: over(ours?.p99Us.median, mosquitto?.p99Us.median),
      most: P99_OF_MOSQUITTO,
    },
    { what: "P99, of nats-server's", measured: over(ours?.p99Us.median, nats?.p99Us.median), most: P99_OF_NATS },
  ]);
}

async function idleSessionsTable(): Promise<void> {
  const rows = await idleSessions();
  printTable(
    [`${SESSIONS} IDLE SESSIONS`, 'OCTETS FOR ONE, AT FIRST', 'HELD', 'PINGS A SECOND', 'CPU ms A SECOND'],
    rows.map(({ peer, figures }) =>
      figures === undefined
        ? [peer, NOT_INSTALLED, '', '', '']
        : [
            peer,
            figures.octetsAtFirst.toFixed(0),
            figures.octetsHeld.toFixed(0),
            figures.pingsPerS.toFixed(0),
            figures.cpuMsPerS.toFixed(2),
          ],
    ),
  );
  const figuresOf = (name: string) => rows.find(({ peer }) => peer === name)?.figures;
  const [ours, bare] = ['baseunit', 'bare Node server'].map(figuresOf);
  printBars([
    {
      what: "memory for a session at first, of a bare socket's",
      measured: over(ours?.octetsAtFirst, bare?.octetsAtFirst),
      most: MEMORY_OF_BARE,
    },
    { what: 'heartbeats of all, CPU ms a second', measured: ours?.cpuMsPerS, most: HEARTBEAT_MS_PER_S },
  ]);
}

async function openingsTable(): Promise<void> {
  const { bareMs, oursMs, bareCpuMs, oursCpuMs, octetsAfter } = await openings();
  const memory = octetsAfter.map((octets) => (octets / MIB).toFixed(0));
  printTable(
    [`${SESSIONS} CONNECT, THEN DROP AT ONCE`, 'ALL IN AFTER ms', 'CPU ms', 'MiB AFTER EACH DROP'],
    [
      ['bare Node server: accepted', ranged(bareMs), ranged(bareCpuMs), ''],
      ['baseunit: accepted and authenticated', ranged(oursMs), ranged(oursCpuMs), memory.join(' ')],
    ],
  );
  printBars([
    { what: 'time for all, of a bare server', measured: oursMs.median / bareMs.median, most: OPENING_OF_BARE },
    {
      what: `memory after drop ${octetsAfter.length}, of that after the first`,
      measured: octetsAfter.at(-1)! / octetsAfter[0]!,
      most: FIFTH_OF_FIRST,
    },
  ]);
}

async function telemetryTable(): Promise<void> {
  const rows = await telemetry();
  printTable(
    ['TELEMETRY, NONE LOST', 'DATAGRAMS A SECOND', 'CPU µs EACH', 'RECEIVE BUFFER, octets'],
    rows.map(({ peer, perSecond, cpuUs, isGeneratorsLimit, receiveOctets }) => [
      peer,
      `${ranged(perSecond)}${isGeneratorsLimit ? ' or more: the generator sends no faster' : ''}`,
      ranged(cpuUs, 1),
      receiveOctets?.toString() ?? 'unknown',
    ]),
  );
  const [ours, , sink] = rows;
  printBars([
    {
      what: "datagrams a second, of a bare sink's",
      measured: over(ours?.perSecond.median, sink?.perSecond.median),
      least: RATE_OF_SINK,
    },
  ]);
}

async function burstsTable(): Promise<void> {
  const rows = await bursts();
  printTable(
    [`${MESSAGES} MESSAGES IN ONE WRITE`, 'WRITES TO THE CENTRAL', 'WRITES BACK TO THE OBJECT', 'WRITES OF ITS PONGS'],
    rows.map(({ peer, writes }) =>
      writes === undefined
        ? [peer, NOT_INSTALLED, '', '']
        : [peer, String(writes.toCentral), String(writes.toObject), writes.pongs === 0 ? '' : String(writes.pongs)],
    ),
  );
  const ours = rows.find(({ peer }) => peer === 'baseunit')?.writes;
  printBars([
    {
      what: 'writes for a burst, the most of the three',
      measured: ours === undefined ? undefined : Math.max(ours.toCentral, ours.toObject, ours.pongs),
      most: WRITES_OF_BURST,
    },
  ]);
}

/** The tables of the concentrator's load, each by its name. */
export const iotsocketTables = {
  'round-trips': roundTripsTable,
  'idle-sessions': idleSessionsTable,
  openings: openingsTable,
  telemetry: telemetryTable,
  bursts: burstsTable,
} as const;
