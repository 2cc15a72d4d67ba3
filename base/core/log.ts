/** One line an event: fields first, then what happened. pino's logger fits. Never hand it a secret. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(bindings: object): Log;
}

/** The longest text of a peer that gets into a log line. */
const MAX_PEER_TEXT = 120;

/** A peer's text made fit for a log line: control characters out, cut at 120 characters where nothing else is said. */
export function peerText(text: string, maxCharacters = MAX_PEER_TEXT): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out here
  const clean = text.slice(0, maxCharacters + 1).replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '·');
  return clean.length > maxCharacters ? `${clean.slice(0, maxCharacters)}…` : clean;
}
