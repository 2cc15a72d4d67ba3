import type { HandlerTraffic } from '../core/connections.js';
import { outcomeKinds } from '../core/messages.js';
import type { OutboxStatus } from '../core/outbox-port.js';
import type { UnitCount } from '../core/registry.js';
import type { BaseStatus } from '../core/status.js';
import type { EventLoopDelay, Figures } from './figures.js';
import type { MessageCounts } from './message-counts.js';

/** All figures, of one moment. */
export interface Snapshot {
  readonly status: BaseStatus;
  readonly traffic: readonly HandlerTraffic[];
  readonly receivers: readonly OutboxStatus[];
  readonly units: readonly UnitCount[];
  readonly messages: MessageCounts;
  readonly figures: Figures;
  readonly eventLoop: EventLoopDelay;
}

/** By label. */
type Value = readonly [Readonly<Record<string, string>>, number];

/** One metric. No label's values are made of what units say or are called: each is a line for ever. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge';
  readonly labels: readonly string[];
  readonly values: (snapshot: Snapshot) => readonly Value[];
}

const MIB_OCTETS = 1_024 * 1_024;

const metric = (kind: Metric['kind'], name: string, help: string, values: Metric['values'], labels: string[] = []) => ({
  name: `baseunit_${name}`,
  help,
  kind,
  labels,
  values,
});

/** One figure of the whole base. */
const one =
  (read: (snapshot: Snapshot) => number): Metric['values'] =>
  (snapshot) => [[{}, read(snapshot)]];

const ofHandlers =
  (read: (traffic: HandlerTraffic) => number): Metric['values'] =>
  ({ traffic }) =>
    traffic.map((each) => [{ handler: each.handler }, read(each)]);

const ofReceivers =
  (read: (receiver: OutboxStatus) => number): Metric['values'] =>
  ({ receivers }) =>
    receivers.map((each) => [{ endpoint: each.endpoint }, read(each)]);

