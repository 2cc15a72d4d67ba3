import { noPayload, type PayloadBlock, returnCodes } from '../../protocol/iotsocket/transmission.js';
import { blockToSend, type OutgoingPayload, ReceivedPayload } from './payloads.js';

/** Requests whose handler is not done. Past it the answer is `01` at once: a full queue refuses aloud. */
export const MAX_HANDLED = 1_024;

/** An answer to a request. `code`: `00` if left out. */
export interface Reply {
  readonly code?: number | undefined;
  readonly payload?: OutgoingPayload | undefined;
}

/** Nothing given back is a valid answer without content. */
export type RequestHandler = (uid: string, payload: ReceivedPayload) => Reply | undefined | Promise<Reply | undefined>;

export interface IncomingRequestsOptions {
  readonly answer: (code: number, payload: PayloadBlock, to: Requester) => void;
  readonly failed: (error: Error) => void;
}

/** Who asked, and with which number. */
export interface Requester {
  readonly uid: string;
  readonly tracking: number;
}

/** Gives requests to the handler, and its answers back. What a handler answers at once is answered at once. */
export class IncomingRequests {
  readonly #options: IncomingRequestsOptions;
  #handler: RequestHandler | undefined;
  #underWay = 0;

  constructor(options: IncomingRequestsOptions) {
    this.#options = options;
  }

  set handler(handler: RequestHandler) {
    this.#handler = handler;
  }

  take(requester: Requester, block: PayloadBlock): void {
    if (this.#handler === undefined || this.#underWay >= MAX_HANDLED) return this.#refuse(requester);
    try {
      const reply = this.#handler(requester.uid, new ReceivedPayload(block));
      if (!isPromise(reply)) return this.#reply(requester, reply);
      this.#underWay += 1;
      void Promise.resolve(reply)
        .finally(() => {
          this.#underWay -= 1;
        })
        .then((later) => this.#reply(requester, later))
        .catch((error: Error) => this.#fail(requester, error));
    } catch (error) {
      this.#fail(requester, error as Error);
    }
  }

  #reply(requester: Requester, reply: Reply | undefined): void {
    const code = reply?.code ?? returnCodes.valid;
    if (!Number.isInteger(code) || code < 0 || code > 0xff) throw new RangeError(`${code} is no return code`);
    this.#options.answer(code, blockToSend(reply?.payload), requester);
  }

  #fail(requester: Requester, error: Error): void {
    this.#refuse(requester);
    this.#options.failed(error);
  }

  #refuse(requester: Requester): void {
    this.#options.answer(returnCodes.notValid, noPayload, requester);
  }
}

/** Also of another library, or another realm. */
const isPromise = (reply: object | undefined): reply is Promise<Reply | undefined> =>
  reply !== undefined && 'then' in reply;
