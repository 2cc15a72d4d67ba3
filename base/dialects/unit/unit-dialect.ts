import { LinkError } from '../../../protocol/errors.js';
import type { SessionCrypto } from '../../../protocol/iotsocket/proof.js';
import { type Address, addressText } from '../../core/address.js';
import { peerText } from '../../core/log.js';
import { SaidOnce } from '../../core/said-once.js';
import type { Carrier } from '../../links/carrier.js';
import { HEARTBEAT, Link, type LinkPolicy, OPENING_MS } from '../../links/link.js';
import type { LinkEvents } from '../../links/link-session.js';
import type { Dialect, DialectContext, PendingCarrier, ServedUnit } from '../dialect.js';
import { linkPresence } from '../link-presence.js';
import { UnitReports } from './reports.js';
import { UnitSession } from './unit-session.js';

export interface UnitDialectOptions {
  readonly crypto: SessionCrypto;
  /** Where units that dial in are taken; absent: nowhere. */
  readonly listen?: Address | undefined;
}

/** Typed units: messages of their definition over an IoTSocket session with mutual proof (wire/unit.md). */
export class UnitDialect implements Dialect {
  readonly name = 'unit';
  readonly #options: UnitDialectOptions;

  constructor(options: UnitDialectOptions) {
    this.#options = options;
  }

  async listen(context: DialectContext): Promise<void> {
    const served = new Map<string, Served>();
    for (const unit of context.units) {
      const link = this.#link(context, unit);
      served.set(unit.uid, { unit, link });
      context.onCommand(unit.uid, (delivery) => link.deliver(delivery));
      link.start();
    }
    const said = new SaidOnce();
    const listener =
      this.#options.listen &&
      (await context.accept(this.#options.listen, (pending) => void this.#adopt(context, served, pending, said)));
    if (listener) context.log.info({ address: addressText(listener.address) }, 'units may dial in');
    context.ready();
    await aborted(context.signal);
    await Promise.allSettled([listener?.close(), ...[...served.values()].map(({ link }) => link.stop())]);
  }

  #link(context: DialectContext, unit: ServedUnit): Link {
    const { address, definition } = unit;
    const policy: LinkPolicy = address === undefined ? 'accepted' : definition.kind === 'read' ? 'held' : 'onDemand';
    return new Link({
      policy,
      ...(address && {
        open: async (events, signal) => {
          const carrier = await context.dial(address, signal);
          return this.#session(context, carrier, events, (uid) => (uid === unit.uid ? unit : undefined)).start(signal);
        },
      }),
      claim: (signal) => context.claimLink(unit.uid, signal),
      heartbeat: HEARTBEAT,
      pollMs: definition.pollMs,
      onState: linkPresence(context, unit, policy),
      clock: context.clock,
      random: context.random,
      log: context.log,
    });
  }

  #session(
    context: DialectContext,
    carrier: Carrier,
    events: LinkEvents,
    find: (uid: string) => ServedUnit | undefined,
  ): UnitSession {
    const said = new SaidOnce();
    return new UnitSession({
      carrier,
      crypto: this.#options.crypto,
      clock: context.clock,
      keyOf: (uid) => find(uid)?.key,
      identified: (uid) => ({ uid, definition: find(uid)!.definition }),
      events,
      hello: (hello) => context.hello(hello),
      drift: ({ uid, definition }, hello, differences) => {
        context.presence(uid, { drift: differences });
        if (differences.length === 0) return;
        context.log.warn(
          { unit: uid, definition: definition.name, version: peerText(hello.version), differences },
          `${uid} runs ${definition.name} ${peerText(hello.version)}: ${differences.join('; ')}. Regenerate and flash: baseunit flash ${definition.name}`,
        );
      },
      reports: new UnitReports(context),
      refused: (uid, error) => {
        context.refused(uid);
        if (said.isNew(uid, error.message))
          context.log.warn({ unit: uid, code: error.code, reason: peerText(error.message) }, 'refused');
      },
    });
  }

  /** A unit has dialled us: who it is shows when it has proved itself. */
  async #adopt(
    context: DialectContext,
    served: ReadonlyMap<string, Served>,
    pending: PendingCarrier,
    said: SaidOnce,
  ): Promise<void> {
    const { carrier } = pending;
    const relayed = new RelayedEvents();
    const findDialler = (uid: string): ServedUnit | undefined => {
      const unit = served.get(uid)?.unit;
      return unit?.address === undefined ? unit : undefined;
    };
    const session = this.#session(context, carrier, relayed, findDialler);
    const late = new AbortController();
    const timer = context.clock.after(OPENING_MS, () =>
      late.abort(new LinkError('link-lost', 'the unit did not open its session in time')),
    );
    const opened = session.start(AbortSignal.any([late.signal, context.signal])).finally(() => timer.cancel());
    opened.catch(() => {});
    try {
      const { uid } = await session.identified;
      pending.proved();
      await served.get(uid)!.link.adopt((events) => {
        relayed.to(events);
        return opened;
      });
    } catch (error) {
      const reason = peerText((error as Error).message);
      const host = carrier.remote.slice(0, carrier.remote.lastIndexOf(':'));
      if (said.isNew(host, reason)) context.log.warn({ address: carrier.remote, reason }, 'a connection was refused');
    }
  }
}

interface Served {
  readonly unit: ServedUnit;
  readonly link: Link;
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

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
