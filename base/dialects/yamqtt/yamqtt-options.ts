import type { Address } from '../../core/address.js';
import type { YamqttLimits } from './yamqtt-limits.js';

/** YAMQTT (wire/yamqtt.md), checked and resolved. */
export interface YamqttOptions {
  readonly listen: Address;
  /** What flows mean to units, by their numbers, 1 to 65 535. */
  readonly flows: ReadonlyMap<number, FlowRule>;
  readonly limits: YamqttLimits;
}

/** What a flow means to a unit: one of the two, or both. */
export interface FlowRule {
  /** What that unit reports is published on the flow. */
  readonly report?: ReportRule | undefined;
  /** What is published on the flow tells that unit to do something. */
  readonly command?: CommandRule | undefined;
}

/** `thermometer.reading`, or `thermometer.reading.celsius`. */
export interface ReportRule {
  readonly unit: string;
  /** Of a unit that is not typed: `telemetry`. */
  readonly report: string;
  /** Only this field, as plain text. Absent: all fields, as JSON. */
  readonly field?: string | undefined;
}

/** `kitchen-lamp.set`. */
export interface CommandRule {
  readonly unit: string;
  /** Of a unit that is not typed: `request` or `query`. */
  readonly command: string;
}
