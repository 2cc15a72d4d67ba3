/** Data as text clients have them (wire/yamqtt.md): UTF-8, ended by the first `00`, or by the record. */

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The text in a message's data; what is no UTF-8 becomes U+FFFD. */
export function textOf(data: Uint8Array): string {
  const end = data.indexOf(0);
  return decoder.decode(end === -1 ? data : data.subarray(0, end));
}

/** A text as data, without the `00` that `encodeMessage` puts behind it where there is room. */
export const textData = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text);
