import { COMMAND_HEAD_OCTETS, REPORT_HEAD_OCTETS } from '../definition/layout.js';
import { Cursor, concat, OctetWriter } from '../octets.js';

/**
 * What stands before the fields of a definition's own messages (wire/unit.md, "Messages"), little-endian:
 *
 *     report   0 message number   1..4 sequence   5..8 age in ms since it was measured (saturating)   9.. fields
 *     command  0 message number   1..4 id         5.. fields
 *     answer   0 message number   1.. reply fields; or nothing at all when there are none
 */
export interface ReportHead {
  readonly number: number;
  readonly sequence: number;
  readonly ageMs: number;
  readonly fields: Uint8Array;
}

export function encodeReport(head: ReportHead): Uint8Array {
  return concat(new OctetWriter().u8(head.number).u32(head.sequence).u32(head.ageMs).finish(), head.fields);
}

/** `undefined` when it is too short to be a report. */
export function decodeReport(data: Uint8Array): ReportHead | undefined {
  if (data.length < REPORT_HEAD_OCTETS) return undefined;
  const cursor = new Cursor(data);
  return { number: cursor.u8(), sequence: cursor.u32(), ageMs: cursor.u32(), fields: cursor.take(cursor.left) };
}

export interface CommandHead {
  readonly number: number;
  readonly id: number;
  readonly fields: Uint8Array;
}

export function encodeCommand(head: CommandHead): Uint8Array {
  return concat(new OctetWriter().u8(head.number).u32(head.id).finish(), head.fields);
}

/** `undefined` when it is too short to be a command. */
export function decodeCommand(data: Uint8Array): CommandHead | undefined {
  if (data.length < COMMAND_HEAD_OCTETS) return undefined;
  const cursor = new Cursor(data);
  return { number: cursor.u8(), id: cursor.u32(), fields: cursor.take(cursor.left) };
}
