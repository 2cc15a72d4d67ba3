import { jsonDepth } from '../../protocol/json-depth.js';

export type RequestJson =
  /** `text`: the body as it came. */
  | { readonly ok: true; readonly value: unknown; readonly text: string }
  /** `detail`: one or two sentences. */
  | { readonly ok: false; readonly detail: string };

const decoder = new TextDecoder('utf-8', { fatal: true });

/** The value in a request's body; what is nested deeper than `maxDepth` would cost stack elsewhere. Never throws. */
export function parseRequestJson(octets: Uint8Array, maxDepth: number): RequestJson {
  if (octets.length === 0) return refuse('The body is empty; send JSON.');
  let text: string;
  try {
    text = decoder.decode(octets);
  } catch {
    return refuse('The body is not UTF-8.');
  }
  // Before parsing: a reviver, and whoever writes the value to a log, walks it on the call stack.
  if (jsonDepth(text) > maxDepth) return refuse(`The body is nested deeper than ${maxDepth} levels.`);
  try {
    let isPoisoned = false;
    const value: unknown = JSON.parse(text, (key, each: unknown) => {
      isPoisoned ||= key === '__proto__';
      return each;
    });
    return isPoisoned
      ? refuse('The body has a key "__proto__", which is no name of anything here.')
      : { ok: true, value, text };
  } catch (error) {
    return refuse(`The body is not JSON: ${(error as Error).message.slice(0, 200)}.`);
  }
}

function refuse(detail: string): RequestJson {
  return { ok: false, detail };
}
