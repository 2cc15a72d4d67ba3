import { WebSocket } from 'ws';
import type { DeviceSession } from './device-session.js';

/**
 * A WebSocket that knows its session, and tells it what happens itself: listeners would be a table of its own for each of
 * ten thousand sockets.
 */
export class DeviceSocket extends WebSocket {
  session: DeviceSession | undefined;

  override emit(event: string | symbol, ...values: unknown[]): boolean {
    const { session } = this;
    switch (event) {
      case 'message':
        session?.message(values[0] as Buffer, values[1] as boolean);
        break;
      case 'ping':
        session?.pinged();
        break;
      case 'pong':
        session?.ponged();
        break;
      case 'error':
        session?.failed((values[0] as { readonly code?: string }).code);
        break;
      case 'close':
        session?.closed(values[0] as number);
        break;
    }
    return session !== undefined;
  }
}
