import { createHash, timingSafeEqual } from 'node:crypto';

const hash = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The header by which the base proves itself to the central's webhooks: the central's key in hex, as the original writes it. */
export function centralBearer(key: Uint8Array): string {
  return `Bearer ${Buffer.from(key).toString('hex')}`;
}

/** Compares an `Authorization` header with the central's key, in a time that tells nothing about it. The digits' case does not matter. */
export class CentralBearer {
  readonly #hash: Buffer;

  constructor(key: Uint8Array) {
    this.#hash = hash(Buffer.from(key).toString('hex'));
  }

  matches(header: string | undefined): boolean {
    const match = /^bearer +([0-9a-f]+) *$/i.exec(header ?? '');
    return match !== null && timingSafeEqual(hash(match[1]!.toLowerCase()), this.#hash);
  }
}
