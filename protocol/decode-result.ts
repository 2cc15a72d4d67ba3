import type { ProtocolError } from './errors.js';

/** What decoding the front of a stream gives: a frame, the wish for more octets, or a fault that no more octets can mend. */
export type DecodeResult<T> =
  | { readonly kind: 'frame'; readonly value: T; readonly used: number }
  /** At least `needed` octets in all are wanted before it is worth trying again. */
  | { readonly kind: 'more'; readonly needed: number }
  | { readonly kind: 'bad'; readonly error: ProtocolError };

export const frame = <T>(value: T, used: number): DecodeResult<T> => ({ kind: 'frame', value, used });
export const more = (needed: number): DecodeResult<never> => ({ kind: 'more', needed });
export const bad = (error: ProtocolError): DecodeResult<never> => ({ kind: 'bad', error });
