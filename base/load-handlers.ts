import { pathToFileURL } from 'node:url';
import { ConfigurationError } from '../protocol/errors.js';
import { type Handler, handlerName, ownHandlers } from './dialects/handler.js';

/**
 * Handlers of the user's own, from modules whose default export is one or a list of them. `paths` are absolute. Rejects with
 * ConfigurationError `config-invalid`, which names the path.
 */
export async function loadHandlers(paths: readonly string[]): Promise<Handler[]> {
  const handlers: Handler[] = [];
  for (const path of paths) {
    let exported: unknown;
    try {
      ({ default: exported } = (await import(/* @vite-ignore */ pathToFileURL(path).href)) as { default?: unknown });
    } catch (cause) {
      throw invalid(`handlers: ${path} cannot be loaded: ${(cause as Error).message}`, cause);
    }
    for (const one of Array.isArray(exported) ? exported : [exported]) {
      if (!isHandler(one))
        throw invalid(
          `handlers: the default export of ${path} is no handler, and no list of them; write \`export default defineHandler({ name, listen(context), … })\``,
        );
      try {
        checkHandler(one, handlers);
      } catch (cause) {
        throw invalid(`handlers: ${path}: ${(cause as Error).message}`, cause);
      }
      handlers.push(one);
    }
  }
  return handlers;
}

/** Throws ConfigurationError `config-invalid` where it cannot be used beside those, or beside our own. */
export function checkHandler(handler: Handler, others: readonly Handler[]): void {
  if (!isHandler(handler)) throw invalid('that is no handler: it needs a name, and a function listen(context)');
  const { name } = handler;
  const shown = JSON.stringify(name);
  if (!handlerName.test(name))
    throw invalid(
      `${shown.slice(0, 80)} is no name for a handler: write a small letter, then at most 31 small letters, digits and "-"`,
    );
  if ((ownHandlers as readonly string[]).includes(name))
    throw invalid(`a handler may not be named ${shown}: the base has one of that name itself`);
  if (others.some((other) => other.name === name))
    throw invalid(`there is a handler named ${shown} already; give one of them another name`);
}

function isHandler(value: unknown): value is Handler {
  if (typeof value !== 'object' || value === null) return false;
  const { name, listen } = value as Partial<Handler>;
  return typeof name === 'string' && typeof listen === 'function';
}

const invalid = (message: string, cause?: unknown): ConfigurationError =>
  new ConfigurationError('config-invalid', message, { cause });
