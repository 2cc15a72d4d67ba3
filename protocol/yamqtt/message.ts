import { bad, type DecodeResult, frame, more } from '../decode-result.js';
import { ProtocolError } from '../errors.js';
import {
  type Action,
  actionOctets,
  FLOW_IS_NO_NUMBER,
  FLOW_IS_OUT_OF_RANGE,
  flowAt,
  HEAD_OCTETS,
  MAX_FLOW,
  MESSAGE_OCTETS,
  NO_FLOW,
  RECORD_OCTETS,
  writeHead,
} from './records.js';

/** One message (wire/yamqtt.md). Its octets are in records.ts. */
export interface Message {
  readonly action: Action;
  /** 1 to 65 535, or 0: no flow. */
  readonly flow: number;
  /** 1 024 octets; a view, not a copy. `textOf` gives what a text client means by them. */
  readonly data: Uint8Array;
}

const actionOf = new Map<number, Action>(
  Object.entries(actionOctets).map(([action, octet]) => [octet, action as Action]),
);

/**
 * 3 072 octets; all that mean nothing are `00`, and so are those behind the data. Throws RangeError for data of more than
 * 1 024 octets, and for a flow that is not 0 to 65 535.
 */
export function encodeMessage(action: Action, flow: number, data: Uint8Array): Uint8Array<ArrayBuffer> {
  if (!Number.isInteger(flow) || flow < NO_FLOW || flow > MAX_FLOW)
    throw new RangeError(`a flow is a number from ${NO_FLOW} to ${MAX_FLOW}, not ${flow}`);
  if (data.length > RECORD_OCTETS)
    throw new RangeError(`a message has at most ${RECORD_OCTETS} octets of data, not ${data.length}`);
  const octets = new Uint8Array(MESSAGE_OCTETS);
  writeHead(octets, 0, action, flow);
  octets.set(data, HEAD_OCTETS);
  return octets;
}

/**
 * The message at the front of these octets. `bad` (`frame-malformed`): its action is unknown, or its flow is no number or out of
 * range; the stream goes on behind its 3 072 octets. The flow of `disconnect` and `error` means nothing: it is 0 where it is no
 * flow.
 */
export function decodeMessage(octets: Uint8Array): DecodeResult<Message> {
  if (octets.length < MESSAGE_OCTETS) return more(MESSAGE_OCTETS);
  const action = actionOf.get(octets[0]!);
  if (action === undefined) return malformed('its action is unknown');
  const given = flowAt(octets, 0);
  const flow = given < 0 && (action === 'disconnect' || action === 'error') ? NO_FLOW : given;
  if (flow === FLOW_IS_NO_NUMBER) return malformed('its flow is no number');
  if (flow === FLOW_IS_OUT_OF_RANGE) return malformed(`its flow is more than ${MAX_FLOW}`);
  return frame({ action, flow, data: octets.subarray(HEAD_OCTETS, MESSAGE_OCTETS) }, MESSAGE_OCTETS);
}

const malformed = (what: string): DecodeResult<never> =>
  bad(new ProtocolError('frame-malformed', `a message: ${what}`));
