import type { ConnectionRecord } from '../../core/connection.js';
import type { BaseStatus } from '../../core/status.js';

/**
 * What the connector's status says, and the unit of each (wire/connector.md, "HTTP API"). Memory is in MiB, which the
 * original calls Mb; `start_time` is Unix time.
 */
export const statusUnits = {
  server_current_state: '',
  connections: '',
  uptime: 'secs',
  start_time: '',
  received_messages: '',
  received_messages_per_second: '',
  sent_messages: '',
  sent_messages_per_second: '',
  commands_waiting: '',
  queries_waiting: '',
  go_routines: '',
  system_memory: 'Mb',
  allocated_memory: 'Mb',
  heap_allocated_memory: 'Mb',
  sse_subscribers: '',
} as const;

/** The same of one device. */
export const deviceUnits = {
  uptime: 'secs',
  received_messages: '',
  received_messages_per_second: '',
  sent_messages: '',
  sent_messages_per_second: '',
} as const;

export type StatusMetric = keyof typeof statusUnits;
export type StatusMetrics = Readonly<Record<StatusMetric, string | number>>;
export type DeviceMetrics = Readonly<Record<keyof typeof deviceUnits, number>>;

export function statusMetrics(status: BaseStatus): StatusMetrics {
  const { totals, memory } = status;
  return {
    server_current_state: status.state,
    connections: status.connections,
    uptime: Math.floor(status.uptimeS),
    start_time: seconds(status.startedAt),
    received_messages: totals.receivedMessages,
    received_messages_per_second: hundredths(totals.receivedPerSecond),
    sent_messages: totals.sentMessages,
    sent_messages_per_second: hundredths(totals.sentPerSecond),
    commands_waiting: status.commandsWaiting,
    queries_waiting: status.queriesWaiting,
    go_routines: status.activeHandles,
    system_memory: Math.round(memory.systemMiB),
    allocated_memory: Math.round(memory.allocatedMiB),
    heap_allocated_memory: Math.round(memory.heapAllocatedMiB),
    sse_subscribers: status.sseSubscribers,
  };
}

/** `nowMs` is Unix time, as the times of a record are. */
export function deviceMetrics(record: ConnectionRecord, nowMs: number): DeviceMetrics {
  return {
    // The machine's clock may have been set back since.
    uptime: Math.max(0, seconds(nowMs - record.createdAt)),
    received_messages: record.receivedMessages,
    received_messages_per_second: hundredths(record.receivedPerSecond),
    sent_messages: record.sentMessages,
    sent_messages_per_second: hundredths(record.sentPerSecond),
  };
}

const seconds = (ms: number): number => Math.floor(ms / 1_000);
const hundredths = (value: number): number => Math.round(value * 100) / 100;
