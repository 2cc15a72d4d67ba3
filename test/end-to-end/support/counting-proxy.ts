import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Stands between a base and a unit, and counts. */
export interface CountingProxy {
  readonly address: string;
  /** Connections that were ever made. */
  readonly total: number;
  /** Connections that are open now. */
  readonly open: number;
  /** The most that were ever open at once. */
  readonly most: number;
  /** Everything the base wrote on each connection, in order. */
  readonly fromBase: readonly Uint8Array[][];
  /** From now on nothing passes and nothing closes: the peer has gone without a word. */
  freeze(): void;
  thaw(): void;
}

/** A TCP proxy to `target` (`host:port`) that passes octets and half-closes alike; gone after the test. */
export async function countingProxy(target: string): Promise<CountingProxy> {
  const [host = '', port = ''] = target.split(':');
  const sockets = new Set<Socket>();
  let isFrozen = false;
  const proxy = { address: '', total: 0, open: 0, most: 0, fromBase: [] as Uint8Array[][] };
  const server = createServer({ allowHalfOpen: true }, (fromBase) => {
    const octets: Uint8Array[] = [];
    proxy.fromBase.push(octets);
    proxy.total += 1;
    proxy.open += 1;
    proxy.most = Math.max(proxy.most, proxy.open);
    const toUnit = connect({ host, port: Number(port), allowHalfOpen: true });
    for (const socket of [fromBase, toUnit]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    fromBase.on('data', (chunk: Buffer) => {
      if (isFrozen) return;
      octets.push(Uint8Array.from(chunk));
      toUnit.write(chunk);
    });
    toUnit.on('data', (chunk: Buffer) => void (isFrozen || fromBase.write(chunk)));
    fromBase.on('end', () => toUnit.end());
    toUnit.on('end', () => void (isFrozen || fromBase.end()));
    toUnit.on('close', () => void (isFrozen || fromBase.destroy()));
    fromBase.on('close', () => {
      proxy.open -= 1;
      toUnit.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return Object.assign(proxy, {
    freeze: () => {
      isFrozen = true;
    },
    thaw: () => {
      isFrozen = false;
    },
  });
}
