import { ProtocolError } from '../protocol/errors.js';
import { emptyTypedPayload, type PayloadBlock, returnCodes } from '../protocol/iotsocket/transmission.js';
import { decodeDescribe, decodeRestart, encodeDescribePiece } from '../protocol/unit/system-messages.js';
import type { CommandAnswer } from './answer-memory.js';
import { refusal } from './unit-commands.js';
import type { UnitModel } from './unit-model.js';

/** A piece of the descriptor, at most 512 octets, or a refusal (wire/unit.md, "Messages"). */
export function answerDescribe({ descriptor }: UnitModel, data: Uint8Array): CommandAnswer {
  const offset = decoded(() => decodeDescribe(data));
  if (offset === undefined || offset > descriptor.length) return refusal('there is nothing at this offset');
  return done({ ...emptyTypedPayload, data: encodeDescribePiece(descriptor, offset) });
}

/** Done, with `restart` called for the delay that was asked for; or a refusal. */
export function answerRestart(data: Uint8Array, restart: (delayMs: number) => void): CommandAnswer {
  const delayMs = decoded(() => decodeRestart(data));
  if (delayMs === undefined) return refusal('this is no restart');
  restart(delayMs);
  return done(emptyTypedPayload);
}

const done = (payload: PayloadBlock): CommandAnswer => ({ code: returnCodes.valid, payload });

/** `undefined` for what is malformed. */
function decoded<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
