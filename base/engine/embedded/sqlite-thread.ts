import { Worker } from 'node:worker_threads';
import { deferred } from '../../core/deferred.js';
import type { Fault, Opened } from './sqlite-file.js';
import type { SqlitePort } from './sqlite-port.js';

export interface WorkerData {
  readonly path: string;
  readonly stamp: string;
}

type SqliteMethod = Exclude<keyof SqlitePort, 'died'>;

export interface ToWorker {
  readonly id: number;
  readonly method: SqliteMethod;
  readonly parameters: readonly unknown[];
}

export type FromWorker =
  | { readonly opened: Opened }
  | { readonly notOpened: Fault }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly fault: Fault };

interface Asked {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The program of the thread, beside this file in what is compiled. */
const program = new URL('./sqlite-worker.js', import.meta.url);

/** Opens a file in a thread of its own. Rejects as `SqliteFile.open` throws. */
export function openInThread(
  path: string,
  stamp: string,
  source: URL = program,
): Promise<{ port: SqlitePort; opened: Opened }> {
  const worker = new Worker(source, { workerData: { path, stamp } satisfies WorkerData });
  const asked = new Map<number, Asked>();
  let nextId = 0;
  /** Why nothing can be asked any more. */
  let over: Error | undefined;
  let isClosing = false;
  const died = deferred<Error>();
  const call = (method: SqliteMethod, ...parameters: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (over !== undefined) return reject(over);
      nextId += 1;
      asked.set(nextId, { resolve, reject });
      worker.postMessage({ id: nextId, method, parameters } satisfies ToWorker);
    });
  const port = {
    runGroup: (group) => call('runGroup', group),
    all: (name, ...parameters) => call('all', name, ...parameters),
    change: (name, ...parameters) => call('change', name, ...parameters),
    size: () => call('size'),
    backup: (target) => call('backup', target),
    erase: (unit) => call('erase', unit),
    eraseFrom: (path, unit) => call('eraseFrom', path, unit),
    close: () => {
      isClosing = true;
      return call('close');
    },
    died: died.promise,
  } as SqlitePort;

  return new Promise((resolve, reject) => {
    const end = (error: Error): void => {
      over ??= error;
      if (!isClosing) died.resolve(over);
      reject(error);
      for (const { reject: refuse } of asked.values()) refuse(error);
      asked.clear();
    };
    worker.on('message', (message: FromWorker) => {
      if ('opened' in message) return resolve({ port, opened: message.opened });
      if ('notOpened' in message) return end(errorOf(message.notOpened));
      const waiting = asked.get(message.id);
      asked.delete(message.id);
      if ('fault' in message) waiting?.reject(errorOf(message.fault));
      else waiting?.resolve(message.value);
    });
    worker.on('error', end);
    worker.on('exit', () => end(new Error('the thread of the store has ended')));
  });
}

function errorOf({ code, message }: Fault): Error {
  return Object.assign(new Error(message), { code });
}
