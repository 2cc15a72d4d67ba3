/** Octets as text and back; joining; the cursor that every decoder reads with. */

const hexDigits = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, '0'));

export function toHex(octets: Uint8Array): string {
  let text = '';
  for (const octet of octets) text += hexDigits[octet];
  return text;
}

/** Throws RangeError for anything but pairs of hexadecimal digits (blanks between them are allowed). */
export function fromHex(text: string): Uint8Array {
  const digits = text.replaceAll(/\s/g, '');
  if (!/^([0-9a-fA-F]{2})*$/.test(digits))
    throw new RangeError(`not pairs of hexadecimal digits: ${text.slice(0, 40)}`);
  return Uint8Array.from({ length: digits.length / 2 }, (_, index) =>
    Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16),
  );
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Equal, in a time that tells nothing about where they differ (their lengths are no secret). */
export function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let index = 0; index < a.length; index += 1) difference |= a[index]! ^ b[index]!;
  return difference === 0;
}

/** A read past the end. Decoders turn it into `more` or into a refusal; it never leaves them. */
export class PastTheEnd extends RangeError {}

/** Reads octets from front to back. Every read past the end throws {@link PastTheEnd}; nothing is ever clamped. */
export class Cursor {
  readonly octets: Uint8Array;
  at: number;
  readonly #view: DataView;

  constructor(octets: Uint8Array, at = 0) {
    this.octets = octets;
    this.at = at;
    this.#view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  }

  get left(): number {
    return this.octets.length - this.at;
  }

  #take(count: number): number {
    if (count > this.left) throw new PastTheEnd(`${count} octets wanted at ${this.at}, ${this.left} are left`);
    const start = this.at;
    this.at += count;
    return start;
  }

  u8(): number {
    return this.octets[this.#take(1)]!;
  }
  i8(): number {
    return this.#view.getInt8(this.#take(1));
  }
  u16(littleEndian = true): number {
    return this.#view.getUint16(this.#take(2), littleEndian);
  }
  i16(littleEndian = true): number {
    return this.#view.getInt16(this.#take(2), littleEndian);
  }
  u32(littleEndian = true): number {
    return this.#view.getUint32(this.#take(4), littleEndian);
  }
  i32(littleEndian = true): number {
    return this.#view.getInt32(this.#take(4), littleEndian);
  }
  f32(littleEndian = true): number {
    return this.#view.getFloat32(this.#take(4), littleEndian);
  }
  u64(littleEndian = true): bigint {
    return this.#view.getBigUint64(this.#take(8), littleEndian);
  }
  /** A view of the next octets, not a copy. */
  take(count: number): Uint8Array {
    const start = this.#take(count);
    return this.octets.subarray(start, start + count);
  }
}

/** Writes octets into a buffer that grows. */
export class OctetWriter {
  #octets = new Uint8Array(64);
  #view = new DataView(this.#octets.buffer);
  #length = 0;

  #room(count: number): number {
    if (this.#length + count > this.#octets.length) {
      const grown = new Uint8Array(Math.max(2 * this.#octets.length, this.#length + count));
      grown.set(this.#octets);
      this.#octets = grown;
      this.#view = new DataView(grown.buffer);
    }
    const at = this.#length;
    this.#length += count;
    return at;
  }

  u8(value: number): this {
    const at = this.#room(1);
    this.#view.setUint8(at, value);
    return this;
  }
  u16(value: number, littleEndian = true): this {
    const at = this.#room(2);
    this.#view.setUint16(at, value, littleEndian);
    return this;
  }
  u32(value: number, littleEndian = true): this {
    const at = this.#room(4);
    this.#view.setUint32(at, value, littleEndian);
    return this;
  }
  f32(value: number, littleEndian = true): this {
    const at = this.#room(4);
    this.#view.setFloat32(at, value, littleEndian);
    return this;
  }
  u64(value: bigint, littleEndian = true): this {
    const at = this.#room(8);
    this.#view.setBigUint64(at, value, littleEndian);
    return this;
  }
  octets(value: Uint8Array): this {
    const at = this.#room(value.length);
    this.#octets.set(value, at);
    return this;
  }
  /** What was written, as a copy of its own. */
  finish(): Uint8Array {
    return this.#octets.slice(0, this.#length);
  }
}
