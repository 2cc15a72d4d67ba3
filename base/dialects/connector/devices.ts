import type { Socket } from 'node:net';
import type { DeviceMessage } from '../../../protocol/connector/message.js';
import { payloadFormats } from '../../../protocol/iotsocket/transmission.js';
import { peerText } from '../../core/log.js';
import type { OpaquePayload } from '../../core/opaque-payload.js';
import { TroubleLog } from '../../core/trouble-log.js';
import type { DeliverTo } from '../../core/unit-events.js';
import type { HandlerContext } from '../handler.js';
import type { ConnectorLimits } from './connector-limits.js';
import type { ConnectorDeviceOptions, DeviceRequest } from './connector-options.js';
import { closeCodes, DeviceSession } from './device-session.js';
import type { DeviceSocket } from './device-socket.js';
import type { SessionHost } from './session-host.js';

/**
 * How often silence is looked at, each time of a tenth of the devices: pings of all at once would fill the heap with what
 * each of them needs for a moment.
 */
const CHECK_EVERY_MS = 100;
const CHECKED_SHARE = 1 / 10;
/** How long devices may take to close when the base stops. */
const CLOSE_MS = 2_000;
/** Who is refused for want of room may come again so long after. */
const RETRY_S = '10';
const STOPPING = 'the base is stopping';

/** A device that is known. */
export interface Device {
  readonly uid: string;
  session: DeviceSession | undefined;
  /** Commands that wait for its next connection. */
  waiting: Set<(end: WaitEnd) => void> | undefined;
}

/** How the wait for a connection ends. */
export type WaitEnd = 'connected' | 'late' | 'removed' | 'stopping';

/** Why a device cannot have a place, as it is answered. */
export interface NoPlace {
  readonly status: 409 | 503;
  readonly error: string;
  readonly headers?: Readonly<Record<string, string>>;
}

type Context = Pick<
  HandlerContext,
  'addUnit' | 'removeUnit' | 'knownUnits' | 'presence' | 'report' | 'connected' | 'refused' | 'count' | 'clock' | 'log'
>;

export interface DevicesOptions {
  readonly context: Context;
  readonly options: Pick<ConnectorDeviceOptions, 'history' | 'limits'>;
  readonly deliver: DeliverTo;
}

/** All devices, those that are away too, and the one connection of each. */
export class Devices implements SessionHost {
  readonly limits: ConnectorLimits;
  readonly clock: HandlerContext['clock'];
  readonly #options: DevicesOptions;
  readonly #context: Context;
  readonly #trouble: TroubleLog;
  readonly #devices = new Map<string, Device>();
  /** Those without a connection; the longest away first. */
  readonly #away = new Set<Device>();
  /** Sessions that are over, and whose sockets are still there: a goodbye has 2 s. */
  readonly #leaving = new Set<DeviceSession>();
  /** Where the next tenth of them begins. */
  #toCheck = this.#devices.values();
  #connected = 0;
  #generation = 0;
  #timer: { cancel(): void } | undefined;
  #allGone: (() => void) | undefined;
  #isStopping = false;

  constructor(options: DevicesOptions) {
    this.#options = options;
    this.#context = options.context;
    this.limits = options.options.limits;
    this.clock = options.context.clock;
    this.#trouble = new TroubleLog(options.context.log);
  }

  /** Devices of earlier runs are units again, so that commands find them. */
  start(): void {
    const known = this.#context.knownUnits().slice(0, this.limits.units);
    for (const uid of known.reverse()) {
      const device = this.#add(uid);
      if (device !== undefined) this.#away.add(device);
    }
    this.#checkLater();
  }

  get(uid: string): Device | undefined {
    return this.#devices.get(uid);
  }

