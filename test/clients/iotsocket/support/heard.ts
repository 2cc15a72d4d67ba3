import type { ClientEvent, HearClient } from '../../../../clients/iotsocket/index.js';
import { within } from './scripted-peer.js';

type Kind = ClientEvent['kind'];
type EventOf<K extends Kind> = Extract<ClientEvent, { readonly kind: K }>;

/** Everything that a client tells, to wait for. */
export class Heard {
  readonly events: ClientEvent[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(client: { onEvent(hear: HearClient): unknown }) {
    client.onEvent((event) => {
      this.events.push(event);
      for (const look of [...this.#waiting]) look();
    });
  }

  get kinds(): Kind[] {
    return this.events.map(({ kind }) => kind);
  }

  /** The `nth` event of that kind, now or later. */
  event<K extends Kind>(kind: K, nth = 1): Promise<EventOf<K>> {
    return within(`${kind} ${nth}; heard: ${this.kinds}`, (resolve) => {
      const look = (): void => {
        const found = this.events.filter((event): event is EventOf<K> => event.kind === kind)[nth - 1];
        if (found === undefined) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }
}
