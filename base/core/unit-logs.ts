import { peerText } from './log.js';
import type { LogLine } from './messages.js';
import { TokenBucket } from './token-bucket.js';

/** Lines kept of one unit. */
export const MAX_UNIT_LINES = 200;
/** Of all units together, as they lie in memory. */
export const MAX_LOG_OCTETS = 4 * 1024 * 1024;
/** Lines of one unit that are taken; past it they are left out, and counted in the next that is taken. */
export const LOG_RATE = { perSecond: 5, burst: 100 } as const;
/** The longest line; of our own firmware they are shorter (protocol/unit/system-messages.ts). */
export const MAX_LINE_CHARACTERS = 1_024;

/** When there is no room, so much is made free at once: units are gone through seldom. */
const TRIMMED_OCTETS = (MAX_LOG_OCTETS / 8) * 7;
/** Of a unit in memory, and of a line beside its text. */
const UNIT_OCTETS = 300;
const LINE_OCTETS = 160;

/** What a unit wrote to its log, as its dialect hands it on. */
export type LogLineInput = Pick<LogLine, 'level' | 'text'>;

interface UnitLines {
  lines: LogLine[];
  octets: number;
  readonly rate: TokenBucket;
  leftOut: number;
}

/**
 * The last lines of units' own logs, in memory: they are gone when the base ends. One that writes without end pushes out its
 * own lines only; where all room is taken, those who take more than their equal share give.
 */
export class UnitLogs {
  /** The one that was silent the longest comes first. */
  readonly #units = new Map<string, UnitLines>();
  #octets = 0;

  /** Octets of all that is kept. */
  get octets(): number {
    return this.#octets;
  }

  /** Gives the line as it is kept; `undefined`: it is left out, for the unit writes too many. */
  add(unit: string, { level, text }: LogLineInput, at: number, monotonicMs: number): LogLine | undefined {
    const kept = this.#units.get(unit) ?? this.#begin(monotonicMs);
    this.#units.delete(unit);
    this.#units.set(unit, kept);
    if (!kept.rate.take(monotonicMs)) {
      kept.leftOut += 1;
      return undefined;
    }
    const line: LogLine = {
      kind: 'log',
      unit,
      level,
      text: ownText(peerText(text, MAX_LINE_CHARACTERS)),
      at,
      ...(kept.leftOut > 0 ? { leftOut: kept.leftOut } : {}),
    };
    kept.leftOut = 0;
    kept.lines.push(line);
    this.#count(kept, octetsOf(line));
    if (kept.lines.length > MAX_UNIT_LINES) this.#drop(kept);
    if (this.#octets > MAX_LOG_OCTETS) this.#trim();
    return line;
  }

  /** The oldest first. */
  of(unit: string): readonly LogLine[] {
    return [...(this.#units.get(unit)?.lines ?? [])];
  }

  forget(unit: string): void {
    this.#octets -= this.#units.get(unit)?.octets ?? 0;
    this.#units.delete(unit);
  }

  #begin(monotonicMs: number): UnitLines {
    const kept = { lines: [], octets: 0, rate: new TokenBucket(LOG_RATE, monotonicMs), leftOut: 0 };
    this.#count(kept, UNIT_OCTETS);
    return kept;
  }

  #trim(): void {
    const share = TRIMMED_OCTETS / this.#units.size;
    for (const [unit, kept] of this.#units) {
      if (this.#octets <= TRIMMED_OCTETS) return;
      while (kept.lines.length > 0 && kept.octets > share && this.#octets > TRIMMED_OCTETS) this.#drop(kept);
      if (kept.lines.length === 0) this.forget(unit);
    }
  }

  #drop(kept: UnitLines): void {
    this.#count(kept, -octetsOf(kept.lines.shift()!));
  }

  #count(kept: UnitLines, octets: number): void {
    kept.octets += octets;
    this.#octets += octets;
  }
}

const octetsOf = ({ text }: LogLine): number => LINE_OCTETS + 2 * text.length;

/** A text of its own: what was cut out of a longer one would keep all of that in memory. */
const ownText = (text: string): string => Buffer.from(text, 'utf16le').toString('utf16le');
