import { parentPort, workerData } from 'node:worker_threads';
import { doTask, type SideTask } from './side-task.js';
import { faultOf } from './sqlite-file.js';

/** A thread for one task, so that the store's own goes on taking what units report. */
try {
  doTask(workerData as SideTask);
  parentPort!.postMessage(null);
} catch (error) {
  parentPort!.postMessage(faultOf(error));
}
