import { LinkError, ProtocolError } from '../../../protocol/errors.js';
import type { SessionCrypto } from '../../../protocol/iotsocket/proof.js';
import { type Address, addressText, type UnitAddress } from '../../core/address.js';
import { peerText } from '../../core/log.js';
import { SaidOnce } from '../../core/said-once.js';
import { strangerText } from '../../core/stranger-text.js';
import { TokenBucket } from '../../core/token-bucket.js';
import type { Carrier } from '../../links/carrier.js';
import { Link, type LinkPolicy } from '../../links/link.js';
import type { LinkEvents } from '../../links/link-session.js';
import { HEARTBEAT } from '../../links/link-watch.js';
import { aborted } from '../aborted.js';
import { Flapping } from '../flapping.js';
import type { Handler, HandlerContext, PendingCarrier, ServedUnit } from '../handler.js';
import { linkPresence } from '../link-presence.js';
import { notFound, reachUnit } from '../reach-unit.js';
import { UnitReports } from './reports.js';
import { Sleeper } from './sleeper.js';
import { UnitSession } from './unit-session.js';

/** Refusals of one unit that get a log line; all are counted. A value in the reason makes each of them new. */
const REFUSALS_LOGGED = { perSecond: 1 / 60, burst: 5 } as const;
/** Connections of strangers that get one, over all: the names they give are theirs to choose. */
const STRANGERS_LOGGED = { perSecond: 1, burst: 20 } as const;

export interface UnitDialectOptions {
  readonly crypto: SessionCrypto;
  /** Where units that dial in are taken; absent: nowhere. */
  readonly listen?: Address | undefined;
}

/** Typed units: messages of their definition over an IoTSocket session with mutual proof (wire/unit.md). */
export class UnitDialect implements Handler {
  readonly name = 'unit';
  readonly #options: UnitDialectOptions;
  readonly #flapping = new Flapping();
  readonly #said = new SaidOnce();
  readonly #served = new Map<string, Served>();
  #context: HandlerContext | undefined;
  #listening: Address | undefined;

  constructor(options: UnitDialectOptions) {
    this.#options = options;
  }

