import { noPayload, type PayloadBlock } from '../../../protocol/iotsocket/transmission.js';

/** An answer to a request, in the return codes of wire/iotsocket.md. */
export interface OwnAnswer {
  readonly code: number;
  readonly payload: PayloadBlock;
}

export interface OwnRequest {
  readonly uid: string;
  readonly payload: PayloadBlock;
  /** From now until the answer; past it the answer is `A1`, and the request is never delivered. */
  readonly timeoutMs: number;
  /** Who asked has gone: as past its time. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks an object, or a typed unit, in the base's own name: for the central over HTTP, and for commands. Never rejects:
 * no such object is `A0`, no answer in time `A1`.
 */
export type AskObject = (request: OwnRequest) => Promise<OwnAnswer>;

/** An answer without content. */
export const emptyAnswer = (code: number): OwnAnswer => ({
  code,
  payload: noPayload,
});
