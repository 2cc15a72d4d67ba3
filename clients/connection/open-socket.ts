import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type ConnectOptions, connecting, placeText } from './connecting.js';
import { connectionOptions, type TlsOptions } from './tls-options.js';

/** TCP keep-alive: many are silent for hours, and a peer that lost power says nothing by itself. In ms. */
const KEEP_ALIVE_MS = 30_000;

export interface SocketPlace {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsOptions | undefined;
}

/**
 * A TCP connection, with TLS on it where `tls` is given. Rejects with LinkError `connect-failed` or `connect-timeout`, or with
 * the signal's reason; the time-out is for each of the two.
 */
export async function openSocket({ host, port, tls }: SocketPlace, options: ConnectOptions): Promise<Socket> {
  const remote = placeText(host, port);
  const plain = await connecting<Socket>(options, () => {
    const socket = connect({ host, port });
    return { ...begun(socket, remote), openEvent: 'connect', opened: () => socket };
  });
  plain.setNoDelay(true);
  plain.setKeepAlive(true, KEEP_ALIVE_MS);
  if (tls === undefined) return plain;
  // What goes wrong with it is told by the one on top.
  plain.on('error', () => {});
  return connecting<Socket>(options, () => {
    const socket = connectTls({ ...connectionOptions(tls, host), socket: plain });
    return { ...begun(socket, remote), openEvent: 'secureConnect', opened: () => socket };
  });
}

const begun = (socket: Socket, remote: string) => ({ socket, remote, destroy: () => void socket.destroy() });
