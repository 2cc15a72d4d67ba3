import { addressText, type UnitAddress } from './address.js';
import { peerText } from './log.js';

/** What is said of a unit that is where another one should be. */
export const strangerText = (at: UnitAddress, met: string, uid: string): string =>
  `at ${addressText(at)} is unit ${JSON.stringify(peerText(met))}, not ${JSON.stringify(uid)}`;
