import { checksum, decodeImprovData, IMPROV_DATA_AT, IMPROV_HEAD, type ImprovPacket } from './improv.js';

/**
 * Finds Improv packets in what comes over a serial line, whatever is between them: log lines, frames, boot messages at
 * another speed. A packet with a wrong checksum is looked through for one that begins inside it. Keeps at most one packet.
 */
export class ImprovReader {
  /** Begins as a packet does, as far as it goes. */
  #begun: number[] = [];

  /** Octets of a packet that has not ended yet. */
  get pending(): number {
    return this.#begun.length;
  }

  *push(chunk: Uint8Array): Generator<ImprovPacket> {
    for (const octet of chunk) {
      this.#begun.push(octet);
      yield* this.#look();
    }
  }

  *#look(): Generator<ImprovPacket> {
    while (this.#begun.length > 0) {
      if (!startsAsPacket(this.#begun)) {
        this.#skip();
        continue;
      }
      if (this.#begun.length < IMPROV_DATA_AT) return;
      const end = IMPROV_DATA_AT + this.#begun[IMPROV_DATA_AT - 1]!;
      // The `0a` behind the checksum is not waited for.
      if (this.#begun.length <= end) return;
      const octets = Uint8Array.from(this.#begun);
      if (checksum(octets.subarray(0, end)) !== octets[end]) {
        this.#skip();
        continue;
      }
      this.#begun = this.#begun.slice(end + 1);
      const packet = decodeImprovData(octets[IMPROV_DATA_AT - 2]!, octets.subarray(IMPROV_DATA_AT, end));
      if (packet !== undefined) yield packet;
    }
  }

  /** To where the next packet may begin. */
  #skip(): void {
    const next = this.#begun.indexOf(IMPROV_HEAD[0]!, 1);
    this.#begun = next === -1 ? [] : this.#begun.slice(next);
  }
}

const startsAsPacket = (octets: readonly number[]): boolean =>
  IMPROV_HEAD.every((wanted, at) => at >= octets.length || octets[at] === wanted);
