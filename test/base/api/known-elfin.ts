import type {
  ElfinDeviceView,
  ElfinPort,
  ElfinTunnelView,
  ElfinUserInput,
  ElfinUserView,
} from '../../../base/dialects/elfin/elfin-port.js';

const SEEN_AT = 1_795_000_000_000;

/** A gateway in memory, with a device and a tunnel of the user `workshop`. */
export class KnownElfin implements ElfinPort {
  readonly put: ElfinUserInput[] = [];
  fault: Error | undefined;
  #users: ElfinUserView[] = [{ uuid: 'workshop', name: 'The workshop', hasSecret: true, devices: 1 }];

  users(): readonly ElfinUserView[] {
    return this.#users;
  }

  async putUser(user: ElfinUserInput): Promise<ElfinUserView> {
    if (this.fault) throw this.fault;
    this.put.push(user);
    const { uuid, name, secret } = user;
    const before = this.#users.find((each) => each.uuid === uuid);
    const hasSecret = secret === undefined ? before?.hasSecret === true : secret !== null;
    const after = {
      ...before,
      uuid,
      devices: before?.devices ?? 0,
      ...(name === undefined ? {} : { name }),
      hasSecret,
    };
    this.#users = [...this.#users.filter((each) => each.uuid !== uuid), after];
    return after;
  }

  async removeUser(uuid: string): Promise<boolean> {
    if (this.fault) throw this.fault;
    const before = this.#users.length;
    this.#users = this.#users.filter((each) => each.uuid !== uuid);
    return this.#users.length < before;
  }

  devices(uuid?: string): readonly ElfinDeviceView[] {
    const device = {
      unit: 'F0:FE:6B:01:02:03',
      mac: 'f0fe6b010203',
      user: 'workshop',
      host: 'EW11 of the lathe',
      lastSeenAt: SEEN_AT,
      isOnline: true,
    };
    return uuid === undefined || uuid === device.user ? [device] : [];
  }

  tunnels(): readonly ElfinTunnelView[] {
    const asking = { remoteAddress: '192.0.2.1:50000', octets: 8, messages: 1 };
    const device = { unit: 'F0:FE:6B:01:02:03', remoteAddress: '192.0.2.2:40000', octets: 7, messages: 1 };
    return [{ user: 'workshop', ends: [asking, device], openedAt: SEEN_AT }];
  }
}
