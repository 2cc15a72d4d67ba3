import type { Payload } from '../../../protocol/iotsocket/payload.js';
import { RECORD_OCTETS } from '../../../protocol/yamqtt/records.js';
import { textData } from '../../../protocol/yamqtt/text.js';
import type { Report } from '../../core/messages.js';
import type { ReportRule } from './yamqtt-options.js';

/** A text has room for the `00` behind it: clients look for one. */
export const MAX_TEXT_OCTETS = RECORD_OCTETS - 1;

export type FlowData =
  | { readonly kind: 'data'; readonly data: Uint8Array }
  /** The report does not have that field. */
  | { readonly kind: 'no-field' }
  | { readonly kind: 'too-long'; readonly octets: number };

/**
 * What of a report is published on a flow: its fields as JSON, or one of them as plain text; of a unit that is not typed its
 * payload. Binary payloads are published as they are, all else as text of UTF-8.
 */
export function flowDataOf({ fields, payload }: Report, { field }: ReportRule): FlowData {
  if (field !== undefined)
    return Object.hasOwn(fields, field) ? textIfFit(plainText(fields[field])) : { kind: 'no-field' };
  if (payload?.format !== 'binary')
    return textIfFit(payload === undefined ? JSON.stringify(fields) : payloadText(payload));
  return ifFit(Uint8Array.from(payload.value as readonly number[]), RECORD_OCTETS);
}

const payloadText = ({ format, value }: Payload): string =>
  format === 'json' ? JSON.stringify(value) : (value as string);

/** `21.5`, `true`, `#ff8800`, a text as it is; a list as JSON. */
const plainText = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));

const textIfFit = (text: string): FlowData => ifFit(textData(text), MAX_TEXT_OCTETS);

const ifFit = (data: Uint8Array, maxOctets: number): FlowData =>
  data.length <= maxOctets ? { kind: 'data', data } : { kind: 'too-long', octets: data.length };
