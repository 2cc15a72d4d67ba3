import { decodeFields, encodeFields, type UnitDefinition } from '../../../protocol/definition/index.js';
import { REPLY_HEAD_OCTETS } from '../../../protocol/definition/layout.js';
import { TimeoutError } from '../../../protocol/errors.js';
import { returnCodes } from '../../../protocol/iotsocket/transmission.js';
import { encodeCommand } from '../../../protocol/unit/heads.js';
import type { Delivery, DeliveryResult } from '../../core/delivery.js';
import { peerText } from '../../core/log.js';
import type { UnitResponse } from './own-requests.js';

/** What delivering needs of the session. */
export interface CommandPort {
  /** Numbers of the messages that both definitions have alike. */
  readonly equal: ReadonlySet<number> | 'all';
  request(data: Uint8Array, timeoutMs: number): Promise<UnitResponse>;
  /** Whether the unit can take a request with this payload. */
  fits(data: Uint8Array): boolean;
}

/** Encodes a command, sends it, and makes its outcome of the answer. Rejects with LinkError when the link is lost before. */
export async function deliverCommand(
  definition: UnitDefinition,
  delivery: Delivery,
  port: CommandPort,
): Promise<DeliveryResult> {
  const command = definition.commands[delivery.command];
  if (delivery.line !== undefined || command === undefined) {
    return {
      outcome: 'refused',
      reason: `${definition.name} takes commands by name: ${Object.keys(definition.commands).join(', ') || 'it has none'}`,
    };
  }
  if (port.equal !== 'all' && !port.equal.has(command.number)) {
    return {
      outcome: 'refused',
      reason: `the unit was flashed with another ${delivery.command}; regenerate and flash it`,
    };
  }
  const encoded = encodeFields(command.fields ?? {}, delivery.fields);
  if (!encoded.ok) return { outcome: 'refused', reason: `${encoded.refusal.field} ${encoded.refusal.message}` };
  const data = encodeCommand({ number: command.number, id: delivery.wireId, fields: encoded.octets });
  if (!port.fits(data)) return { outcome: 'refused', reason: 'the command is longer than the unit can take' };
  try {
    return outcomeOf(await port.request(data, delivery.timeoutMs), definition, delivery.command);
  } catch (error) {
    if (error instanceof TimeoutError) return { outcome: 'timeout', reason: error.message };
    throw error;
  }
}

function outcomeOf({ code, payload }: UnitResponse, definition: UnitDefinition, name: string): DeliveryResult {
  if (code === returnCodes.notValid) {
    return { outcome: 'refused', reason: peerText(new TextDecoder().decode(payload.data)) || 'the unit refused it' };
  }
  if (code !== returnCodes.valid) return { outcome: 'unreachable', reason: `the unit answered ${code.toString(16)}` };
  const command = definition.commands[name]!;
  if (command.reply === undefined || Object.keys(command.reply).length === 0) return { outcome: 'ok' };
  if (payload.data[0] !== command.number) return { outcome: 'unknown', reason: 'the answer is not to this command' };
  const reply = decodeFields(command.reply, payload.data.subarray(REPLY_HEAD_OCTETS));
  return reply.ok
    ? { outcome: 'ok', reply: reply.values }
    : { outcome: 'unknown', reason: `the answer's ${reply.refusal.field} ${reply.refusal.message}` };
}
