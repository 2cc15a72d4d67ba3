import { fromHex } from '../protocol/octets.js';

/** Values of a definition as C++17 literals. */

const widest: Readonly<Record<string, string>> = { '-2147483648': '(-2147483647 - 1)' };

/** A whole number of −2³¹ … 2³²−1. */
export function integerLiteral(value: number): string {
  return widest[String(value)] ?? (value > 0x7fff_ffff ? `${value}u` : String(value));
}

/**
 * A number as f32: the fewest digits that mean exactly `Math.fround(value)` to a C++ compiler. Digits that land near the
 * middle between two floats are passed over: a compiler rounds them once, JavaScript twice.
 */
export function f32Literal(value: number): string {
  const rounded = Math.fround(value);
  if (Object.is(rounded, -0)) return '-0.0f';
  for (let digits = 1; digits <= 17; digits += 1) {
    const text = String(Number(rounded.toPrecision(digits)));
    if (Math.abs(Number(text) - rounded) <= Math.abs(rounded) * 2 ** -26) return `${withPoint(text)}f`;
  }
  return `${withPoint(String(rounded))}f`;
}

function withPoint(text: string): string {
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** A string literal; octets other than printable ASCII as three octal digits, which end by themselves. */
export function stringLiteral(text: string): string {
  let literal = '"';
  for (const octet of new TextEncoder().encode(text)) {
    const character = String.fromCharCode(octet);
    if (character === '"' || character === '\\' || character === '?') literal += `\\${character}`;
    else if (character === '\n') literal += '\\n';
    else if (octet >= 0x20 && octet < 0x7f) literal += character;
    else literal += `\\${octet.toString(8).padStart(3, '0')}`;
  }
  return `${literal}"`;
}

/** `0x3c, 0x96`, for an initialiser. */
export function octetsLiteral(octets: Uint8Array): string {
  return Array.from(octets, (octet) => `0x${octet.toString(16).padStart(2, '0')}`).join(', ');
}

/** `#ff8800` as `0xff, 0x88, 0x00`. */
export function rgbLiteral(colour: string): string {
  return octetsLiteral(fromHex(colour.slice(1)));
}
