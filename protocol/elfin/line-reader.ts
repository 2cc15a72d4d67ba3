import { ProtocolError } from '../errors.js';
import { concat } from '../octets.js';
import { DATA_FIELDS, isData, MAX_CONTROL_OCTETS, MAX_DATA_OCTETS } from './message.js';

const SEMICOLON = 0x3b;
const LF = 0x0a;
const CR = 0x0d;
const ZERO = 0x30;
const NINE = 0x39;
/** Digits of 2^32 - 1. */
const MAX_DIGITS = 10;
/** The longest length, and its `;`, behind a head; and the `\r` that a line may end in. */
const MAX_LENGTH_OCTETS = MAX_DIGITS + 1;

/** What a reader tells. A function that gives false: nothing more for now, until `read` is called again. */
export interface LineSink {
  /** A control message from `start` to `end`, without its end of line. */
  control(octets: Uint8Array, start: number, end: number): boolean;
  /** Data begins: its head from `start` to `end`, the fifth `;` its last octet; `length` octets of payload follow. */
  data(octets: Uint8Array, start: number, end: number, length: number): boolean;
  /** The next octets of the payload, from `start` to `end`. */
  payload(octets: Uint8Array, start: number, end: number): boolean;
}

type State = 'head' | 'payload' | 'end' | 'bad';

/**
 * Reads the framing `line` (wire/elfin.md), which may be cut anywhere: control messages end in `\n` (or `\r\n`), and data is
 * `data;<account>;<mac>;<host>;<type>;<n>;`, n octets, `\n`. Payload is told as it comes; at most one head is kept.
 */
export class LineReader {
  readonly #maxOctets: number;
  #state: State = 'head';
  /** The begin of a head that goes on in the next chunk. */
  #kept: Uint8Array | undefined;
  #payloadLeft = 0;
  // What `#scan` found: where it ends without what ends it, and the length of the payload; below 0: it is no data.
  #headEnd = 0;
  #length = 0;

  constructor(maxOctets = MAX_CONTROL_OCTETS) {
    this.#maxOctets = maxOctets;
  }

  /** Octets kept of a head that has not ended yet. */
  get pending(): number {
    return this.#kept?.length ?? 0;
  }

  /**
   * Reads from `at`; gives how far it has come: less than the length of the chunk where the sink wants no more for now. Then
   * what is left is to be read next. ProtocolError: the stream makes no sense from here on. `frame-too-long`: a head of more
   * than `maxOctets`; `frame-malformed`: the length is no number below 2^32, or there is no `\n` behind the data.
   */
  read(chunk: Uint8Array, at: number, sink: LineSink): number | ProtocolError {
    let here = at;
    let goesOn = true;
    while (goesOn && here < chunk.length) {
      switch (this.#state) {
        case 'head': {
          const next = this.#readHead(chunk, here, sink);
          if (typeof next !== 'number') return this.#bad(next);
          goesOn = next >= 0;
          here = Math.abs(next);
          break;
        }
        case 'payload': {
          const end = Math.min(chunk.length, here + this.#payloadLeft);
          this.#payloadLeft -= end - here;
          if (this.#payloadLeft === 0) this.#state = 'end';
          goesOn = sink.payload(chunk, here, end);
          here = end;
          break;
        }
        case 'end':
          if (chunk[here] !== LF) return this.#bad(malformed('there is no end of line behind the data'));
          this.#state = 'head';
          here += 1;
          break;
        case 'bad':
          return malformed('the stream made no sense before');
      }
    }
    return here;
  }

  /** How far it has come, negative when the sink wants no more. */
  #readHead(chunk: Uint8Array, at: number, sink: LineSink): number | ProtocolError {
    const kept = this.#kept;
    if (kept === undefined) {
      const end = this.#scan(chunk, at, chunk.length);
      if (typeof end !== 'number') return end;
      if (end < 0) {
        this.#kept = Uint8Array.from(chunk.subarray(at));
        return chunk.length;
      }
      return this.#tell(chunk, at, sink) ? end : -end;
    }
    const most = this.#maxOctets + MAX_LENGTH_OCTETS + 1 - kept.length;
    const head = concat(kept, chunk.subarray(at, at + most));
    const end = this.#scan(head, 0, head.length);
    if (typeof end !== 'number') return end;
    if (end < 0) {
      this.#kept = head;
      return chunk.length;
    }
    this.#kept = undefined;
    const next = at + end - kept.length;
    return this.#tell(head, 0, sink) ? next : -next;
  }

  /** The head that was found at `start`. */
  #tell(octets: Uint8Array, start: number, sink: LineSink): boolean {
    if (this.#length < 0) return sink.control(octets, start, this.#headEnd);
    this.#payloadLeft = this.#length;
    this.#state = this.#length === 0 ? 'end' : 'payload';
    return sink.data(octets, start, this.#headEnd, this.#length);
  }

  /** Where the head that begins at `start` ends; -1: not before `end`. */
  #scan(octets: Uint8Array, start: number, end: number): number | ProtocolError {
    return isData(octets, start, end) ? this.#scanData(octets, start, end) : this.#scanControl(octets, start, end);
  }

  #scanControl(octets: Uint8Array, start: number, end: number): number | ProtocolError {
    const last = Math.min(end, start + this.#maxOctets + 2);
    for (let at = start; at < last; at += 1) {
      if (octets[at] !== LF) continue;
      const headEnd = at > start && octets[at - 1] === CR ? at - 1 : at;
      if (headEnd - start > this.#maxOctets) return this.#tooLong();
      this.#headEnd = headEnd;
      this.#length = -1;
      return at + 1;
    }
    // A `\r` may be the first half of its end.
    const length = end - start - (octets[end - 1] === CR ? 1 : 0);
    return length > this.#maxOctets ? this.#tooLong() : -1;
  }

  #scanData(octets: Uint8Array, start: number, end: number): number | ProtocolError {
    const last = Math.min(end, start + this.#maxOctets);
    let semicolons = 1;
    let at = start + 5;
    for (; at < last && semicolons < DATA_FIELDS; at += 1) {
      const octet = octets[at];
      if (octet === LF) return malformed('data has too few fields');
      if (octet === SEMICOLON) semicolons += 1;
    }
    if (semicolons < DATA_FIELDS) return end - start >= this.#maxOctets ? this.#tooLong() : -1;
    this.#headEnd = at;
    let length = 0;
    for (const first = at; at < end; at += 1) {
      const octet = octets[at]!;
      if (octet === SEMICOLON && at > first && length <= MAX_DATA_OCTETS) {
        this.#length = length;
        return at + 1;
      }
      if (octet < ZERO || octet > NINE || at - first >= MAX_DIGITS)
        return malformed('the length of data is no number below 2^32');
      length = length * 10 + octet - ZERO;
    }
    return -1;
  }

  #bad(error: ProtocolError): ProtocolError {
    this.#state = 'bad';
    this.#kept = undefined;
    return error;
  }

  #tooLong(): ProtocolError {
    return new ProtocolError('frame-too-long', `a message of more than ${this.#maxOctets} octets beside its payload`);
  }
}

const malformed = (what: string): ProtocolError => new ProtocolError('frame-malformed', what);
