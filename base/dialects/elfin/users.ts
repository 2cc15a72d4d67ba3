import { isUserSecret, isUserUuid, SECRET_RULE, UUID_RULE } from '../../../protocol/elfin/account.js';
import { ConfigurationError, StoreError } from '../../../protocol/errors.js';
import type { Random } from '../../core/random.js';
import type { HandlerRecords } from '../handler.js';
import { type ElfinUserInput, MAX_NAME_CHARACTERS } from './elfin-port.js';
import { UserSecret } from './user-secret.js';

const KEY = 'user:';

/** A user that was added. Changed, it is another object: who has shown the old secret has not shown the new one. */
export interface User {
  readonly uuid: string;
  readonly name: string | undefined;
  readonly secret: UserSecret | undefined;
}

export interface UsersOptions {
  readonly records: HandlerRecords;
  readonly random: Random;
  /** How many there may be. */
  readonly max: number;
}

/** The users that were added, as they are in the store. */
export class Users {
  readonly #options: UsersOptions;
  readonly #users = new Map<string, User>();
  #revision = 0;
  /** The last change that was asked for: each is made of what the one before has left. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: UsersOptions) {
    this.#options = options;
  }

  /** Those of earlier runs. */
  start(): void {
    for (const { key, value } of this.#options.records.all()) {
      if (!key.startsWith(KEY)) continue;
      const uuid = key.slice(KEY.length);
      const { name, salt, hash } = (value ?? {}) as { readonly [key: string]: unknown };
      const secret = UserSecret.stored(salt, hash);
      this.#users.set(uuid, { uuid, name: typeof name === 'string' ? name : undefined, secret });
    }
  }

  get size(): number {
    return this.#users.size;
  }

  /** Grows with each change. */
  get revision(): number {
    return this.#revision;
  }

  get(uuid: string): User | undefined {
    return this.#users.get(uuid);
  }

  /** By uuid. */
  all(): readonly User[] {
    return [...this.#users.values()].sort((a, b) => (a.uuid < b.uuid ? -1 : 1));
  }

  /**
   * Resolves when it is on disk; until then everything is as it was. Rejects with ConfigurationError `request-refused` for what
   * no user may have, with StoreError where there are too many, or the disk does not take it.
   */
  put(input: ElfinUserInput): Promise<User> {
    return this.#inTurn(() => this.#put(input));
  }

  /** False: there is none. Resolves when it is gone from the disk. Rejects with StoreError: it is still there. */
  remove(uuid: string): Promise<boolean> {
    return this.#inTurn(() => this.#remove(uuid));
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#last.then(change);
    this.#last = done.catch(() => {});
    return done;
  }

  async #put(input: ElfinUserInput): Promise<User> {
    const { uuid } = input;
    const { records, random, max } = this.#options;
    check(input);
    const known = this.#users.get(uuid);
    if (known === undefined && this.#users.size >= max)
      throw new StoreError('store-busy', `there are ${max} users already; remove one first`);
    const name = input.name ?? known?.name;
    const secret =
      input.secret === undefined
        ? known?.secret
        : input.secret === null
          ? undefined
          : UserSecret.of(input.secret, random);
    const user: User = { uuid, name, secret };
    await records.put({ key: KEY + uuid, value: { ...(name === undefined ? {} : { name }), ...secret?.record } });
    this.#users.set(uuid, user);
    this.#revision += 1;
    return user;
  }

  async #remove(uuid: string): Promise<boolean> {
    if (!this.#users.has(uuid)) return false;
    await this.#options.records.erase(KEY + uuid);
    this.#users.delete(uuid);
    this.#revision += 1;
    return true;
  }
}

function check({ uuid, name, secret }: ElfinUserInput): void {
  if (!isUserUuid(uuid)) throw refused(`the uuid of a user ${UUID_RULE}`);
  if (name !== undefined && name.length > MAX_NAME_CHARACTERS)
    throw refused(`the name of a user has at most ${MAX_NAME_CHARACTERS} characters`);
  if (typeof secret === 'string' && !isUserSecret(secret)) throw refused(`the secret of a user ${SECRET_RULE}`);
}

const refused = (what: string): ConfigurationError => new ConfigurationError('request-refused', what);
