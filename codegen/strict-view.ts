import { InternalError } from '../protocol/errors.js';

/**
 * A view whose unknown names throw. Handlebars' own `strict` misses names given to `#if`, `#each` and partials: they are
 * taken for false, and a misspelt template prints nothing.
 */
export function strictView<T extends object>(view: T, path = 'view'): T {
  const wrapped = Object.fromEntries(
    Object.entries(view).map(([name, value]) => [name, wrap(value, `${path}.${name}`)]),
  );
  return new Proxy(wrapped, {
    get(target, name) {
      // What every object has stays: Handlebars turns a view into text when it says what it misses.
      if (typeof name === 'string' && !(name in target)) {
        throw new InternalError('internal', `a template asks for ${path}.${name}, which is not there`);
      }
      return Reflect.get(target, name);
    },
  }) as T;
}

function wrap(value: unknown, path: string): unknown {
  if (Array.isArray(value)) return value.map((item, index) => wrap(item, `${path}[${index}]`));
  if (value === undefined) throw new InternalError('internal', `${path} is undefined; a view says null, false or []`);
  return typeof value === 'object' && value !== null ? strictView(value, path) : value;
}
