import { decodeDeviceList, decodeStatus } from '../../protocol/elfin/answers.js';
import { ProtocolError } from '../../protocol/errors.js';
import { concat } from '../../protocol/octets.js';

/** Octets of an answer: the list of a thousand devices has some 200 KiB, and a gateway may be set to have more of them. */
export const MAX_ANSWER_OCTETS = 4 * 1024 * 1024;

const LF = 0x0a;

/** A device as the gateway lists it. */
export interface ElfinDevice {
  readonly host: string;
  /** As the device writes it. */
  readonly mac: string;
  /** Local time of the gateway, in the format that it is set to. */
  readonly lastSeen: string;
  /** Seen within the last 60 s. */
  readonly isOnline: boolean;
}

/** Puts the lines of answers together. */
export class AnswerReader {
  #parts: Uint8Array[] = [];
  #length = 0;

  /** The next line, and what is behind it; `undefined`: it has no end yet. Throws ProtocolError `frame-too-long`. */
  take(chunk: Uint8Array): { readonly line: string; readonly rest: Uint8Array } | undefined {
    const end = chunk.indexOf(LF);
    const part = end === -1 ? chunk : chunk.subarray(0, end);
    this.#length += part.length;
    if (this.#length > MAX_ANSWER_OCTETS)
      throw new ProtocolError('frame-too-long', `an answer of more than ${MAX_ANSWER_OCTETS} octets`);
    this.#parts.push(part);
    if (end === -1) return undefined;
    const line = new TextDecoder().decode(concat(...this.#parts));
    this.#parts = [];
    this.#length = 0;
    return { line, rest: chunk.subarray(end + 1) };
  }
}

/** Whether there is a tunnel now. Throws ProtocolError `frame-malformed`. */
export function readStatus(line: string): boolean {
  return decodeStatus(line) ?? malformed();
}

/** Throws ProtocolError `frame-malformed`. */
export function readDevices(line: string): readonly ElfinDevice[] {
  return (decodeDeviceList(line) ?? malformed()).map(({ hostname, macaddress, lastseendate, status }) => ({
    host: hostname,
    mac: macaddress,
    lastSeen: lastseendate,
    isOnline: status === 'online',
  }));
}

function malformed(): never {
  throw new ProtocolError('frame-malformed', 'what came is no answer of an Elfin gateway');
}