  async listen(context: HandlerContext): Promise<void> {
    const strangers = new TokenBucket(STRANGERS_LOGGED, context.clock.monotonic());
    for (const unit of context.units) this.#served.set(unit.uid, this.#serve(context, unit));
    const { listen } = this.#options;
    const listener =
      listen && (await context.accept(listen, (pending) => void this.#adopt(context, pending, strangers)));
    if (listener) context.log.info({ address: addressText(listener.address) }, 'units may dial in');
    this.#listening = listener?.address;
    this.#context = context;
    context.onFound((uid) => this.#isFound(context, uid));
    for (const served of this.#served.values()) this.#begin(context, served);
    context.ready();
    await aborted(context.signal);
    this.#context = undefined;
    for (const { sleeper } of this.#served.values()) sleeper?.stop();
    await Promise.allSettled([...this.#served.values()].map(({ link }) => link.stop()));
    await listener?.close();
  }

  /** Where units that dial in are taken, once it listens; `undefined`: nowhere. */
  get listening(): Address | undefined {
    return this.#listening;
  }

  /** Takes up one more unit, once the dialect listens. */
  serve(unit: ServedUnit): void {
    const context = this.#context;
    if (context === undefined || this.#served.has(unit.uid)) return;
    const served = this.#serve(context, unit);
    this.#served.set(unit.uid, served);
    this.#begin(context, served);
  }

  /** Lets go of a unit. Resolves when nothing of its link is left. */
  async release(uid: string): Promise<void> {
    const served = this.#served.get(uid);
    this.#served.delete(uid);
    served?.sleeper?.stop();
    await served?.link.stop();
  }

  #begin(context: HandlerContext, { unit, link }: Served): void {
    context.onCommand(unit.uid, (delivery) => link.deliver(delivery));
    link.start();
  }

  #isFound(context: HandlerContext, uid: string): void {
    const served = this.#served.get(uid);
    if (served === undefined) return;
    if (served.isMissing) context.presence(uid, { state: 'idle' });
    served.isMissing = false;
    served.link.hurry();
  }

  #serve(context: HandlerContext, unit: ServedUnit): Served {
    const { address, definition, uid } = unit;
    const policy: LinkPolicy = address === undefined ? 'accepted' : definition.kind === 'read' ? 'held' : 'onDemand';
    const refused = refusals(context);
    const { sleepMs } = definition;
    const ordinary = linkPresence(context, unit, policy);
    const sleeper =
      sleepMs === undefined || address !== undefined ? undefined : new Sleeper({ context, uid, sleepMs, ordinary });
    const link = new Link({
      policy,
      ...(address && {
        open: (events, signal) =>
          reachUnit(context, unit, signal, async (at) => {
            const carrier = await context.dial(at, signal, { isBackground: policy === 'held' });
            let met = uid;
            // What becomes of one place is no news of the link while there is another.
            const relayed = new RelayedEvents();
            const session = this.#session(context, carrier, relayed, (other) => {
              met = other;
              return other === uid ? served : undefined;
            });
            const opened = await session.start(signal).catch((error: Error) => {
              throw met === uid ? error : anotherUnit(unit, met, at);
            });
            relayed.to(events);
            return opened;
          }),
      }),
      claim: (signal) => context.claimLink(uid, signal),
      heartbeat: HEARTBEAT,
      pollMs: definition.pollMs,
      onState: (state) => (sleeper ? sleeper.linkIs(state) : ordinary(state)),
      ...(sleeper && { whyAway: () => sleeper.whyAway() }),
      clock: context.clock,
      random: context.random,
    });
    const isMissing = address === 'mdns' && context.placesOf(uid).length === 0;
    const served: Served = { unit, link, refused, sleeper, isMissing };
    if (policy === 'onDemand' && served.isMissing)
      context.presence(uid, { state: 'offline', reason: notFound(uid).message });
    else if (policy === 'onDemand') context.presence(uid, { state: 'idle' });
    sleeper?.start();
    return served;
  }

  #session(
    context: HandlerContext,
    carrier: Carrier,
    events: LinkEvents,
    find: (uid: string) => Served | undefined,
  ): UnitSession {
    const refused = (uid: string, error: ProtocolError): void => find(uid)?.refused(uid, error);
    return new UnitSession({
      carrier,
      crypto: this.#options.crypto,
      clock: context.clock,
      keyOf: (uid) => find(uid)?.unit.key,
      identified: (uid) => ({ uid, definition: find(uid)!.unit.definition }),
      events,
      hello: (hello) => context.hello(hello),
      drift: ({ uid, definition }, hello, differences) => {
        context.presence(uid, { drift: differences });
        const text = differences.join('; ');
        if (!this.#said.isNew(`drift ${uid}`, text) || differences.length === 0) return;
        context.log.warn(
          { unit: uid, definition: definition.name, version: peerText(hello.version), differences },
          `${uid} runs ${definition.name} ${peerText(hello.version)}: ${text}. Regenerate and flash: baseunit flash ${definition.name}`,
        );
      },
      connected: (uid) => context.connected({ unit: uid, remoteAddress: carrier.remote, source: carrier }),
      reports: new UnitReports(context, refused),
      refused,
    });
  }

  /** A unit has dialled us: who it is shows when it has proved itself. */
  async #adopt(context: HandlerContext, pending: PendingCarrier, strangers: TokenBucket): Promise<void> {
    const served = this.#served;
    const { carrier } = pending;
    const relayed = new RelayedEvents();
    const host = carrier.remote.slice(0, carrier.remote.lastIndexOf(':'));
    const session = this.#session(context, carrier, relayed, (uid) => {
      const unit = served.get(uid);
      return unit?.unit.address === undefined ? unit : undefined;
    });
    const opened = session.start(context.signal);
    opened.catch(() => {});
    try {
      const { uid } = await session.identified;
      pending.proved();
      if (!this.#flapping.allows(uid, host, context.clock.monotonic()))
        throw new LinkError('link-busy', `${uid} connects too often; two devices may have its UID and key`);
      await served.get(uid)!.link.adopt((events, signal) => {
        relayed.to(events);
        signal.addEventListener('abort', () => session.fail(signal.reason), { once: true });
        return opened;
      });
      // Only when a newer connection of the unit, or the base's end, came first.
      session.fail(new LinkError('link-lost', 'the unit connected once more'));
    } catch (error) {
      session.fail(error as Error);
      context.count('connections refused');
      const reason = peerText((error as Error).message);
      if (this.#said.isNew(host, reason) && strangers.take(context.clock.monotonic()))
        context.log.warn({ address: carrier.remote, reason }, 'a connection was refused');
    }
  }
}

interface Served {
  readonly unit: ServedUnit;
  readonly link: Link;
  readonly refused: (uid: string, error: ProtocolError) => void;
  /** Of a unit that sleeps. */
  readonly sleeper: Sleeper | undefined;
  /** Nobody knows yet where it is. */
  isMissing: boolean;
}

const anotherUnit = ({ uid }: ServedUnit, met: string, address: UnitAddress): Error =>
  new ProtocolError('uid-unexpected', `${strangerText(address, met, uid)}; correct the address or the name`);

/** Counts what a unit sends and is refused, and says it, within bounds. */
function refusals(context: HandlerContext): Served['refused'] {
  const said = new SaidOnce();
  const bucket = new TokenBucket(REFUSALS_LOGGED, context.clock.monotonic());
  return (uid, error) => {
    context.refused(uid);
    context.count('transmissions refused');
    if (!said.isNew(error.code, error.message) || !bucket.take(context.clock.monotonic())) return;
    context.log.warn({ unit: uid, code: error.code, reason: peerText(error.message) }, 'refused');
  };
}

/** A session's events, for a link that is known only later. */
class RelayedEvents implements LinkEvents {
  #target: LinkEvents | undefined;
  #end: { readonly error: Error | undefined } | undefined;

  to(target: LinkEvents): void {
    this.#target = target;
    if (this.#end !== undefined) target.closed(this.#end.error);
  }
  inbound(): void {
    this.#target?.inbound();
  }
  closed(error: Error | undefined): void {
    this.#end = { error };
    this.#target?.closed(error);
  }
}
