export type RequestJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly detail: string };

/** A command's fields are at most a list in an object in an object; what is nested deeper would cost stack elsewhere. */
export const MAX_DEPTH = 16;

const decoder = new TextDecoder('utf-8', { fatal: true });

/** The value in a request's body. Never throws. */
export function parseRequestJson(octets: Uint8Array): RequestJson {
  if (octets.length === 0) return refuse('The body is empty; send a JSON object.');
  let text: string;
  try {
    text = decoder.decode(octets);
  } catch {
    return refuse('The body is not UTF-8.');
  }
  // Before parsing: a reviver, and whoever writes the value to a log, walks it on the call stack.
  if (depthOf(text) > MAX_DEPTH) return refuse(`The body is nested deeper than ${MAX_DEPTH} levels.`);
  try {
    let isPoisoned = false;
    const value: unknown = JSON.parse(text, (key, each: unknown) => {
      isPoisoned ||= key === '__proto__';
      return each;
    });
    return isPoisoned
      ? refuse('The body has a key "__proto__", which is no name of anything here.')
      : { ok: true, value };
  } catch (error) {
    return refuse(`The body is not JSON: ${(error as Error).message.slice(0, 200)}.`);
  }
}

function refuse(detail: string): RequestJson {
  return { ok: false, detail };
}

/** How deep the brackets outside of strings go. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (isInString) {
      if (character === '\\') at += 1;
      else if (character === '"') isInString = false;
    } else if (character === '"') isInString = true;
    else if (character === '{' || character === '[') {
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else if (character === '}' || character === ']') depth -= 1;
  }
  return deepest;
}
