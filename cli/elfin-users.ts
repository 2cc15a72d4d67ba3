import { randomBytes } from 'node:crypto';
import type { ElfinUserInput, ElfinUserView } from '../base/dialects/elfin/elfin-port.js';
import { BaseClient, type BaseOptions } from './running-base.js';

/** 192 bits, in 32 characters that need no quotes in a shell, an adapter's form or a URL. */
const SECRET_OCTETS = 24;

export const madeSecret = (): string => randomBytes(SECRET_OCTETS).toString('base64url');

/** The users of the gateway, wherever they can be reached. */
export interface ElfinUsers {
  /** By uuid. */
  all(): Promise<readonly ElfinUserView[]>;
  put(user: ElfinUserInput): Promise<ElfinUserView>;
  /** Rejects with ConfigurationError `request-refused`: there is none. */
  remove(uuid: string): Promise<void>;
}

/** Those of the base that runs here, or at the URL that is named; else those in its store. */
export async function findElfinUsers(options: BaseOptions): Promise<ElfinUsers> {
  const base = await BaseClient.findIfThere(options);
  if (base !== undefined) return new RunningUsers(base);
  // Commands load what they alone need when they run: on a Pi, all of it takes seconds.
  const { StoredUsers } = await import('./elfin-stored-users.js');
  return StoredUsers.find(options.config);
}

const PATH = '/api/v1/elfin/users';
const pathOf = (uuid: string): string => `${PATH}/${encodeURIComponent(uuid)}`;

class RunningUsers implements ElfinUsers {
  readonly #base: BaseClient;

  constructor(base: BaseClient) {
    this.#base = base;
  }

  async all(): Promise<readonly ElfinUserView[]> {
    return (await this.#base.request<{ users: readonly ElfinUserView[] }>('GET', PATH)).users;
  }

  put({ uuid, ...changes }: ElfinUserInput): Promise<ElfinUserView> {
    return this.#base.request('PUT', pathOf(uuid), changes);
  }

  remove(uuid: string): Promise<void> {
    return this.#base.request('DELETE', pathOf(uuid));
  }
}
