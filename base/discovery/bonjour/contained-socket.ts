import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';

export interface ContainedSocketOptions {
  /** Whether a datagram of that sender may be looked at now. */
  readonly accepts: (sender: RemoteInfo) => boolean;
  /** Longer ones are not. */
  readonly maxOctets: number;
  /** A datagram made a listener throw. */
  readonly failed: (error: Error) => void;
}

/**
 * A UDP socket whose listeners may throw at what a stranger sends without ending the process: libraries read datagrams in
 * them. Others on this machine may have the same port.
 */
export function containedSocket({ accepts, maxOctets, failed }: ContainedSocketOptions): Socket {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  const emit = socket.emit.bind(socket) as (event: string, ...given: unknown[]) => boolean;
  socket.emit = (event: string, ...given: unknown[]): boolean => {
    if (event !== 'message') return emit(event, ...given);
    const [{ length }, sender] = given as [Uint8Array, RemoteInfo];
    if (length > maxOctets || !accepts(sender)) return false;
    try {
      return emit(event, ...given);
    } catch (error) {
      failed(error as Error);
      return true;
    }
  };
  return socket;
}
