import type { SessionCrypto } from '../../../protocol/iotsocket/proof.js';
import type { PayloadBlock } from '../../../protocol/iotsocket/transmission.js';
import { addressText } from '../../core/address.js';
import { TroubleLog } from '../../core/trouble-log.js';
import type { PresenceChange } from '../../core/unit-events.js';
import { Certificates, type TlsFiles } from '../../links/certificates.js';
import { aborted } from '../aborted.js';
import type { Handler, HandlerContext, HandlerLimits } from '../handler.js';
import { AccessControl } from './access-control.js';
import { CentralHttpServer } from './central-http-server.js';
import { CentralWebhooks } from './central-webhooks.js';
import type { GroupOptions, IotsocketOptions } from './iotsocket-options.js';
import { iotsocketWebSockets } from './iotsocket-websockets.js';
import { ObjectCommands } from './object-commands.js';
import { Openings } from './openings.js';
import { CENTRAL_KEY, Peer } from './peer.js';
import { Relay } from './relay.js';
import type { DropReason, RelayEvents } from './relay-ports.js';
import { blockCopyAt } from './relayed-octets.js';
import { Sessions } from './sessions.js';
import { StreamListener } from './stream-listener.js';
import { TelemetryServer } from './telemetry-server.js';
import { TelemetryTokens } from './telemetry-tokens.js';
import { TypedUnits, telemetryOf } from './typed-units.js';

/** The central has no group; its heartbeat is everybody's. */
const CENTRAL_GROUP: GroupOptions = {
  telemetry: false,
  telemetryTokenLifeMs: 0,
  pingAfterMs: 15_000,
  deadAfterMs: 45_000,
};

/** The IoTSocket concentrator: objects on one side, one central on the other (wire/iotsocket.md). */
export class IotsocketDialect implements Handler {
  readonly name = 'iotsocket';
  readonly limits: HandlerLimits;
  readonly #options: IotsocketOptions;
  readonly #crypto: SessionCrypto;
  /** What its parts have counted since the start. */
  readonly #counters: (() => Readonly<Record<string, number>>)[] = [];

  constructor(options: IotsocketOptions, crypto: SessionCrypto) {
    this.#options = options;
    this.#crypto = crypto;
    // What it keeps it bounds itself (kept-mail.ts).
    this.limits = { units: options.limits.accessListEntries, keptOctets: Number.POSITIVE_INFINITY };
  }

  counts(): Readonly<Record<string, number>> {
    return Object.assign({}, ...this.#counters.map((count) => count()));
  }

  async listen(context: HandlerContext): Promise<void> {
    const { clock, log, random, signal } = context;
    const options = this.#options;
    const { limits } = options;
    const begun: (() => Promise<void> | void)[] = [];
    try {
      const central = options.central && new Peer('', options.central.key, CENTRAL_GROUP);
      const webhooks =
        options.central &&
        new CentralWebhooks({
          options: options.central.webhooks,
          key: options.central.key,
          requestTimeoutMs: options.requestTimeoutMs,
          clock,
          log,
        });
      if (webhooks !== undefined) {
        begun.push(() => webhooks.stop());
        this.#counters.push(() => {
          const { requests, telemetry } = webhooks.counts;
          const { failed, ...ended } = requests;
          return {
            ...named('request webhook', { ...ended, ...failed }),
            ...named('telemetry webhook', { ...telemetry }),
          };
        });
      }
      const tokens = new TelemetryTokens(random);
      const commands = new ObjectCommands({
        find: (uid) => objects.find(uid),
        ask: (request) => relay.ask(request),
        clock,
        signal,
      });
      const objects = new Objects(context, commands);
      const access = new AccessControl({
        file: options.accessList,
        groups: options.groups,
        maxEntries: limits.accessListEntries,
        takenBy: (uid) => (context.typedUnit(uid) === undefined ? undefined : 'a unit of units.known'),
        added: (peer) => objects.add(peer),
        revoked: (peer, isGone) => {
          sessions.revoke(peer);
          if (isGone) objects.remove(peer);
        },
        regrouped: (peer) => sessions.regroup(peer),
        clock,
        log,
      });
      const relay = new Relay({
        peers: access.peers,
        central,
        webhooks,
        units: new TypedUnits(context),
        events: relayEvents(context, options.history),
        store: {
          keep: (unit, octets, failed) => {
            const { positions, stored } = context.keep([{ unit, octets }]);
            stored.catch(failed);
            return positions[0]!;
          },
          unkeep: (positions) => context.unkeep(positions),
        },
        tooSlow: (session) => sessions.tooSlow(session),
        requestTimeoutMs: options.requestTimeoutMs,
        limits,
        clock,
      });
      const sessions = new Sessions({
        relay,
        tokens,
        central,
        hasTelemetry: options.udp !== undefined,
        keepSessionMs: options.keepSessionMs,
        limits,
        replaceAccessList: (entries) => access.replace(entries, 'central'),
        presence: (peer, change) => {
          if (change.state === 'online') commands.opened(peer);
          tellPresence(context, peer, change);
        },
        refused: ({ uid }) => context.refused(uid),
        connected: (session) => context.connected(session),
        clock,
        log,
      });
      begun.push(() => relay.stop());

      begun.push(() => access.stop());
      await access.start();
      restore(context, access, central, relay, sessions);

      const load = async (files: TlsFiles | undefined): Promise<Certificates | undefined> => {
        if (files === undefined) return undefined;
        const certificates = new Certificates({ files, clock, log });
        begun.push(() => certificates.stop());
        await certificates.start();
        return certificates;
      };
      const certificates = await load(options.tls);

      const openings = new Openings({
        limits,
        crypto: this.#crypto,
        secureContext: () => certificates?.context,
        redirect: options.redirect,
        allowPlaintext: options.allowPlaintext,
        find: (key) => (key === CENTRAL_KEY ? central : access.peers.get(key)),
        sessions: () => sessions.objectCount,
        open: (peer, opened) => sessions.open(peer, opened),
        clock,
        log,
      });
      begun.push(async () => {
        openings.stop();
        await sessions.stop();
      });
      this.#counters.push(() => ({ 'connections refused': openings.refusedCount }));
      openings.start();
      sessions.start();

      const stopHearing = context.hear('report', (report) => {
        const block = telemetryOf(report);
        if (block !== undefined) relay.unitTelemetry(report.unit, block);
      });
      begun.push(stopHearing);

      if (options.udp !== undefined) {
        const server = new TelemetryServer({
          tokens,
          limits,
          take: (peer, datagram, at) => relay.telemetry(peer, datagram, at, datagram.length),
          clock,
          log,
        });
        begun.push(() => server.close());
        this.#counters.push(() => named('UDP', server.counts));
        log.info({ address: addressText(await server.listen(options.udp)) }, 'telemetry is taken (UDP)');
      }
      if (options.tcp !== undefined) {
        const listener = new StreamListener(openings, log);
        begun.push(() => listener.close());
        log.info(
          { address: addressText(await listener.listen(options.tcp)) },
          'objects and the central may connect (TCP)',
        );
      }
      if (options.websocket !== undefined) {
        const listener = iotsocketWebSockets({ openings, certificates, limits, clock, log });
        begun.push(() => listener.close());
        const address = addressText(await listener.listen(options.websocket));
        log.info({ address }, 'objects and the central may connect (WebSocket)');
      }
      if (options.http !== undefined && options.central !== undefined) {
        const server = new CentralHttpServer({
          listen: options.http,
          key: options.central.key,
          certificates: options.httpTls === undefined ? certificates : await load(options.httpTls ?? undefined),
          ask: (request) => relay.ask(request),
          replaceAccessList: access.replace,
          requestTimeoutMs: options.requestTimeoutMs,
          limits,
          clock,
          log,
        });
        begun.push(() => server.stop());
        this.#counters.push(() => named('HTTP', { ...server.counts }));
        await server.start();
      }
      context.ready();
      await aborted(signal);
    } finally {
      // Listeners first, so that nobody comes while the rest ends.
      for (const end of begun.reverse()) await end();
    }
  }
}