/** All of them: docs/metrics.md says what each is for. */
export const metrics: readonly Metric[] = [
  metric('gauge', 'info', 'The version of the base; always 1', ({ status: { version } }) => [[{ version }, 1]], [
    'version',
  ]),
  metric(
    'gauge',
    'start_time_seconds',
    'When the base was started, in Unix seconds',
    one(({ status }) => status.startedAt / 1_000),
  ),
  metric(
    'gauge',
    'units',
    'Units, by the handler that serves them and their state',
    ({ units }) => units.map(({ dialect, state, count }) => [{ dialect, state }, count]),
    ['dialect', 'state'],
  ),
  metric(
    'gauge',
    'connections',
    'Connections that are open',
    ofHandlers(({ open }) => open),
    ['handler'],
  ),
  metric(
    'counter',
    'connections_established_total',
    'Connections that were opened',
    ofHandlers(({ established }) => established),
    ['handler'],
  ),
  metric(
    'counter',
    'received_messages_total',
    'Messages that came over connections',
    ofHandlers(({ receivedMessages }) => receivedMessages),
    ['handler'],
  ),
  metric(
    'counter',
    'sent_messages_total',
    'Messages that were written to connections',
    ofHandlers(({ sentMessages }) => sentMessages),
    ['handler'],
  ),
  metric(
    'gauge',
    'buffered_octets',
    'Octets written to connections and not yet taken by the operating system',
    ofHandlers(({ bufferedOctets }) => bufferedOctets),
    ['handler'],
  ),
  metric(
    'gauge',
    'buffered_octets_max',
    'The same, of the connection with the most',
    ofHandlers(({ maxBufferedOctets }) => maxBufferedOctets),
    ['handler'],
  ),
  metric(
    'counter',
    'reports_total',
    'Reports of units',
    one(({ messages }) => messages.reports),
  ),
  metric(
    'counter',
    'commands_total',
    'Commands and queries that were accepted',
    one(({ messages }) => messages.commands),
  ),
  metric(
    'counter',
    'outcomes_total',
    'Outcomes of commands and queries, refused ones too',
    ({ messages }) => outcomeKinds.map((outcome) => [{ outcome }, messages.outcomes[outcome]]),
    ['outcome'],
  ),
  metric(
    'gauge',
    'waiting',
    'Commands and queries without an outcome',
    ({ status }) => [
      [{ kind: 'command' }, status.commandsWaiting],
      [{ kind: 'query' }, status.queriesWaiting],
    ],
    ['kind'],
  ),
  metric(
    'gauge',
    'outbox_waiting',
    'What waits to be delivered to a receiver',
    ofReceivers(({ waiting }) => waiting),
    ['endpoint'],
  ),
  metric(
    'gauge',
    'outbox_octets',
    'Octets of what waits for a receiver',
    ofReceivers(({ octets }) => octets),
    ['endpoint'],
  ),
  metric(
    'gauge',
    'outbox_dead_letters',
    'What could not be delivered to a receiver, and is kept',
    ofReceivers(({ dead }) => dead),
    ['endpoint'],
  ),
  metric(
    'gauge',
    'outbox_working',
    '1: the receiver takes what it is sent; 0: it fails, or is disabled',
    ofReceivers(({ state }) => (state === 'working' ? 1 : 0)),
    ['endpoint'],
  ),
  metric(
    'counter',
    'outbox_delivered_total',
    'What was delivered to a receiver',
    ofReceivers(({ delivered }) => delivered),
    ['endpoint'],
  ),
  metric(
    'counter',
    'outbox_refused_total',
    'What was not taken for a receiver, whose queue was full or which is disabled',
    ofReceivers(({ refused }) => refused),
    ['endpoint'],
  ),
  metric(
    'gauge',
    'store_commits_waiting',
    'Commits that wait for the disk',
    one(({ figures }) => figures.commitsWaiting()),
  ),
  metric(
    'counter',
    'lost_readings_total',
    'Readings of units without a definition that were told and not stored, as the disk was too slow or failed',
    one(({ figures }) => figures.lostReadings()),
  ),
  metric(
    'gauge',
    'kept_transmissions',
    'Transmissions that are kept for peers that are away',
    one(({ figures }) => figures.keptTransmissions()),
  ),
  metric(
    'gauge',
    'handler_running',
    '1: the handler serves its units; 0: it starts, or has ended',
    ({ status }) => status.handlers.map(({ name, state }) => [{ handler: name }, state === 'running' ? 1 : 0]),
    ['handler'],
  ),
  metric(
    'counter',
    'handler_faults_total',
    'What a handler threw and the base contained',
    ({ status }) => status.handlers.map(({ name, faults }) => [{ handler: name }, faults]),
    ['handler'],
  ),
  metric(
    'counter',
    'handler_events_total',
    'What a handler counted of its own',
    ({ status }) =>
      status.handlers.flatMap(({ name, counts }) =>
        Object.entries(counts).map(([event, count]): Value => [{ handler: name, event }, count]),
      ),
    ['handler', 'event'],
  ),
  metric(
    'gauge',
    'handler_gauge',
    'What a handler has of its own',
    ({ status }) =>
      status.handlers.flatMap(({ name, gauges }) =>
        Object.entries(gauges).map(([gauge, value]): Value => [{ handler: name, gauge }, value]),
      ),
    ['handler', 'gauge'],
  ),
  metric(
    'counter',
    'topic_faults_total',
    'What subscribers of topics threw',
    one(({ status }) => status.subscriberFaults),
  ),
  metric(
    'counter',
    'topic_events_dropped_total',
    'Events of topics that subscribers were too slow for',
    one(({ figures }) => figures.droppedTopicEvents()),
  ),
  metric(
    'counter',
    'statistics_faults_total',
    'What the storage of connection statistics threw',
    one(({ status }) => status.statisticsFaults),
  ),
  metric(
    'gauge',
    'event_streams',
    'Clients of event streams, over all HTTP servers of the base',
    one(({ status }) => status.sseSubscribers),
  ),
  metric(
    'gauge',
    'active_handles',
    'What the process waits for: sockets, timers, files',
    one(({ status }) => status.activeHandles),
  ),
  metric(
    'gauge',
    'memory_allocated_bytes',
    "Taken for JavaScript's heap and what lies beside it",
    one(({ status }) => Math.round(status.memory.allocatedMiB * MIB_OCTETS)),
  ),
  metric(
    'gauge',
    'memory_heap_bytes',
    "Of JavaScript's heap, what is used",
    one(({ status }) => Math.round(status.memory.heapAllocatedMiB * MIB_OCTETS)),
  ),
  metric(
    'gauge',
    'memory_system_bytes',
    'Memory of the process that is resident',
    one(({ status }) => Math.round(status.memory.systemMiB * MIB_OCTETS)),
  ),
  metric(
    'gauge',
    'event_loop_delay_mean_seconds',
    'How late the event loop came to what was due, since the scrape before: on average',
    one(({ eventLoop }) => eventLoop.meanS),
  ),
  metric(
    'gauge',
    'event_loop_delay_p99_seconds',
    'The same: 99 of 100 times at most',
    one(({ eventLoop }) => eventLoop.p99S),
  ),
  metric(
    'gauge',
    'event_loop_delay_max_seconds',
    'The same: at most',
    one(({ eventLoop }) => eventLoop.maxS),
  ),
];
