import { encodeMessage } from '../../../protocol/yamqtt/message.js';
import { NO_FLOW, RECORD_OCTETS } from '../../../protocol/yamqtt/records.js';

/** An `e` of the base, on no flow. Cut at 1 024 octets, between two characters. */
export function errorMessage(text: string): Buffer {
  const data = Buffer.alloc(RECORD_OCTETS);
  data.write(text);
  return Buffer.from(encodeMessage('error', NO_FLOW, data).buffer);
}
