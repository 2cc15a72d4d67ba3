import { LinkError, ProtocolError } from '../../../protocol/errors.js';
import { closeCodes } from '../../../protocol/iotsocket/transmission.js';

/** What it means that a unit closed with this code (wire/iotsocket.md, "Transmissions"). */
export function closeError(code: number): Error {
  switch (code) {
    case closeCodes.tooMuchLoad:
      return new LinkError('link-busy', 'another base holds the unit');
    case closeCodes.sleep:
      return new LinkError('link-asleep', 'the unit sleeps');
    case closeCodes.freeingResources:
    case closeCodes.maintenance:
      return new LinkError('link-lost', 'the unit closed the link');
    default:
      return new ProtocolError('closed-by-unit', `the unit closed with code ${code.toString(16).padStart(2, '0')}`);
  }
}
