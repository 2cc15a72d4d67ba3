const blanks = ' \t\n\r';

/**
 * The value of one member of a JSON object, as its text has it, without the blanks between its parts: so numbers keep
 * every digit. `undefined`: there is none. Of two with the same name the last counts. `text` is one that JSON.parse takes.
 */
export function jsonMember(text: string, name: string): string | undefined {
  let found: string | undefined;
  let depth = 0;
  let key: unknown;
  let isValue = false;
  let parts: string[] = [];
  let from = 0;
  let at = 0;
  while (at < text.length) {
    const start = at;
    const character = text[at]!;
    at = character === '"' ? endOfString(text, at) : at + 1;
    const isEnd = depth === 1 && (character === ',' || character === '}');
    if (blanks.includes(character) || isEnd) {
      if (isValue) parts.push(text.slice(from, start));
      from = at;
    }
    if (isEnd) {
      if (key === name) found = parts.join('');
      isValue = false;
    } else if (depth === 1 && !isValue) {
      if (character === '"') key = JSON.parse(text.slice(start, at));
      if (character === ':') {
        isValue = true;
        parts = [];
        from = at;
      }
    } else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
  }
  return found;
}

/** Past the closing quote of the string that begins there. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}
