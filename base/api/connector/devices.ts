import type { ConnectionRecord } from '../../core/connection.js';
import type { UnitsPort } from '../../core/units-port.js';
import type { ConnectionsPort } from './status-api.js';

/** A connection as the original tells it: times are Unix seconds, 0 where there was none; what is not known is empty. */
export interface DeviceRecord {
  readonly id: string;
  readonly device_id: string;
  readonly device_name: string;
  readonly device_type: string;
  readonly user_agent: string;
  readonly remote_address: string;
  readonly created_at: number;
  readonly last_received_message_ts: number;
  readonly last_sent_message_ts: number;
  readonly received_messages: number;
  readonly sent_messages: number;
}

export function deviceRecord(record: ConnectionRecord): DeviceRecord {
  return {
    id: record.id,
    device_id: record.unit,
    device_name: record.name ?? '',
    device_type: record.type ?? '',
    user_agent: record.userAgent ?? '',
    remote_address: record.remoteAddress,
    created_at: seconds(record.createdAt),
    last_received_message_ts: seconds(record.lastReceivedAt),
    last_sent_message_ts: seconds(record.lastSentAt),
    received_messages: record.receivedMessages,
    sent_messages: record.sentMessages,
  };
}

/**
 * UIDs of the units that are connected now, sorted: those with a connection, and those whose link is up though their
 * handler tells of no connection. An updatable unit without a link is none of them; commands for it open one.
 */
export function connectedDevices(connections: ConnectionsPort, units: Pick<UnitsPort, 'online'>): readonly string[] {
  return [...new Set([...connections.units(), ...units.online()])].sort();
}

const seconds = (ms = 0): number => Math.floor(ms / 1_000);
