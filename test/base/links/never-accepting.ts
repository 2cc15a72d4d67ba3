import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

/** What a unit behind a broken cable looks like: a port of this machine that leaves every further connect without an answer. */
export interface NeverAccepting {
  readonly port: number;
  close(): Promise<void>;
}

/** A listener whose thread stands still, its accept queue filled: the kernel drops every SYN that comes after. */
export async function neverAccepting(): Promise<NeverAccepting> {
  const gate = new SharedArrayBuffer(4);
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     const server = require('node:net').createServer();
     server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       setImmediate(() => Atomics.wait(new Int32Array(workerData), 0, 0));
     });`,
    { eval: true, workerData: gate },
  );
  const [port] = (await once(worker, 'message')) as [number];
  const fillers: Socket[] = [];
  for (;;) {
    const filler = createConnection({ host: '127.0.0.1', port });
    filler.on('error', () => {});
    fillers.push(filler);
    const isIn = await Promise.race([
      once(filler, 'connect').then(() => true),
      // The only way to see that a SYN is dropped is that nothing comes for a while.
      new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 400)),
    ]);
    if (!isIn) break;
  }
  return {
    port,
    close: async () => {
      for (const filler of fillers) filler.destroy();
      Atomics.store(new Int32Array(gate), 0, 1);
      Atomics.notify(new Int32Array(gate), 0);
      await worker.terminate();
    },
  };
}