  /** Makes room for a device, or says why there is none. Its connection is to follow at once: `open`, or `giveUp`. */
  place(uid: string): Device | NoPlace {
    const { sessions, units } = this.limits;
    const known = this.#devices.get(uid);
    if (known?.session === undefined && this.#connected >= sessions) return noRoom(`${sessions} devices are connected`);
    if (known !== undefined) return known;
    const isFull = this.#devices.size >= units;
    if (isFull && this.#away.size === 0) return noRoom(`${units} devices are known, and all of them are connected`);
    const device = this.#add(uid);
    if (device === undefined) return { status: 409, error: 'another unit of the base has this id' };
    if (isFull) this.#forgetLongestAway();
    this.#away.add(device);
    return device;
  }

  /** Nothing became of its connection: a device that never was here is not known. */
  giveUp(device: Device, wasKnown: boolean): void {
    if (!wasKnown && device.session === undefined) this.#remove(device, 'it did not connect');
  }

  /** The device is here. An older connection of it goes. */
  open(device: Device, socket: DeviceSocket, stream: Socket, request: DeviceRequest): void {
    const { uid } = device;
    this.#generation += 1;
    const session = new DeviceSession({ host: this, socket, stream, generation: this.#generation, device: request });
    const before = device.session;
    device.session = session;
    if (before !== undefined) {
      this.#context.count('replaced');
      before.close(closeCodes.replaced, 'replaced', 'it was replaced by a newer connection');
    }
    session.open(this.#context.connected(session));
    this.#context.log.debug({ unit: uid, address: request.remoteAddress }, 'device connected');
    if (before === undefined) {
      this.#connected += 1;
      this.#away.delete(device);
      this.#context.presence(uid, { state: 'online' });
    }
    for (const end of device.waiting ?? []) end('connected');
  }

  /** All are told goodbye. Resolves when they have gone, or were cut. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#timer?.cancel();
    for (const { waiting } of this.#devices.values()) for (const end of waiting ?? []) end('stopping');
    for (const { session } of this.#devices.values()) {
      session?.leave(closeCodes.goingAway, STOPPING);
      session?.drop();
    }
    if (this.#leaving.size === 0) return;
    await new Promise<void>((resolve) => {
      const late = this.clock.after(CLOSE_MS, resolve);
      this.#allGone = () => {
        late.cancel();
        resolve();
      };
    });
    for (const session of this.#leaving) session.cut(STOPPING);
  }

  // SessionHost.

  async report(uid: string, message: DeviceMessage, octets: Uint8Array): Promise<void> {
    const { history } = this.#options.options;
    const payload = payloadOf(message, octets);
    try {
      const verdict = await this.#context.report({
        uid,
        payload,
        measuredAt: this.clock.now(),
        durable: true,
        history,
      });
      if (verdict === 'stored') return;
      this.#context.count(`message-${verdict}`);
      this.#trouble.warn(verdict, { unit: peerText(uid) }, `a message of a device is lost: ${verdict}`);
    } catch (error) {
      this.#context.count('message-failed');
      this.#trouble.error('failed', { error: (error as Error).message }, 'a message of a device was lost');
    }
  }

  ended(session: DeviceSession, reason: string): void {
    this.#leaving.add(session);
    const device = this.#devices.get(session.unit);
    // The late end of a connection that was replaced.
    if (device?.session !== session) return;
    device.session = undefined;
    this.#connected -= 1;
    this.#away.add(device);
    // A restart of the base is no news of a device: it comes back, or is told to be away then.
    if (this.#isStopping) return;
    this.#context.log.debug({ unit: device.uid, reason }, 'device gone');
    this.#context.presence(device.uid, { state: 'offline', reason });
  }

  gone(session: DeviceSession): void {
    this.#leaving.delete(session);
    if (this.#leaving.size === 0) this.#allGone?.();
  }

  refused(uid: string): void {
    this.#context.refused(uid);
  }

  count(event: string): void {
    this.#context.count(event);
  }

  /** `undefined`: a unit of another handler, or a configured one, has that id. */
  #add(uid: string): Device | undefined {
    const { commandsAtOnce } = this.limits;
    if (!this.#context.addUnit({ uid, commandsAtOnce }, this.#options.deliver)) return undefined;
    const device: Device = { uid, session: undefined, waiting: undefined };
    this.#devices.set(uid, device);
    return device;
  }

  #forgetLongestAway(): void {
    const [device] = this.#away;
    this.#context.count('forgotten');
    this.#trouble.warn(
      'forgotten',
      { unit: peerText(device!.uid) },
      'too many devices: those longest away are forgotten',
    );
    this.#remove(device!, `more than ${this.limits.units} devices are known, and it was away longest`);
  }

  #remove(device: Device, reason: string): void {
    this.#devices.delete(device.uid);
    this.#away.delete(device);
    for (const end of device.waiting ?? []) end('removed');
    this.#context.removeUnit(device.uid, reason);
  }

  #checkLater(): void {
    this.#timer = this.clock.after(CHECK_EVERY_MS, () => {
      const now = Math.floor(this.clock.monotonic());
      for (let left = Math.ceil(this.#devices.size * CHECKED_SHARE); left > 0; left -= 1) {
        let next = this.#toCheck.next();
        if (next.done) {
          this.#toCheck = this.#devices.values();
          next = this.#toCheck.next();
        }
        next.value?.session?.check(now);
      }
      this.#checkLater();
    });
  }
}

const noRoom = (error: string): NoPlace => ({ status: 503, error, headers: { 'Retry-After': RETRY_S } });

/** As the base holds it: with a copy of its octets, since the whole of what came with them would stay in memory else. */
function payloadOf(message: DeviceMessage, octets: Uint8Array): OpaquePayload {
  switch (message.kind) {
    case 'json':
      return { format: payloadFormats.json, options: 0, data: Uint8Array.from(octets) };
    case 'text':
      return { format: 'utf8', value: message.text };
    case 'binary':
      return { format: payloadFormats.binary, options: 0, data: Uint8Array.from(octets) };
  }
}
