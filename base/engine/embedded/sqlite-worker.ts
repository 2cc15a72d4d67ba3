import { parentPort, workerData } from 'node:worker_threads';
import { doTaskAside } from './side-thread.js';
import { faultOf } from './sqlite-file.js';
import { openHere } from './sqlite-port.js';
import type { FromWorker, ToWorker, WorkerData } from './sqlite-thread.js';

/**
 * The thread that waits for the disk, so that no unit has to: it opens the file and does what it is asked, in that order.
 * Backups alone go on beside the rest: copied in pieces, checked and erased from in a thread of their own.
 */
const main = parentPort!;
const send = (message: FromWorker): void => main.postMessage(message);
const { path, stamp } = workerData as WorkerData;

try {
  const { port, opened } = await openHere(path, stamp, doTaskAside);
  main.on('message', async ({ id, method, parameters }: ToWorker) => {
    const call = port[method] as (...all: readonly unknown[]) => Promise<unknown>;
    try {
      send({ id, value: await call(...parameters) });
    } catch (error) {
      send({ id, fault: faultOf(error) });
    }
    if (method === 'close') main.close();
  });
  send({ opened });
} catch (error) {
  send({ notOpened: faultOf(error) });
  main.close();
}
