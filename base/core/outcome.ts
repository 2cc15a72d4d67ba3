import type { DeliveryResult } from './delivery.js';
import { peerText } from './log.js';
import type { Command, Outcome, OutcomeKind } from './messages.js';

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
    source: command.source,
    at,
  };
}
