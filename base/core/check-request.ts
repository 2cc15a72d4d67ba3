import { decodeFields, encodeFields, type UnitDefinition } from '../../protocol/definition/index.js';
import { blockOf, type Payload } from '../../protocol/iotsocket/payload.js';
import { type CommandRequest, OPAQUE_COMMAND, OPAQUE_QUERY } from './command-request.js';
import type { DeliveryResult } from './delivery.js';
import { peerText } from './log.js';
import { type CheckedRequest, COMMAND_WAIT_MS } from './mailbox.js';
import { isShallow, MAX_PAYLOAD_DEPTH } from './opaque-payload.js';
import type { RegisteredUnit } from './unit-record.js';

/** How long the unit may take to answer, where the definition does not say (reference/limits.md, "Request"). */
export const COMMAND_TIMEOUT_MS = 5_000;
/** The same of a unit that is not typed. */
export const REQUEST_TIMEOUT_MS = 10_000;
/** The longest time a command may wait for its unit (reference/limits.md, "Kept session"). */
export const MAX_TTL_MS = 24 * 3_600_000;
const MAX_ID_CHARACTERS = 64;

export const refused = (reason: string): DeliveryResult => ({ outcome: 'refused', reason });

/** Everything of a request that can be checked before its unit is asked. */
export function checkRequest({ definition }: RegisteredUnit, request: CommandRequest): CheckedRequest | DeliveryResult {
  if (request.id === '' || request.id.length > MAX_ID_CHARACTERS)
    return refused(`the id must have 1 to ${MAX_ID_CHARACTERS} characters`);
  if (request.ttlMs !== undefined && !(request.ttlMs > 0 && request.ttlMs <= MAX_TTL_MS)) {
    return refused(`the time to live must be more than 0 and at most ${MAX_TTL_MS / 1_000} s`);
  }
  const waitMs = request.ttlMs ?? request.waitMs ?? COMMAND_WAIT_MS;
  return definition === undefined ? checkOpaque(request, waitMs) : checkTyped(definition, request, waitMs);
}

function checkTyped(
  definition: UnitDefinition,
  request: CommandRequest,
  waitMs: number,
): CheckedRequest | DeliveryResult {
  if (request.payload !== undefined || request.format !== undefined)
    return refused(`${definition.name} has a definition: send the fields of a command of it instead of a payload`);
  if (request.line !== undefined) return { fields: {}, timeoutMs: COMMAND_TIMEOUT_MS, waitMs };
  const name = request.command;
  const command = Object.hasOwn(definition.commands, name) ? definition.commands[name] : undefined;
  if (command === undefined) {
    const known = Object.keys(definition.commands).join(', ') || 'none';
    return refused(`${definition.name} has no command ${JSON.stringify(peerText(name))}; it has: ${known}`);
  }
  const encoded = encodeFields(command.fields ?? {}, request.fields ?? {});
  if (!encoded.ok) return refused(`${peerText(encoded.refusal.field)} ${encoded.refusal.message}`);
  const decoded = decodeFields(command.fields ?? {}, encoded.octets);
  return { fields: decoded.ok ? decoded.values : {}, timeoutMs: command.timeoutMs ?? COMMAND_TIMEOUT_MS, waitMs };
}

function checkOpaque(request: CommandRequest, waitMs: number): CheckedRequest | DeliveryResult {
  const { command, fields, line, format = 'json' } = request;
  const untyped = `this unit has no definition: send "${OPAQUE_COMMAND}" or "${OPAQUE_QUERY}" with a payload`;
  if (line !== undefined) return refused(`${untyped} instead of a line`);
  if (command !== OPAQUE_COMMAND && command !== OPAQUE_QUERY)
    return refused(`${untyped}, not ${JSON.stringify(peerText(command))}`);
  if (fields !== undefined) return refused(`${untyped} instead of fields`);
  const payload: Payload = { format, value: request.payload };
  // Whoever writes it as JSON walks it on the call stack, at the next start too.
  if (!isShallow(payload.value)) return refused(`the payload is nested deeper than ${MAX_PAYLOAD_DEPTH} levels`);
  const checked = blockOf(payload);
  if (!checked.ok) return refused(`the payload ${checked.what}`);
  return { fields: {}, payload, timeoutMs: REQUEST_TIMEOUT_MS, waitMs };
}
