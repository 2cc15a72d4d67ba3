const spellings = /^(?:[0-9a-f]{12}|[0-9a-f]{2}(?::[0-9a-f]{2}){5}|[0-9a-f]{2}(?:-[0-9a-f]{2}){5})$/i;

/**
 * A MAC in capitals with colons (`F0:FE:6B:01:02:03`), however a device spells it: 12 hexadecimal digits, plain or in pairs
 * with `:` or `-`, any case. `undefined`: it is none.
 */
export function macOf(text: string): string | undefined {
  if (!spellings.test(text)) return undefined;
  return text.replaceAll(/[:-]/g, '').toUpperCase().match(/../g)!.join(':');
}
