import { ConfigurationError } from '../../protocol/errors.js';
import {
  blockOf,
  MAX_PAYLOAD_OCTETS,
  type Payload,
  type PayloadFormat,
  type PayloadResult,
  payloadOf,
} from '../../protocol/iotsocket/payload.js';
import { noPayload, type PayloadBlock } from '../../protocol/iotsocket/transmission.js';

/**
 * What can be sent: a payload as JSON holds it, whose octets may be a Uint8Array if it is `binary`; a block of your own; or
 * what was received, as it came.
 */
export type OutgoingPayload = Payload | PayloadBlock | ReceivedPayload;

const MAX_NIBBLE = 0x0f;

/** A payload that came. It is a `Payload`; `block` has the octets as they travelled, which are yours to keep. */
export class ReceivedPayload implements Payload {
  readonly block: PayloadBlock;
  #payload: Payload | undefined;

  constructor({ format, options, data }: PayloadBlock) {
    this.block = { format, options, data: new Uint8Array(data) };
  }

  /** What is not what its format says, or of a format nobody knows, is `binary`. */
  get format(): PayloadFormat {
    return this.#read().format;
  }

  get value(): unknown {
    return this.#read().value;
  }

  #read(): Payload {
    this.#payload ??= payloadOf(this.block) ?? { format: 'binary', value: [...this.block.data] };
    return this.#payload;
  }
}

/** The block to send. Throws ConfigurationError `config-invalid` for a payload that cannot be sent. */
export function blockToSend(payload: OutgoingPayload | undefined): PayloadBlock {
  if (payload === undefined) return noPayload;
  if (payload instanceof ReceivedPayload) return payload.block;
  if ('data' in payload) return checkedBlock(payload);
  const { format, value } = payload;
  if (format === 'binary' && value instanceof Uint8Array) return checkedBlock({ ...noPayload, data: value });
  const result = blockFrom(payload);
  if (!result.ok) throw new ConfigurationError('config-invalid', `the payload ${result.what}`);
  return result.block;
}

/** What JSON cannot write, as a circle or a BigInt, it throws of. */
function blockFrom(payload: Payload): PayloadResult {
  try {
    return blockOf(payload);
  } catch (error) {
    return { ok: false, what: `cannot be written as JSON: ${(error as Error).message.split('\n')[0]}` };
  }
}

function checkedBlock(block: PayloadBlock): PayloadBlock {
  for (const value of [block.format, block.options])
    if (!Number.isInteger(value) || value < 0 || value > MAX_NIBBLE)
      throw new ConfigurationError('config-invalid', 'format and options of a block are whole numbers from 0 to 15');
  if (block.data.length > MAX_PAYLOAD_OCTETS)
    throw new ConfigurationError(
      'config-invalid',
      `the payload has ${block.data.length} octets; at most ${MAX_PAYLOAD_OCTETS} can be sent`,
    );
  return block;
}
