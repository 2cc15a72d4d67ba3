import { addressText } from '../../core/address.js';
import { delay } from '../../core/clock.js';
import { peerText } from '../../core/log.js';
import { Certificates } from '../../links/certificates.js';
import { HttpAuthenticator } from '../../links/http-authentication.js';
import { LoginGuard } from '../../links/login-guard.js';
import { Unproved } from '../../links/unproved.js';
import { type PendingUpgrade, WebSocketListener } from '../../links/websocket-listener.js';
import { aborted } from '../aborted.js';
import { Flapping } from '../flapping.js';
import type { Handler, HandlerContext, HandlerLimits } from '../handler.js';
import { RefusalLog } from '../refusal-log.js';
import type { AuthenticateDevice, ConnectorDeviceOptions, DeviceRequest } from './connector-options.js';
import { DeviceCommands } from './device-commands.js';
import { deviceRequestOf } from './device-request.js';
import { remoteAddressOf } from './device-session.js';
import { DeviceSocket } from './device-socket.js';
import { Devices } from './devices.js';

/** Where devices connect (wire/connector.md, "Devices"). */
const CONNECT_PATH = '/connect';
/** A wrong login from an address that has had many waits so long for its answer (reference/limits.md, "Rate limits"). */
const SLOW_ANSWER_MS = 1_000;
/** How long an (address, device) that connects too often is refused. */
const FLAPPING_RETRY_S = '300';
/** What a 401 must name (RFC 9110 §11.6.1), where only a user's function knows what it looks at. */
const OWN_CHALLENGE = 'Bearer realm="baseunit"';

type Upgrade = PendingUpgrade<DeviceSocket>;

/** IoT Cloud Connector's devices: WebSockets on `/connect` (wire/connector.md). */
export class ConnectorDialect implements Handler {
  readonly name = 'connector';
  readonly limits: HandlerLimits;
  readonly #options: ConnectorDeviceOptions;

  constructor(options: ConnectorDeviceOptions) {
    this.#options = options;
    // One more than are known: for the moment in which one takes another's place.
    this.limits = { units: options.limits.units + 1 };
  }

