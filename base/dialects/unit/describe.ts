import { compareDescriptors, type Drift, type UnitDefinition } from '../../../protocol/definition/index.js';
import { ProtocolError } from '../../../protocol/errors.js';
import { returnCodes } from '../../../protocol/iotsocket/transmission.js';
import { concat } from '../../../protocol/octets.js';
import { decodeDescribePiece, encodeDescribe } from '../../../protocol/unit/system-messages.js';
import type { UnitResponse } from './unit-session.js';

/** The longest descriptor: 111 messages of 64 fields do not reach it (wire/unit.md: total:u16). */
const MAX_DESCRIPTOR = 16 * 1024;

/** Asks a unit for its descriptor, piece by piece, and compares it with our definition. */
export async function describeUnit(
  request: (data: Uint8Array) => Promise<UnitResponse>,
  definition: UnitDefinition,
): Promise<Drift> {
  let descriptor = new Uint8Array(0);
  for (;;) {
    const { code, payload } = await request(encodeDescribe(descriptor.length));
    if (code !== returnCodes.valid) throw new ProtocolError('value-refused', 'the unit does not describe itself');
    const { total, octets } = decodeDescribePiece(payload.data);
    if (total > MAX_DESCRIPTOR) throw new ProtocolError('value-refused', `the unit's descriptor has ${total} octets`);
    descriptor = concat(descriptor, octets) as Uint8Array<ArrayBuffer>;
    if (descriptor.length >= total)
      return compareDescriptors(new TextDecoder().decode(descriptor.subarray(0, total)), definition);
    if (octets.length === 0) throw new ProtocolError('value-refused', "the unit's descriptor ends before its end");
  }
}
