import type { OwnRecord } from '../base/core/records.js';
import type { DeviceRecord } from '../base/dialects/elfin/device.js';
import { deviceKey } from '../base/dialects/elfin/device-life.js';
import type { ElfinOptions } from '../base/dialects/elfin/elfin-options.js';
import type { ElfinUserInput, ElfinUserView } from '../base/dialects/elfin/elfin-port.js';
import { type User, Users } from '../base/dialects/elfin/users.js';
import { systemRandom } from '../base/system.js';
import { ConfigurationError } from '../protocol/errors.js';
import type { ElfinUsers } from './elfin-users.js';
import { findStore, type OfflineRecords, type OfflineStore, withRecords } from './offline-store.js';

/** Name of the handler whose records they are. */
const HANDLER = 'elfin';

/** The users in the store of a base that does not run. */
export class StoredUsers implements ElfinUsers {
  readonly #store: OfflineStore;
  readonly #options: ElfinOptions;

  private constructor(store: OfflineStore, options: ElfinOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** Throws ConfigurationError: there is no such configuration, or it has no gateway. */
  static async find(config?: string): Promise<StoredUsers> {
    const store = await findStore(config);
    const { elfin } = store.configuration;
    if (elfin !== undefined) return new StoredUsers(store, elfin);
    const what = 'the configuration has no section "elfin"; with it the base is an Elfin gateway';
    throw new ConfigurationError('config-invalid', what);
  }

  all(): Promise<readonly ElfinUserView[]> {
    return this.#withUsers(async (users, records) => users.all().map((user) => viewOf(user, records)));
  }

  put(input: ElfinUserInput): Promise<ElfinUserView> {
    return this.#withUsers(async (users, records) => viewOf(await users.put(input), records));
  }

  remove(uuid: string): Promise<void> {
    return this.#withUsers(async (users, records) => {
      for (const { key } of devicesOf(uuid, records)) await records.erase(key);
      if (await users.remove(uuid)) return;
      throw new ConfigurationError('request-refused', `there is no user ${JSON.stringify(uuid)}`);
    });
  }

  #withUsers<T>(act: (users: Users, records: OfflineRecords) => Promise<T>): Promise<T> {
    return withRecords(this.#store, HANDLER, (records) => {
      const users = new Users({ records, random: systemRandom, max: this.#options.limits.users });
      users.start();
      return act(users, records);
    });
  }
}

/** As the base itself shows it. */
function viewOf({ uuid, name, secret }: User, records: OfflineRecords): ElfinUserView {
  const devices = devicesOf(uuid, records).length;
  return { uuid, ...(name === undefined ? {} : { name }), hasSecret: secret !== undefined, devices };
}

const devicesOf = (uuid: string, records: OfflineRecords): readonly OwnRecord[] =>
  records
    .all()
    .filter(({ key, unit = '', value }) => key === deviceKey(unit) && (value as Partial<DeviceRecord>).user === uuid);
