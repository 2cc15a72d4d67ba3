import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

export interface FloodOptions {
  readonly port: number;
  /** Connections that say nothing. */
  readonly silent: number;
  /** That ask for TLS, and then say nothing. */
  readonly inTls: number;
  /** That send one octet a second of an opening, right so far. */
  readonly dripping: number;
  /** The address of all; else each has one of its own. */
  readonly from: string | undefined;
}

/** Strangers by the thousand, in a thread of their own. Who is cut comes again after a second. */
export interface ConnectionFlood {
  /** How often they have connected so far. */
  connected(): number;
  stop(): Promise<void>;
}

/** An initiation, and the beginning of a UID. */
const DRIPPING = '0100000000000000000000000000000000000000';

/** Resolves when each of them has connected once. */
export async function startFlood(options: FloodOptions): Promise<ConnectionFlood> {
  const connected = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(
    `const { connect } = require('node:net');
     const { parentPort, workerData } = require('node:worker_threads');
     const { options: { port, silent, inTls, dripping, from }, connected, drip } = workerData;
     const octets = Buffer.from(drip, 'hex');
     const initiation = Buffer.from('81000800', 'hex');
     const all = silent + inTls + dripping;
     const there = new Set();
     const drips = new Map();
     setInterval(() => {
       for (const [socket, at] of drips) {
         socket.write(octets.subarray(at, at + 1));
         drips.set(socket, (at + 1) % octets.length);
       }
     }, 1000);
     const begin = (index) => {
       const localAddress = from ?? '127.1.' + (index >> 8) + '.' + (index & 255);
       const socket = connect({ host: '127.0.0.1', port, localAddress });
       socket.on('error', () => {});
       socket.on('connect', () => {
         Atomics.add(connected, 0, 1);
         if (there.size < all && there.add(index).size === all) parentPort.postMessage('all');
         if (index >= silent + inTls) drips.set(socket, 0);
         else if (index >= silent) socket.write(initiation);
       });
       socket.on('data', () => {});
       socket.on('close', () => {
         drips.delete(socket);
         setTimeout(begin, 1000, index);
       });
     };
     for (let index = 0; index < all; index += 1) begin(index);`,
    { eval: true, workerData: { options, connected, drip: DRIPPING } },
  );
  await once(worker, 'message');
  return {
    connected: () => Atomics.load(connected, 0),
    stop: async () => void (await worker.terminate()),
  };
}
