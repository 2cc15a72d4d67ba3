import { FINGERPRINT_OCTETS } from '../definition/fingerprint.js';
import { ProtocolError } from '../errors.js';
import { Cursor, OctetWriter, PastTheEnd } from '../octets.js';

/**
 * The messages that every typed unit has beside those of its definition (wire/unit.md, "Messages").
 * All are payload data: the message number, then fields, little-endian.
 */
export const systemNumbers = { hello: 0, describe: 112, restart: 113, log: 114 } as const;

/** Revision 1 tells no free heap. */
const HELLO_REVISION = 2;

/** The first request of every session. */
export interface Hello {
  readonly fingerprint: Uint8Array;
  readonly boot: number;
  /** Random per boot: tells a new boot from a reconnection, even when the number was used before. */
  readonly nonce: number;
  readonly kind: 'read' | 'updatable';
  readonly resetReason: number;
  /** Octets; `undefined`: the unit does not know, or does not tell (revision 1). */
  readonly freeHeap?: number | undefined;
  readonly definition: string;
  readonly version: string;
}

/** The answer to a hello: go on (`00`), or take a higher boot number and say hello again (`01`). */
export interface HelloAnswer {
  /** Ours; zeros when the definition is unknown here. */
  readonly fingerprint: Uint8Array;
  /** Unix ms; 0: unknown. */
  readonly timeMs: number;
  /** Last acknowledged sequence of this boot; 0: none. */
  readonly acknowledged: number;
  /** Commands to come, at most 255. */
  readonly waiting: number;
  /** 0: none. */
  readonly udpPort: number;
}

const kinds = ['read', 'updatable'] as const;
const MAX_DEFINITION_OCTETS = 32;
const MAX_VERSION_OCTETS = 24;
/** The longest text of a log message, in octets. */
const MAX_LOG_OCTETS = 200;
/** The longest piece of a descriptor in one answer, in octets. */
export const MAX_DESCRIBE_OCTETS = 512;
const logLevels = ['debug', 'info', 'warn', 'error'] as const;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function writeText(writer: OctetWriter, text: string): void {
  const octets = encoder.encode(text);
  writer.u8(octets.length).octets(octets);
}

function readText(cursor: Cursor, maxOctets: number): string {
  const length = cursor.u8();
  if (length > maxOctets)
    throw new ProtocolError('value-refused', `a text of ${length} octets; ${maxOctets} are allowed`);
  try {
    return decoder.decode(cursor.take(length));
  } catch (error) {
    if (error instanceof PastTheEnd) throw error;
    throw new ProtocolError('value-refused', 'a text is not UTF-8', { cause: error });
  }
}

/** Decodes all of `data` behind its message number; anything wrong becomes a ProtocolError with that code. */
function decodeWhole<T>(
  data: Uint8Array,
  code: 'hello-malformed' | 'value-refused',
  what: string,
  read: (cursor: Cursor) => T,
): T {
  const cursor = new Cursor(data, 1);
  try {
    const value = read(cursor);
    if (cursor.left > 0) throw new ProtocolError(code, `${what}: ${cursor.left} octets are left over`);
    return value;
  } catch (error) {
    if (error instanceof ProtocolError && error.code === code) throw error;
    throw new ProtocolError(code, `${what}: ${(error as Error).message}`, { cause: error });
  }
}

export function encodeHello(hello: Hello): Uint8Array {
  const writer = new OctetWriter()
    .u8(systemNumbers.hello)
    .u8(HELLO_REVISION)
    .octets(hello.fingerprint)
    .u32(hello.boot)
    .u32(hello.nonce)
    .u8(kinds.indexOf(hello.kind))
    .u8(hello.resetReason);
  writeText(writer, hello.definition);
  writeText(writer, hello.version);
  return writer.u32(hello.freeHeap ?? 0).finish();
}

