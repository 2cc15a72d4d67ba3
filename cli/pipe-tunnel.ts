import type { Duplex, Readable, Writable } from 'node:stream';
import type { Clock, Timer } from '../base/core/clock.js';
import { LinkError } from '../protocol/errors.js';

export interface PipeTunnelOptions {
  readonly tunnel: Duplex;
  readonly input: Readable;
  readonly output: Writable;
  /** When the input has ended, and all of it is sent: how long nothing may come until that is the end. */
  readonly waitMs: number;
  readonly clock: Clock;
  /** Ends it at once. */
  readonly signal: AbortSignal;
}

/**
 * Input into a tunnel, and what comes out of it to the output. A tunnel has no end of its own that one end could tell the
 * other: so it is over when nothing has come for a while. Rejects with LinkError `link-lost` when the gateway ends it.
 */
export function pipeTunnel({ tunnel, input, output, waitMs, clock, signal }: PipeTunnelOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    let isAllSent = false;
    let timer: Timer | undefined;
    const settle = (error?: Error): void => {
      timer?.cancel();
      signal.removeEventListener('abort', abort);
      input.unpipe(tunnel);
      input.off('end', sent).off('error', settle);
      tunnel.unpipe(output);
      tunnel.off('data', heard).off('error', settle).off('close', lost);
      if (error === undefined) resolve();
      else reject(error);
    };
    const abort = (): void => settle();
    const lost = (): void => settle(new LinkError('link-lost', 'the gateway ended the connection'));
    const quiet = (): void => {
      // What still waits on either side is no silence.
      if (tunnel.writableLength > 0 || output.writableLength > 0) heard();
      else settle();
    };
    const heard = (): void => {
      if (!isAllSent) return;
      timer?.cancel();
      timer = clock.after(waitMs, quiet);
    };
    const sent = (): void => {
      isAllSent = true;
      heard();
    };
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', abort, { once: true });
    input.on('end', sent).on('error', settle);
    tunnel.on('data', heard).on('error', settle).on('close', lost);
    input.pipe(tunnel, { end: false });
    tunnel.pipe(output, { end: false });
  });
}
