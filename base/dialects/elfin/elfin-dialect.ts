import { InternalError } from '../../../protocol/errors.js';
import { addressText } from '../../core/address.js';
import { aborted } from '../aborted.js';
import type { Handler, HandlerContext, HandlerLimits } from '../handler.js';
import type { ElfinOptions } from './elfin-options.js';
import type {
  ElfinDeviceView,
  ElfinEndView,
  ElfinPort,
  ElfinTunnelView,
  ElfinUserInput,
  ElfinUserView,
} from './elfin-port.js';
import { Gateway } from './gateway.js';
import type { TunnelEnd } from './tunnel.js';
import { type User, Users } from './users.js';

/** The Elfin Connect gateway (wire/elfin.md): devices of users, and tunnels between them. */
export class ElfinDialect implements Handler, ElfinPort {
  readonly name = 'elfin';
  readonly limits: HandlerLimits;
  readonly #options: ElfinOptions;
  #running: { readonly users: Users; readonly gateway: Gateway } | undefined;

  constructor(options: ElfinOptions) {
    const { users, devices } = options.limits;
    this.#options = options;
    // One more than are known: for the moment in which one takes another's place.
    this.limits = { units: devices + 1, records: users + devices + 1 };
  }

  async listen(context: HandlerContext): Promise<void> {
    const { records, random, log, signal } = context;
    const { listeners, limits } = this.#options;
    const users = new Users({ records, random, max: limits.users });
    users.start();
    const gateway = new Gateway(context, this.#options, users);
    gateway.start();
    this.#running = { users, gateway };
    try {
      const { connections, unproved, unprovedPerAddress, proveMs, unsentOctets: untakenOctets, stalledMs } = limits;
      const bounds = { connections, unproved, unprovedPerAddress, proveMs, untakenOctets, stalledMs };
      for (const { listen, framing, tls } of listeners) {
        const { address } = await context.accept(listen, (pending) => gateway.take(pending, framing), { tls, bounds });
        log.info({ address: addressText(address), framing, tls: tls !== undefined }, 'Elfin devices may connect');
      }
      context.ready();
      await aborted(signal);
    } finally {
      await gateway.stop();
    }
  }

  counts(): Readonly<Record<string, number>> {
    return this.#running?.gateway.counts() ?? {};
  }

  gauges(): Readonly<Record<string, number>> {
    return this.#running?.gateway.gauges() ?? {};
  }

  // ElfinPort.

  users(): readonly ElfinUserView[] {
    return (this.#running?.users.all() ?? []).map((user) => this.#userView(user));
  }

  async putUser(input: ElfinUserInput): Promise<ElfinUserView> {
    const { users, gateway } = this.#served();
    const user = await users.put(input);
    if (typeof input.secret === 'string') gateway.secretChanged(user.uuid);
    return this.#userView(user);
  }

  async removeUser(uuid: string): Promise<boolean> {
    const { users, gateway } = this.#served();
    if (!(await users.remove(uuid))) return false;
    await gateway.userRemoved(uuid);
    return true;
  }

  devices(uuid?: string): readonly ElfinDeviceView[] {
    if (this.#running === undefined) return [];
    const { devices, clock } = this.#running.gateway;
    const now = clock.monotonic();
    return Array.from(uuid === undefined ? devices.all() : devices.of(uuid), (device) => ({
      unit: device.uid,
      mac: device.mac,
      user: device.user,
      host: device.host,
      lastSeenAt: device.lastSeenAt,
      isOnline: device.isOnline(now),
    })).sort((a, b) => b.lastSeenAt - a.lastSeenAt);
  }

  tunnels(): readonly ElfinTunnelView[] {
    return Array.from(this.#running?.gateway.tunnels.all() ?? [], ({ user, first, second, openedAt }) => ({
      user,
      ends: [endView(first), endView(second)],
      openedAt,
    }));
  }

  #userView({ uuid, name, secret }: User): ElfinUserView {
    const devices = this.#running?.gateway.devices.of(uuid).size ?? 0;
    return { uuid, ...(name === undefined ? {} : { name }), hasSecret: secret !== undefined, devices };
  }

  /** Throws InternalError `stopped` where it does not serve yet. */
  #served(): { readonly users: Users; readonly gateway: Gateway } {
    if (this.#running === undefined) throw new InternalError('stopped', 'the Elfin gateway is not served');
    return this.#running;
  }
}

const endView = ({ device, session, octets, messages }: TunnelEnd): ElfinEndView => ({
  ...(device === undefined ? {} : { unit: device.uid }),
  remoteAddress: session.carrier.remote,
  octets,
  messages,
});
