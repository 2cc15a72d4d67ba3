/** What happens to a client, for `onEvent`. */
export type ClientEvent =
  /** The session is open. */
  | { readonly kind: 'connected'; readonly remote: string }
  /** The concentrator sent us on, there. */
  | { readonly kind: 'redirected'; readonly host: string; readonly port: number }
  /** Telemetry may be sent, with a token that came or was renewed. */
  | { readonly kind: 'token' }
  /** The session's connection is over. `code`: of the close transmission, theirs or ours; without one it dropped. */
  | { readonly kind: 'closed'; readonly code: number | undefined; readonly error: Error | undefined }
  /** With `reconnect`: the next attempt comes in so many ms. `error`: why the last one failed, or the session ended. */
  | { readonly kind: 'retrying'; readonly inMs: number; readonly error: Error | undefined }
  /** A handler threw, or gave an answer that cannot be sent; the requester got code `01`. */
  | { readonly kind: 'handlerFailed'; readonly error: Error }
  /** The system did not take a datagram, or the socket for them. */
  | { readonly kind: 'telemetryFailed'; readonly error: Error };

export type HearClient = (event: ClientEvent) => void;
