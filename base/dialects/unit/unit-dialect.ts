import { LinkError, ProtocolError } from '../../../protocol/errors.js';
import type { SessionCrypto } from '../../../protocol/iotsocket/proof.js';
import { type Address, addressText } from '../../core/address.js';
import { peerText } from '../../core/log.js';
import { SaidOnce } from '../../core/said-once.js';
import { TokenBucket } from '../../core/token-bucket.js';
import type { Carrier } from '../../links/carrier.js';
import { Link, type LinkPolicy } from '../../links/link.js';
import type { LinkEvents } from '../../links/link-session.js';
import { HEARTBEAT } from '../../links/link-watch.js';
import { aborted } from '../aborted.js';
import { Flapping } from '../flapping.js';
import type { Handler, HandlerContext, PendingCarrier, ServedUnit } from '../handler.js';
import { linkPresence } from '../link-presence.js';
import { UnitReports } from './reports.js';
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

  constructor(options: UnitDialectOptions) {
    this.#options = options;
  }

  async listen(context: HandlerContext): Promise<void> {
    const strangers = new TokenBucket(STRANGERS_LOGGED, context.clock.monotonic());
    const served = new Map(context.units.map((unit) => [unit.uid, this.#serve(context, unit)]));
    const { listen } = this.#options;
    const listener =
      listen && (await context.accept(listen, (pending) => void this.#adopt(context, served, pending, strangers)));
    if (listener) context.log.info({ address: addressText(listener.address) }, 'units may dial in');
    for (const { unit, link } of served.values()) {
      context.onCommand(unit.uid, (delivery) => link.deliver(delivery));
      link.start();
    }
    context.ready();
    await aborted(context.signal);
    await Promise.allSettled([...served.values()].map(({ link }) => link.stop()));
    await listener?.close();
  }

  #serve(context: HandlerContext, unit: ServedUnit): Served {
    const { address, definition, uid } = unit;
    const policy: LinkPolicy = address === undefined ? 'accepted' : definition.kind === 'read' ? 'held' : 'onDemand';
    const refused = refusals(context);
    const link = new Link({
      policy,
      ...(address && {
        open: async (events, signal) => {
          const carrier = await context.dial(address, signal, { isBackground: policy === 'held' });
          let met = uid;
          const session = this.#session(context, carrier, events, (other) => {
            met = other;
            return other === uid ? served : undefined;
          });
          return session.start(signal).catch((error: Error) => {
            throw met === uid ? error : anotherUnit(unit, met, address);
          });
        },
      }),
      claim: (signal) => context.claimLink(uid, signal),
      heartbeat: HEARTBEAT,
      pollMs: definition.pollMs,
      onState: linkPresence(context, unit, policy),
      clock: context.clock,
      random: context.random,
    });
    const served: Served = { unit, link, refused };
    if (policy === 'onDemand') context.presence(uid, { state: 'idle' });
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
  async #adopt(
    context: HandlerContext,
    served: ReadonlyMap<string, Served>,
    pending: PendingCarrier,
    strangers: TokenBucket,
  ): Promise<void> {
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
}

const anotherUnit = ({ uid }: ServedUnit, met: string, address: Address): Error =>
  new ProtocolError(
    'uid-unexpected',
    `at ${addressText(address)} is unit ${JSON.stringify(peerText(met))}, not ${JSON.stringify(uid)}; correct the address or the name`,
  );

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
