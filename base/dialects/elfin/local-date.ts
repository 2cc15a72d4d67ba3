/** Offsets of a zone change at most at quarters of an hour. */
const QUARTER_MS = 15 * 60_000;
/** Quarters remembered; past it all are forgotten. A list has devices of many. */
const MAX_QUARTERS = 4_096;
const placeholders = /YYYY|MM|DD|HH|mm|ss/g;

/** Moments as they are written where the users are: `2026. 11. 20. 14:05:09`. */
export class LocalDates {
  readonly #pattern: string;
  readonly #zone: Intl.DateTimeFormat;
  /** How far local time is ahead, in ms, by quarter: asking for it costs a hundred times what the rest does. */
  readonly #offsets = new Map<number, number>();

  /** An IANA name, and a pattern of YYYY, MM, DD, HH, mm, ss. Throws RangeError for a time zone that there is not. */
  constructor(timeZone: string, pattern: string) {
    this.#pattern = pattern;
    this.#zone = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /** Unix ms. */
  text(at: number): string {
    const local = new Date(at + this.#offset(Math.floor(at / QUARTER_MS)));
    const two = (number: number): string => String(number).padStart(2, '0');
    return this.#pattern.replace(placeholders, (part) => {
      switch (part) {
        case 'YYYY':
          return String(local.getUTCFullYear()).padStart(4, '0');
        case 'MM':
          return two(local.getUTCMonth() + 1);
        case 'DD':
          return two(local.getUTCDate());
        case 'HH':
          return two(local.getUTCHours());
        case 'mm':
          return two(local.getUTCMinutes());
        default:
          return two(local.getUTCSeconds());
      }
    });
  }

  #offset(quarter: number): number {
    const known = this.#offsets.get(quarter);
    if (known !== undefined) return known;
    const at = quarter * QUARTER_MS;
    const part: Record<string, number> = {};
    for (const { type, value } of this.#zone.formatToParts(at)) part[type] = Number(value);
    const { year, month, day, hour, minute, second } = part as Record<
      'year' | 'month' | 'day' | 'hour' | 'minute' | 'second',
      number
    >;
    const offset = Date.UTC(year, month - 1, day, hour, minute, second) - at;
    if (this.#offsets.size >= MAX_QUARTERS) this.#offsets.clear();
    this.#offsets.set(quarter, offset);
    return offset;
  }
}
