import type { Log } from '../../base/core/log.js';

export interface LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

/** A log that keeps its lines for the test to look at, and prints nothing. */
export class QuietLog implements Log {
  readonly lines: LogEntry[];
  readonly #bindings: object;

  constructor(lines: LogEntry[] = [], bindings: object = {}) {
    this.lines = lines;
    this.#bindings = bindings;
  }

  debug(fields: object, message: string): void {
    this.#keep('debug', fields, message);
  }
  info(fields: object, message: string): void {
    this.#keep('info', fields, message);
  }
  warn(fields: object, message: string): void {
    this.#keep('warn', fields, message);
  }
  error(fields: object, message: string): void {
    this.#keep('error', fields, message);
  }
  child(bindings: object): Log {
    return new QuietLog(this.lines, { ...this.#bindings, ...bindings });
  }

  #keep(level: LogEntry['level'], fields: object, message: string): void {
    this.lines.push({ level, fields: { ...this.#bindings, ...fields }, message });
  }
}
