import type { DeliveryResult } from './delivery.js';
import { peerText } from './log.js';
import type { Command, Outcome, OutcomeKind } from './messages.js';
import { payloadFrom } from './opaque-payload.js';
import { withoutPart } from './without-part.js';

/** A longer payload, as JSON, is told once and not remembered: the outcomes of 256 commands are, of each unit. */
export const MAX_REMEMBERED_PAYLOAD = 4_096;

/** How a command ended, as its sender is told. */
export function outcomeOf(
  command: Pick<Command, 'id' | 'unit' | 'command' | 'source'>,
  result: Omit<DeliveryResult, 'outcome'> & { readonly outcome: OutcomeKind },
  at: number,
): Outcome {
  return {
    kind: 'outcome',
    id: command.id,
    unit: command.unit,
    command: peerText(command.command),
    outcome: result.outcome,
    ...(result.reason === undefined ? {} : { reason: result.reason }),
    ...(result.reply === undefined ? {} : { reply: result.reply }),
    ...(result.code === undefined ? {} : { code: result.code }),
    ...(result.payload === undefined ? {} : { payload: payloadFrom(result.payload) }),
    source: command.source,
    at,
  };
}

/** As it is kept for whoever asks later how the command ended. */
export function remembered(outcome: Outcome): Outcome {
  const { payload } = outcome;
  if (payload === undefined || Buffer.byteLength(JSON.stringify(payload)) <= MAX_REMEMBERED_PAYLOAD) return outcome;
  return withoutPart(outcome, 'payload', 'the payload of the answer was too long to be remembered');
}
