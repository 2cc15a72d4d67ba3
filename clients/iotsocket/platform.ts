import { createHmac, randomBytes } from 'node:crypto';
import type { SessionCrypto } from '../../protocol/iotsocket/proof.js';
import { type ClientClock, systemClock } from '../connection/client-clock.js';

/** What the clients need of the machine. Tests and simulations hand in their own. */
export interface ClientPlatform {
  readonly clock: ClientClock;
  /** 0 ≤ fraction < 1, for jitter and the first tracking number. */
  readonly fraction: () => number;
  readonly crypto: SessionCrypto;
}

/** The machine itself. */
export const systemPlatform: ClientPlatform = {
  clock: systemClock,
  fraction: () => Math.random(),
  crypto: {
    hmac: (key, message) => new Uint8Array(createHmac('sha256', key).update(message).digest()),
    random: (count) => new Uint8Array(randomBytes(count)),
  },
};
