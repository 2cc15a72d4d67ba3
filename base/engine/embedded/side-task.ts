import { checkBackup, eraseFrom } from './sqlite-file.js';

/** Long work on a file that nobody else uses. */
export type SideTask =
  | { readonly kind: 'check'; readonly path: string }
  | { readonly kind: 'erase'; readonly path: string; readonly unit: string };

/** Does it; whoever calls does nothing else meanwhile. Throws as `checkBackup` and `eraseFrom` do. */
export function doTask(task: SideTask): void {
  if (task.kind === 'check') checkBackup(task.path);
  else eraseFrom(task.path, task.unit);
}