/** Throws ProtocolError `hello-malformed`. */
export function decodeHello(data: Uint8Array): Hello {
  return decodeWhole(data, 'hello-malformed', 'the hello', (cursor) => {
    const revision = cursor.u8();
    if (revision < 1 || revision > HELLO_REVISION)
      throw new ProtocolError(
        'hello-malformed',
        `revision ${revision} of the unit messages is unknown; 1 to ${HELLO_REVISION} are known`,
      );
    const fingerprint = cursor.take(FINGERPRINT_OCTETS).slice();
    const boot = cursor.u32();
    const nonce = cursor.u32();
    const kind = kinds[cursor.u8()];
    if (kind === undefined)
      throw new ProtocolError('hello-malformed', 'the kind is neither read (0) nor updatable (1)');
    const resetReason = cursor.u8();
    const definition = readText(cursor, MAX_DEFINITION_OCTETS);
    const version = readText(cursor, MAX_VERSION_OCTETS);
    const freeHeap = revision === 1 ? 0 : cursor.u32();
    return { fingerprint, boot, nonce, kind, resetReason, freeHeap: freeHeap || undefined, definition, version };
  });
}

export function encodeHelloAnswer(answer: HelloAnswer): Uint8Array {
  return new OctetWriter()
    .u8(systemNumbers.hello)
    .octets(answer.fingerprint)
    .u64(BigInt(answer.timeMs))
    .u32(answer.acknowledged)
    .u8(answer.waiting)
    .u16(answer.udpPort)
    .finish();
}

export function decodeHelloAnswer(data: Uint8Array): HelloAnswer {
  return decodeWhole(data, 'hello-malformed', 'the answer to the hello', (cursor) => ({
    fingerprint: cursor.take(FINGERPRINT_OCTETS).slice(),
    timeMs: Number(cursor.u64()),
    acknowledged: cursor.u32(),
    waiting: cursor.u8(),
    udpPort: cursor.u16(),
  }));
}

/** What a hello is answered with, return code `01`, when its boot number was used before. */
export function encodeNextBoot(boot: number): Uint8Array {
  return new OctetWriter().u8(systemNumbers.hello).u32(boot).finish();
}

export function decodeNextBoot(data: Uint8Array): number {
  return decodeWhole(data, 'hello-malformed', 'the next boot number', (cursor) => cursor.u32());
}

export function encodeDescribe(offset: number): Uint8Array {
  return new OctetWriter().u8(systemNumbers.describe).u16(offset).finish();
}

export function decodeDescribe(data: Uint8Array): number {
  return decodeWhole(data, 'value-refused', 'describe', (cursor) => cursor.u16());
}

/** One piece of a unit's descriptor. */
export interface DescribePiece {
  readonly total: number;
  readonly octets: Uint8Array;
}

export function encodeDescribePiece(descriptor: Uint8Array, offset: number): Uint8Array {
  return new OctetWriter()
    .u8(systemNumbers.describe)
    .u16(descriptor.length)
    .octets(descriptor.subarray(offset, offset + MAX_DESCRIBE_OCTETS))
    .finish();
}

export function decodeDescribePiece(data: Uint8Array): DescribePiece {
  return decodeWhole(data, 'value-refused', 'a piece of the descriptor', (cursor) => ({
    total: cursor.u16(),
    octets: cursor.take(cursor.left).slice(),
  }));
}

export interface UnitLog {
  readonly level: (typeof logLevels)[number];
  readonly text: string;
}

export function encodeLog(log: UnitLog): Uint8Array {
  const writer = new OctetWriter().u8(systemNumbers.log).u8(logLevels.indexOf(log.level));
  writeText(writer, log.text);
  return writer.finish();
}

export function decodeLog(data: Uint8Array): UnitLog {
  return decodeWhole(data, 'value-refused', 'a log line', (cursor) => {
    const level = logLevels[cursor.u8()];
    if (level === undefined) throw new ProtocolError('value-refused', 'the level of a log line is not 0 to 3');
    return { level, text: readText(cursor, MAX_LOG_OCTETS) };
  });
}

/** Restart after that many ms. */
export function encodeRestart(delayMs: number): Uint8Array {
  return new OctetWriter().u8(systemNumbers.restart).u16(delayMs).finish();
}

export function decodeRestart(data: Uint8Array): number {
  return decodeWhole(data, 'value-refused', 'restart', (cursor) => cursor.u16());
}
