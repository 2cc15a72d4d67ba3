import { Turn as AnyTurn } from '../turn.js';
import { KeptMessages } from './kept-messages.js';

/** The turn of all clients. */
export class Turn extends AnyTurn {
  /** Those of all slow clients. */
  readonly kept = new KeptMessages();
}