  async listen(context: HandlerContext): Promise<void> {
    const { clock, log, random, signal } = context;
    const { listen, tls, answerTimeoutMs, limits } = this.#options;
    const begun: (() => Promise<void> | void)[] = [];
    try {
      const certificates = tls && new Certificates({ files: tls, clock, log });
      if (certificates !== undefined) {
        begun.push(() => certificates.stop());
        await certificates.start();
      }
      const commands = new DeviceCommands({
        find: (uid) => devices.get(uid),
        answerTimeoutMs,
        limits,
        clock,
        random,
        signal,
      });
      const devices = new Devices({ context, options: this.#options, deliver: commands.deliver });
      begun.push(() => devices.stop());
      devices.start();
      const admission = new Admission(context, this.#options, devices);
      const listener = new WebSocketListener({
        tlsSetting: 'connector.tls',
        certificates,
        path: CONNECT_PATH,
        bounds: { ...limits, decideMs: limits.authenticateMs },
        unproved: new Unproved({ inAll: limits.unproved, perAddress: limits.unprovedPerAddress }),
        socketClass: DeviceSocket,
        take: (upgrade) => admission.take(upgrade),
        failed: (error) => {
          context.count('authenticator-failed');
          log.error({ error: peerText(error.message) }, 'the authenticator of devices failed; that device was refused');
        },
        clock,
        log,
      });
      begun.push(() => listener.close());
      const address = addressText(await listener.listen(listen));
      log.info({ address, path: CONNECT_PATH, tls: tls !== undefined }, 'devices may connect (WebSocket)');
      context.ready();
      await aborted(signal);
    } finally {
      // The listener first, so that nobody comes while the rest ends.
      for (const end of begun.reverse()) await end();
    }
  }
}

/** Who may connect. */
class Admission {
  readonly #context: HandlerContext;
  readonly #options: ConnectorDeviceOptions;
  readonly #devices: Devices;
  readonly #authenticator: HttpAuthenticator | undefined;
  readonly #guard: LoginGuard;
  readonly #flapping: Flapping;
  readonly #refusals: RefusalLog;

  constructor(context: HandlerContext, options: ConnectorDeviceOptions, devices: Devices) {
    const { authenticate, limits } = options;
    this.#context = context;
    this.#options = options;
    this.#devices = devices;
    this.#authenticator = typeof authenticate === 'function' ? undefined : new HttpAuthenticator(authenticate);
    this.#guard = new LoginGuard(limits.loginFailures);
    this.#flapping = new Flapping(limits.connectionsPerMinute);
    this.#refusals = new RefusalLog(context.clock, context.log);
  }

  take(upgrade: Upgrade): Promise<void> | void {
    const { authenticate, limits } = this.#options;
    const { request, stream, address } = upgrade;
    const asked = deviceRequestOf(request, remoteAddressOf(stream), limits);
    if (!asked.ok) return this.#refuse(upgrade, 400, asked.error);
    const { deviceId } = asked.request;
    const refusedMs = this.#guard.refusedMs(address, deviceId, this.#now);
    if (refusedMs > 0) {
      const error = 'the device was refused too often; try again later';
      return this.#refuse(upgrade, 429, error, { 'Retry-After': String(Math.ceil(refusedMs / 1_000)) });
    }
    if (typeof authenticate === 'function') return this.#ask(authenticate, upgrade, asked.request);
    const authorised = this.#authenticator!.check(request.headers.authorization);
    return authorised.ok
      ? this.#admit(upgrade, asked.request)
      : this.#unauthorised(upgrade, asked.request, authorised.detail, this.#authenticator!.challenge!);
  }

  /** What the function throws, and when it takes too long, the listener contains. */
  async #ask(authenticate: AuthenticateDevice, upgrade: Upgrade, asked: DeviceRequest): Promise<void> {
    const isWelcome = (await authenticate(asked)) === true;
    // Too late: it was refused meanwhile, and takes nobody's place.
    if (upgrade.isDecided) return;
    if (isWelcome) this.#admit(upgrade, asked);
    else await this.#unauthorised(upgrade, asked, 'The device may not connect.', OWN_CHALLENGE);
  }

  async #unauthorised(upgrade: Upgrade, { deviceId }: DeviceRequest, error: string, challenge: string): Promise<void> {
    const { address } = upgrade;
    if (this.#guard.failed(address, deviceId, this.#now))
      await delay(this.#context.clock, SLOW_ANSWER_MS, this.#context.signal).catch(() => {});
    this.#refuse(upgrade, 401, error, { 'WWW-Authenticate': challenge });
  }

  /** At once from the first line to the last: what was true of the room for devices still is when one takes it. */
  #admit(upgrade: Upgrade, asked: DeviceRequest): void {
    const { address, stream } = upgrade;
    const { deviceId } = asked;
    if (this.#context.signal.aborted) return this.#refuse(upgrade, 503, 'the base is stopping');
    this.#guard.succeeded(address, deviceId);
    if (!this.#flapping.allows(deviceId, address, this.#now)) {
      const error = 'the device connects too often; two devices may have its id';
      return this.#refuse(upgrade, 429, error, { 'Retry-After': FLAPPING_RETRY_S });
    }
    const wasKnown = this.#devices.get(deviceId) !== undefined;
    const place = this.#devices.place(deviceId);
    if ('status' in place) return this.#refuse(upgrade, place.status, place.error, place.headers);
    const socket = upgrade.accept();
    if (socket === undefined) this.#devices.giveUp(place, wasKnown);
    else this.#devices.open(place, socket, stream, asked);
  }

  #refuse(upgrade: Upgrade, status: number, error: string, headers?: Readonly<Record<string, string>>): void {
    this.#context.count(`refused-${status}`);
    this.#refusals.refused(upgrade.address, error);
    upgrade.refuse(status, error, headers);
  }

  get #now(): number {
    return this.#context.clock.monotonic();
  }
}
