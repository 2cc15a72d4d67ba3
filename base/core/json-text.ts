/** A fault in a JSON text, where an editor shows it: both counted from 1. */
export interface JsonFault {
  readonly line: number;
  readonly column: number;
  /** What is wrong there and what to do. */
  readonly what: string;
}

export type ParsedJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly fault: JsonFault };

/**
 * JSON as RFC 8259 has it, for a file that a person writes: the first fault comes with its line and column, and a name
 * that is there twice, which `JSON.parse` passes over in silence, is one; so is `__proto__`, which many readers of objects
 * stumble over, unless `isProtoAllowed`: then it is an own property as any other. Never throws.
 */
export function parseJsonText(text: string, isProtoAllowed = false): ParsedJson {
  const fault = new Scan(text, isProtoAllowed).fault();
  if (fault === undefined) return { ok: true, value: JSON.parse(text) };
  const before = text.slice(0, fault.at).split('\n');
  return { ok: false, fault: { line: before.length, column: before.at(-1)!.length + 1, what: fault.what } };
}

interface Fault {
  readonly at: number;
  readonly what: string;
}

type Expected = 'value' | 'value or ]' | 'name' | 'name or }' | 'colon' | 'comma or end' | 'nothing';

// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON refuses them in a string
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)(?!\w)/y;
const blanks = /[ \t\r\n]*/y;
const bareWord = /[A-Za-z_$][\w$-]*/y;

/** Walks a text once, with a stack of its own: depth costs no call stack. */
class Scan {
  readonly #text: string;
  readonly #isProtoAllowed: boolean;
  #at = 0;
  #expected: Expected = 'value';
  /** The names of each open object; `undefined` for an open array. */
  readonly #open: (Set<string> | undefined)[] = [];

  constructor(text: string, isProtoAllowed: boolean) {
    this.#text = text;
    this.#isProtoAllowed = isProtoAllowed;
  }

  fault(): Fault | undefined {
    for (;;) {
      this.#take(blanks);
      if (this.#at >= this.#text.length) return this.#faultAtEnd();
      const fault = this.#step(this.#text[this.#at]!);
      if (fault !== undefined) return fault;
    }
  }

  #step(character: string): Fault | undefined {
    const odd = this.#habit(character);
    if (odd !== undefined) return odd;
    switch (this.#expected) {
      case 'value':
      case 'value or ]':
        return this.#value(character);
      case 'name':
      case 'name or }':
        return this.#name(character);
      case 'colon':
        return character === ':' ? this.#next('value') : this.#wrong('a colon is missing here');
      case 'comma or end':
        return this.#commaOrEnd(character);
      case 'nothing':
        return this.#wrong('there is something behind the end of the value; take it out');
    }
  }

  #value(character: string): Fault | undefined {
    if (character === '{') return this.#enter(new Set(), 'name or }');
    if (character === '[') return this.#enter(undefined, 'value or ]');
    if (character === ']' && this.#expected === 'value or ]') return this.#leave();
    if (character === '"') return this.#string() === undefined ? this.#brokenString() : this.#after();
    if (this.#take(scalar) !== undefined) return this.#after();
    return this.#wrong(
      'a value is missing or not written as JSON has it; write a string in "…", a number, true, false, null, {…} or […]',
    );
  }

  #name(character: string): Fault | undefined {
    if (character === '}' && this.#expected === 'name or }') return this.#leave();
    const at = this.#at;
    if (character !== '"') {
      const word = this.#take(bareWord);
      return {
        at,
        what:
          word === undefined ? 'a name in "…" is missing here' : `${word} is a name without quotes; write "${word}"`,
      };
    }
    const quoted = this.#string();
    if (quoted === undefined) return this.#brokenString();
    const name = JSON.parse(quoted) as string;
    if (name === '__proto__' && !this.#isProtoAllowed)
      return { at, what: '"__proto__" cannot be a name here; take it out' };
    const names = this.#open.at(-1)!;
    if (names.has(name)) return { at, what: `${quoted} is there twice; take one of them out` };
    names.add(name);
    return this.#next('colon', false);
  }

  #commaOrEnd(character: string): Fault | undefined {
    const isObject = this.#open.at(-1) !== undefined;
    if (character === (isObject ? '}' : ']')) return this.#leave();
    if (character !== ',') return this.#wrong(`a comma or ${isObject ? '}' : ']'} is missing before this`);
    const comma = this.#at;
    this.#at += 1;
    this.#take(blanks);
    if (this.#text[this.#at] === '}' || this.#text[this.#at] === ']') {
      return { at: comma, what: `there is a comma before ${this.#text[this.#at]}; take it out` };
    }
    return this.#next(isObject ? 'name' : 'value', false);
  }

  /** What people bring along from JavaScript. */
  #habit(character: string): Fault | undefined {
    if (character === '/' || character === '#')
      return this.#wrong('there is a comment, which JSON does not have; take it out');
    if (character === "'") return this.#wrong('there is a single quote; write strings in "…"');
    return undefined;
  }

  #faultAtEnd(): Fault | undefined {
    if (this.#expected === 'nothing') return undefined;
    if (this.#open.length === 0) return this.#wrong('the text is empty; write {}');
    return this.#wrong(`the text ends too early: ${this.#open.at(-1) === undefined ? ']' : '}'} is missing`);
  }

  #string(): string | undefined {
    return this.#take(string);
  }

  #brokenString(): Fault {
    return this.#wrong(
      'this string does not end on its line, or holds a \\ or a control character that JSON does not know',
    );
  }

  #enter(names: Set<string> | undefined, expected: Expected): undefined {
    this.#open.push(names);
    this.#next(expected);
  }

  #leave(): undefined {
    this.#at += 1;
    this.#open.pop();
    this.#after();
  }

  #after(): undefined {
    this.#expected = this.#open.length === 0 ? 'nothing' : 'comma or end';
  }

  #next(expected: Expected, isCharacter = true): undefined {
    if (isCharacter) this.#at += 1;
    this.#expected = expected;
  }

  #wrong(what: string): Fault {
    return { at: this.#at, what };
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}
