import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { Configuration } from '../../base/config/configuration.js';
import type { Address } from '../../base/core/address.js';

/** Where a base with this configuration listens. */
export interface Listener {
  /** In the configuration: `http.listen`. */
  readonly path: string;
  readonly transport: 'tcp' | 'udp';
  readonly address: Address;
}

/** Every listener of a configuration, in the order of its sections. */
export function listenersOf({ http, units, hub, iotsocket, connector, elfin, yamqtt }: Configuration): Listener[] {
  const all: readonly (readonly [path: string, address: Address | undefined, transport?: Listener['transport']])[] = [
    ['http.listen', http?.listen],
    ['units.listen', units?.listen],
    ['hub.listen', hub?.listen],
    ['iotsocket.tcp', iotsocket?.tcp],
    ['iotsocket.websocket', iotsocket?.websocket],
    ['iotsocket.udp', iotsocket?.udp, 'udp'],
    ['iotsocket.http', iotsocket?.http],
    ['connector.websocket', connector?.devices?.listen],
    ['connector.http', connector?.api?.listen],
    ...(elfin?.listeners ?? []).map(({ setting = 'tcp', listen }) => [`elfin.${setting}`, listen] as const),
    ['yamqtt.tcp', yamqtt?.listen],
  ];
  return all.flatMap(([path, address, transport = 'tcp']): Listener[] =>
    address === undefined ? [] : [{ path, transport, address }],
  );
}

/** Listens for a moment, and ends. Rejects with the system's error, which has a `code`. */
export function tryToListen({ transport, address }: Listener): Promise<void> {
  return transport === 'tcp' ? tryTcp(address) : tryUdp(address);
}

function tryTcp({ host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve()));
  });
}

function tryUdp({ host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', (error) => socket.close(() => reject(error)));
    socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => resolve()));
  });
}
