/** What happens to a client, for `onEvent`. */
export type ClientEvent =
  /** The connection is open, and what was subscribed to is subscribed to. */
  | { readonly kind: 'connected'; readonly remote: string }
  /** The server says that something went wrong: it refused what was asked, dropped messages, or a command ended badly. */
  | { readonly kind: 'error'; readonly text: string }
  /** The server sent what no server sends; that message was left out. */
  | { readonly kind: 'misunderstood'; readonly error: Error }
  /** The connection is over. */
  | { readonly kind: 'closed'; readonly error: Error | undefined }
  /** With `reconnect`: the next attempt comes in so many ms. `error`: why the last one failed, or the connection ended. */
  | { readonly kind: 'retrying'; readonly inMs: number; readonly error: Error | undefined };

/** What was published on a flow that was subscribed to. */
export interface FlowMessage {
  readonly flow: number;
  /** 1 024 octets, as they were published. Theirs who get it: nobody changes them. */
  readonly data: Uint8Array;
  /** The data up to the first `00`, as UTF-8. */
  readonly text: string;
}
