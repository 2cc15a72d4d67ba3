import { type DestinationStream, pino } from 'pino';
import type { Log } from './core/log.js';

/** One JSON line an event, with its time, to a file's path, to a stream, or (the default) to stdout; written at once. */
export function logLines(level = 'info', to: DestinationStream | string | undefined = undefined): Log {
  const lines = typeof to === 'object' ? to : pino.destination({ dest: to ?? 1, append: to === undefined, sync: true });
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, lines);
}
