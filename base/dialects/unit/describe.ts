import { compareDescriptors, type Drift, type UnitDefinition } from '../../../protocol/definition/index.js';
import { MAX_DESCRIPTOR_OCTETS } from '../../../protocol/definition/layout.js';
import { ProtocolError } from '../../../protocol/errors.js';
import { returnCodes } from '../../../protocol/iotsocket/transmission.js';
import { concat } from '../../../protocol/octets.js';
import { decodeDescribePiece, encodeDescribe } from '../../../protocol/unit/system-messages.js';
import type { UnitResponse } from './own-requests.js';

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
    if (total > MAX_DESCRIPTOR_OCTETS)
      throw new ProtocolError('value-refused', `the unit's descriptor has ${total} octets`);
    descriptor = concat(descriptor, octets) as Uint8Array<ArrayBuffer>;
    if (descriptor.length >= total)
      return compareDescriptors(new TextDecoder().decode(descriptor.subarray(0, total)), definition);
    if (octets.length === 0) throw new ProtocolError('value-refused', "the unit's descriptor ends before its end");
  }
}
