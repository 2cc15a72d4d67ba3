import { defaultIotsocketLimits } from '../../../../base/dialects/iotsocket/iotsocket-limits.js';
import { keyOf, Peer } from '../../../../base/dialects/iotsocket/peer.js';
import { Relay } from '../../../../base/dialects/iotsocket/relay.js';
import { Sessions } from '../../../../base/dialects/iotsocket/sessions.js';
import { TelemetryTokens } from '../../../../base/dialects/iotsocket/telemetry-tokens.js';
import { systemRandom } from '../../../../base/system.js';
import { ManualClock, settle } from '../../../support/manual-clock.js';
import { QuietLog } from '../../../support/quiet-log.js';
import { KEY } from './octet-peer.js';
import { MemoryStream } from './session-rig.js';

const GROUP = { telemetry: false, telemetryTokenLifeMs: 0, pingAfterMs: 15_000, deadAfterMs: 45_000 };
const unused = (): never => {
  throw new Error('not for this test');
};

/** Sessions and their relay without sockets: hundreds of sequences of events in a second. */
export class MemoryConcentrator {
  readonly clock = new ManualClock();
  readonly central = new Peer('', KEY, GROUP);
  readonly objects: readonly Peer[];
  readonly relay: Relay;
  readonly dropped: string[] = [];
  /** What is kept on disk. */
  readonly disk = new Set<number>();
  readonly #sessions: Sessions;
  #position = 0;
  #erasing: { readonly done: Promise<void>; readonly finish: () => void } | undefined;

  constructor(uids: readonly string[]) {
    const { clock, central } = this;
    this.objects = uids.map((uid) => new Peer(uid, KEY, GROUP));
    const limits = defaultIotsocketLimits;
    this.relay = new Relay({
      peers: new Map(this.objects.map((peer) => [keyOf(peer.uid), peer])),
      central,
      webhooks: undefined,
      units: { has: () => false, ask: unused },
      events: {
        requested: () => undefined,
        responded: unused,
        telemetry: unused,
        dropped: (what) => void this.dropped.push(what),
      },
      store: {
        keep: () => {
          this.#position += 1;
          this.disk.add(this.#position);
          return this.#position;
        },
        unkeep: async (positions) => {
          await this.#erasing?.done;
          for (const position of positions) this.disk.delete(position);
        },
      },
      tooSlow: unused,
      requestTimeoutMs: 10_000,
      limits,
      clock,
    });
    this.#sessions = new Sessions({
      relay: this.relay,
      tokens: new TelemetryTokens(systemRandom),
      central,
      hasTelemetry: false,
      keepSessionMs: 60_000,
      limits,
      replaceAccessList: unused,
      presence: () => {},
      refused: unused,
      clock,
      log: new QuietLog(),
    });
    this.#sessions.start();
  }

  open(peer: Peer): MemoryStream {
    const stream = new MemoryStream();
    stream.pause();
    const nothing = Buffer.alloc(0);
    this.#sessions.open(peer, { stream, address: '127.0.0.1', maxTransmission: 0, verdict: nothing, rest: nothing });
    return stream;
  }

  /** The disk takes its time for erasures, until {@link goOn}. */
  stall(): void {
    if (this.#erasing !== undefined) return;
    let finish = (): void => {};
    const done = new Promise<void>((resolve) => {
      finish = resolve;
    });
    this.#erasing = { done, finish };
  }

  goOn(): void {
    this.#erasing?.finish();
    this.#erasing = undefined;
  }

  async stop(): Promise<void> {
    this.goOn();
    this.relay.stop();
    const stopped = this.#sessions.stop();
    await this.clock.advance(2_000);
    await stopped;
    await settle();
  }
}
