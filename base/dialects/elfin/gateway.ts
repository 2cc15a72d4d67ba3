import { FAILED, SUCCESS } from '../../../protocol/elfin/answers.js';
import type { Account, ControlMessage } from '../../../protocol/elfin/message.js';
import type { ProtocolError } from '../../../protocol/errors.js';
import type { HandlerContext, PendingCarrier } from '../handler.js';
import { RefusalLog } from '../refusal-log.js';
import { Turn } from '../turn.js';
import { Admission } from './admission.js';
import type { Device } from './device.js';
import { DeviceLife } from './device-life.js';
import { DeviceLists } from './device-list.js';
import { type Beat, Devices } from './devices.js';
import type { ElfinLimits } from './elfin-limits.js';
import type { ElfinOptions, Framing } from './elfin-options.js';
import { ElfinSession } from './elfin-session.js';
import { LocalDates } from './local-date.js';
import type { SessionHost } from './session-host.js';
import { Tunnels } from './tunnels.js';
import type { Users } from './users.js';

const encoder = new TextEncoder();
const success = encoder.encode(SUCCESS);
const failed = encoder.encode(FAILED);
/** What is said of what does not count is said as if there were nothing. */
const noDevices = encoder.encode('[]\n');

/** What messages do: devices, tunnels, and who may have them. */
export class Gateway implements SessionHost {
  readonly limits: ElfinLimits;
  readonly clock: HandlerContext['clock'];
  readonly turn = new Turn();
  readonly relayed = { messages: 0, octets: 0, dropped: 0 };
  readonly devices: Devices;
  readonly tunnels: Tunnels;
  readonly #context: HandlerContext;
  readonly #users: Users;
  readonly #life: DeviceLife;
  readonly #admission: Admission;
  readonly #refusals: RefusalLog;
  readonly #lists: DeviceLists;
  readonly #sessions = new Set<ElfinSession>();
  readonly #woken: ElfinSession[] = [];
  #isWaking = false;
  #controlMessages = 0;

  constructor(context: HandlerContext, options: ElfinOptions, users: Users) {
    const { limits, requireKnownUser, timeZone, dateFormat } = options;
    this.limits = limits;
    this.clock = context.clock;
    this.#context = context;
    this.#users = users;
    this.#refusals = new RefusalLog(context.clock, context.log);
    this.#admission = new Admission({ context, limits, requireKnownUser, users, refusals: this.#refusals });
    this.#life = new DeviceLife(context, limits);
    this.devices = new Devices({
      context,
      limits,
      life: this.#life,
      isUser: (uuid) => !requireKnownUser || users.get(uuid) !== undefined,
      hasSecret: (uuid) => users.get(uuid)?.secret !== undefined,
    });
    this.tunnels = new Tunnels({ clock: context.clock, changed: (device) => this.#life.tell(device) });
    this.#lists = new DeviceLists(new LocalDates(timeZone, dateFormat));
  }

  start(): void {
    this.devices.start();
  }

  /** Resolves when all that is known of devices is on disk. */
  stop(): Promise<void> {
    return this.#life.stop();
  }

  /** A connection has come. */
  take(pending: PendingCarrier, framing: Framing): void {
    const { carrier } = pending;
    if (this.#sessions.size >= this.limits.connections) {
      this.#context.count('refused-connections');
      this.#refusals.refused('all', `there are ${this.limits.connections} connections already`);
      return carrier.destroy();
    }
    const session = new ElfinSession(this, pending, framing);
    this.#sessions.add(session);
    carrier.attach(session);
  }

  counts(): Readonly<Record<string, number>> {
    const { messages, octets, dropped } = this.relayed;
    return {
      'tunnels-opened': this.tunnels.opened,
      'control-messages': this.#controlMessages,
      'relayed-messages': messages,
      'relayed-octets': octets,
      'dropped-data': dropped,
    };
  }

  gauges(): Readonly<Record<string, number>> {
    const now = this.clock.monotonic();
    let online = 0;
    for (const device of this.devices.all()) if (device.isOnline(now)) online += 1;
    return {
      connections: this.#sessions.size,
      users: this.#users.size,
      devices: this.devices.size,
      'devices-online': online,
      tunnels: this.tunnels.size,
    };
  }

  // SessionHost.

  get usersRevision(): number {
    return this.#users.revision;
  }

  admits(session: ElfinSession, account: Account): boolean {
    return this.#admission.admits(session, account);
  }

  control(session: ElfinSession, message: ControlMessage): Uint8Array | undefined {
    this.#controlMessages += 1;
    const isAdmitted = this.admits(session, message.account);
    const user = message.account.uuid;
    switch (message.kind) {
      case 'beat':
        if (isAdmitted) this.beat(session, { user, mac: message.mac, host: message.host });
        return undefined;
      case 'query':
        if (!isAdmitted) return noDevices;
        return this.#lists.of(this.devices.of(user), this.clock.monotonic());
      case 'connme': {
        const device = this.#deviceOf(user, message.mac);
        return isAdmitted && this.#connect(user, session, session.device, device) ? success : failed;
      }
      case 'connthem': {
        // The second that is named is the first end.
        const first = this.#deviceOf(user, message.mac2);
        const second = this.#deviceOf(user, message.mac1);
        return isAdmitted && this.#connect(user, first?.session, first, second) ? success : failed;
      }
    }
  }

  beat(session: ElfinSession, beat: Beat): Device | undefined {
    return this.devices.beat(session, beat);
  }

  heard(device: Device): void {
    this.#life.heard(device);
  }

  counted(device: Device, received: 0 | 1, sent: 0 | 1): void {
    this.#life.counted(device, received, sent);
  }

  malformed(session: ElfinSession, error: ProtocolError): void {
    this.#context.count('malformed');
    if (session.device !== undefined) this.#context.refused(session.device.uid);
    this.#refusals.refused(session.address, `a message was dropped: ${error.message}`);
  }

  /** One after the other: one that goes on may let the next one go on, and so forth. */
  wake(session: ElfinSession): void {
    this.#woken.push(session);
    if (this.#isWaking) return;
    this.#isWaking = true;
    try {
      for (let next = this.#woken.shift(); next !== undefined; next = this.#woken.shift()) next.goOn();
    } finally {
      this.#isWaking = false;
    }
  }

  left(session: ElfinSession, reason: string): void {
    this.tunnels.closeOf(session);
    this.devices.left(session, reason);
  }

  gone(session: ElfinSession): void {
    this.#sessions.delete(session);
  }

  // What a user's change means for what is there.

  /** Its secret has changed: what was said without the new one is void. */
  secretChanged(uuid: string): void {
    this.tunnels.closeOfUser(uuid);
    this.devices.detachOf(uuid, 'the secret of its user has changed');
  }

  userRemoved(uuid: string): Promise<void> {
    this.tunnels.closeOfUser(uuid);
    return this.devices.removeOf(uuid);
  }

  #deviceOf(user: string, mac: string): Device | undefined {
    const device = this.devices.find(mac);
    return device?.user === user ? device : undefined;
  }

  /** False: one of the two connections is not there, or they are one. */
  #connect(
    user: string,
    first: ElfinSession | undefined,
    firstDevice: Device | undefined,
    second: Device | undefined,
  ): boolean {
    if (first === undefined || second?.session === undefined || first === second.session) return false;
    this.tunnels.open(user, { session: first, device: firstDevice }, { session: second.session, device: second });
    return true;
  }
}