/** Objects as units of the base. */
class Objects {
  readonly #context: HandlerContext;
  readonly #commands: ObjectCommands;
  readonly #byUid = new Map<string, Peer>();

  constructor(context: HandlerContext, commands: ObjectCommands) {
    this.#context = context;
    this.#commands = commands;
  }

  find(uid: string): Peer | undefined {
    return this.#byUid.get(uid);
  }

  add(peer: Peer): void {
    this.#byUid.set(peer.uid, peer);
    if (this.#context.addUnit({ uid: peer.uid }, this.#deliver)) return;
    const text = 'an object of the access list has the UID of another unit: it talks to the central only';
    this.#context.log.warn({ unit: peer.uid }, text);
  }

  remove(peer: Peer): void {
    this.#byUid.delete(peer.uid);
    this.#commands.removed(peer);
    this.#context.removeUnit(peer.uid, 'it is no longer in the access list');
  }

  readonly #deliver: Parameters<HandlerContext['addUnit']>[1] = (uid, delivery) =>
    this.#commands.deliver(uid, delivery);
}

/** What is relayed, as core messages: for our own webhooks, channels and streams. */
function relayEvents(context: HandlerContext, history: boolean): RelayEvents {
  const { clock } = context;
  const trouble = new TroubleLog(context.log);
  return {
    requested: (uid, octets, at, end) =>
      context.wants('request') || context.wants('response')
        ? context.request(uid, blockCopyAt(octets, at, end))
        : undefined,
    responded: (id, uid, code, block) => context.response(id, uid, code, copied(block)),
    telemetry: (uid, block) =>
      void context.report({ uid, payload: block, measuredAt: clock.now(), durable: false, history }),
    dropped: (what: DropReason) => {
      context.count(what);
      trouble.warn(what, {}, `not relayed: ${what}`);
    },
  };
}

/** Counts of one part, told apart from those of the others. */
const named = (part: string, counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(counts).map(([name, count]) => [`${part}: ${name}`, count]));

const copied = (block: PayloadBlock): PayloadBlock => ({ ...block, data: Uint8Array.from(block.data) });

function tellPresence({ log, presence }: HandlerContext, { uid, isCentral }: Peer, change: PresenceChange): void {
  if (!isCentral) return presence(uid, change);
  if (change.state === 'online') log.info({}, 'the central has a session');
  else log.warn({ reason: change.reason }, 'the central has no connection');
}

/** What an earlier run kept waits for its peers as if their connections had just been lost. */
function restore(
  context: HandlerContext,
  access: AccessControl,
  central: Peer | undefined,
  relay: Relay,
  sessions: Sessions,
): void {
  const byUid = new Map([...access.peers.values()].map((peer) => [peer.uid, peer]));
  const peers = new Set<Peer>();
  const orphans: number[] = [];
  for (const { unit, octets, position } of context.kept()) {
    const peer = unit === '' ? central : byUid.get(unit);
    if (peer === undefined) orphans.push(position);
    else for (const each of relay.restore(peer, Buffer.from(octets), position)) peers.add(each);
  }
  for (const peer of peers) sessions.keepRestored(peer);
  void context.unkeep(orphans);
}
