import { Worker } from 'node:worker_threads';
import type { SideTask } from './side-task.js';
import type { Fault } from './sqlite-file.js';

/** The program of the thread, beside this file in what is compiled. */
const program = new URL('./side-worker.js', import.meta.url);

/** Does a task in a thread of its own, which then ends. */
export function doTaskAside(task: SideTask): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(program, { workerData: task });
    worker.on('message', (fault: Fault | null) => {
      if (fault === null) resolve();
      else reject(Object.assign(new Error(fault.message), { code: fault.code }));
    });
    worker.on('error', reject);
    worker.on('exit', () => reject(new Error('the thread ended before its task did')));
  });
}
