import type { Account } from '../../../protocol/elfin/message.js';
import { LoginGuard } from '../../links/login-guard.js';
import type { HandlerContext } from '../handler.js';
import type { RefusalLog } from '../refusal-log.js';
import type { ElfinLimits } from './elfin-limits.js';
import type { ElfinSession } from './elfin-session.js';
import type { UserSecret } from './user-secret.js';
import type { Users } from './users.js';

/** A wrong secret from an address that has had many: nothing more is read of it so long (reference/limits.md, "Rate limits"). */
const SLOW_MS = 1_000;
/** All unknown users are one to the guard: strangers make up as many as they like. No user can be called so. */
const UNKNOWN = '';

export interface AdmissionOptions {
  readonly context: Pick<HandlerContext, 'clock' | 'count'>;
  readonly limits: Pick<ElfinLimits, 'loginFailures'>;
  readonly requireKnownUser: boolean;
  readonly users: Users;
  readonly refusals: RefusalLog;
}

/** Who may speak in the name of a user: whoever names one that was added, with its secret if it has one. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #guard: LoginGuard;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#guard = new LoginGuard(options.limits.loginFailures);
  }

  /** False: what it says does not count, and why is not told. */
  admits(session: ElfinSession, account: Account): boolean {
    const { users, requireKnownUser } = this.#options;
    const user = users.get(account.uuid);
    if (user === undefined && requireKnownUser) {
      // As slow as a wrong secret: how long an answer takes must not tell who is a user.
      if (account.secret !== undefined) this.#guessed(session, UNKNOWN);
      return this.#refuse(session, 'unknown-users', 'an unknown user');
    }
    if (user?.secret !== undefined && !this.#isRight(session, user.uuid, user.secret, account.secret)) return false;
    session.proved();
    return true;
  }

  #isRight(session: ElfinSession, uuid: string, secret: UserSecret, said: string | undefined): boolean {
    const { address } = session;
    const now = this.#options.context.clock.monotonic();
    const hasShown = session.hasShown(secret);
    // Who says none is not guessing: an adapter that was not told yet.
    if (said === undefined) return this.#refuse(session, 'wrong-secrets', 'the secret of its user is missing');
    // Who has shown it is not locked out with those who guess.
    if (!hasShown && !this.#guard.allows(address, uuid, now)) {
      session.slowDown(SLOW_MS);
      return this.#refuse(session, 'locked-out', 'too many wrong secrets of that user came from its address');
    }
    if (secret.is(said)) {
      if (!hasShown) {
        this.#guard.succeeded(address, uuid);
        session.shown(secret);
      }
      return true;
    }
    this.#guessed(session, uuid);
    return this.#refuse(session, 'wrong-secrets', 'a wrong secret');
  }

  #guessed(session: ElfinSession, uuid: string): void {
    const now = this.#options.context.clock.monotonic();
    if (this.#guard.failed(session.address, uuid, now)) session.slowDown(SLOW_MS);
  }

  #refuse(session: ElfinSession, what: string, why: string): false {
    this.#options.context.count(what);
    this.#options.refusals.refused(session.address, why);
    return false;
  }
}
