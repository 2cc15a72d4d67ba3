import { stat } from 'node:fs/promises';
import { ConfigurationError, StoreError } from '../../../protocol/errors.js';
import { equalInConstantTime } from '../../../protocol/octets.js';
import type { Clock } from '../../core/clock.js';
import { type Log, peerText } from '../../core/log.js';
import { WatchedFile } from '../../links/watched-file.js';
import { type AccessEntry, AccessListRefused, type ReplaceAccessList } from './access-entry.js';
import { readAccessList, writeAccessList } from './access-list-file.js';
import { checkAccessList } from './check-access-list.js';
import type { GroupOptions } from './iotsocket-options.js';
import { keyOf, Peer, type PeerKey } from './peer.js';

export interface AccessControlOptions {
  /** Absolute path of the file. */
  readonly file: string;
  readonly groups: ReadonlyMap<string, GroupOptions>;
  readonly maxEntries: number;
  readonly takenBy: (uid: string) => string | undefined;
  readonly added: (peer: Peer) => void;
  /** It is no longer in the list, or has another key: whatever it has open ends now. */
  readonly revoked: (peer: Peer, isGone: boolean) => void;
  readonly regrouped: (peer: Peer) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Who may open a session. A list comes from the central, over HTTP or from the file, and is put in force whole or not at
 * all, one after the other; what is in force is what is in the file.
 */
export class AccessControl {
  /** The objects of the list, by key. */
  readonly peers = new Map<PeerKey, Peer>();
  readonly #options: AccessControlOptions;
  readonly #watch: WatchedFile;
  #turn: Promise<unknown> = Promise.resolve();
  #isStopped = false;

  constructor(options: AccessControlOptions) {
    this.#options = options;
    this.#watch = new WatchedFile({
      paths: [options.file],
      clock: options.clock,
      changed: () => void this.#inTurn(() => this.#readAgain()),
    });
  }

  /** Reads the file and watches it. ConfigurationError when it cannot be used. */
  async start(): Promise<void> {
    const { file, maxEntries, log } = this.#options;
    await this.#watch.start();
    const entries = await readAccessList(file, maxEntries);
    this.#checkFile(entries);
    this.#apply(entries);
    log.info({ file, entries: entries.length }, 'access list in force');
  }

  /** Resolves when a list on its way is in force or refused. May be called twice. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#watch.stop();
    await this.#turn;
  }

  readonly replace: ReplaceAccessList = (entries, source) =>
    this.#inTurn(async () => {
      const { log, file } = this.#options;
      if (this.#isStopped) throw new StoreError('store-failed', 'the base is stopping');
      const problem = this.#problemOf(entries);
      if (problem !== undefined) {
        log.warn({ source, reason: peerText(problem) }, 'an access list was refused; the one before stays');
        throw new AccessListRefused(problem);
      }
      try {
        await writeAccessList(file, entries);
      } catch (error) {
        log.error(
          { source, error: (error as Error).message },
          'an access list could not be stored; the one before stays',
        );
        throw new StoreError('store-failed', (error as Error).message, { cause: error });
      }
      this.#apply(entries);
      log.info({ source, entries: entries.length }, 'access list in force');
    });

  async #readAgain(): Promise<void> {
    const { file, maxEntries, log } = this.#options;
    if (this.#isStopped) return;
    try {
      const before = await idOf(file);
      const entries = await readAccessList(file, maxEntries);
      this.#checkFile(entries);
      // Where it was not there for a moment, as an editor does it, it is read again when it is.
      if (entries.length === 0 && before !== (await idOf(file))) return;
      if (!this.#apply(entries)) return;
      log.info({ source: 'file', entries: entries.length }, 'access list in force');
    } catch (error) {
      log.warn({ reason: (error as Error).message }, 'the file of the access list was refused; the list before stays');
    }
  }

  #checkFile(entries: readonly AccessEntry[]): void {
    const problem = this.#problemOf(entries);
    if (problem !== undefined)
      throw new ConfigurationError('config-invalid', `the file ${this.#options.file}: ${problem}`);
  }

  #problemOf(entries: readonly AccessEntry[]): string | undefined {
    const { groups, maxEntries, takenBy } = this.#options;
    return checkAccessList(entries, groups, { maxEntries, takenBy });
  }

  /** One after the other: two lists at once would be a third. */
  #inTurn<T>(doing: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(doing);
    this.#turn = done.catch(() => {});
    return done;
  }

  /** True when anything is another than before. */
  #apply(entries: readonly AccessEntry[]): boolean {
    const { groups, added, revoked, regrouped } = this.#options;
    let isChanged = false;
    const left = new Set(this.peers.keys());
    for (const { uid, group, key } of entries) {
      const peerKey = keyOf(uid);
      const options = groups.get(group)!;
      const peer = this.peers.get(peerKey);
      left.delete(peerKey);
      if (peer === undefined) {
        const newcomer = new Peer(uid, key, options);
        this.peers.set(peerKey, newcomer);
        added(newcomer);
        isChanged = true;
        continue;
      }
      if (!equalInConstantTime(peer.authKey, key)) {
        peer.authKey = key;
        revoked(peer, false);
        isChanged = true;
      }
      if (peer.group !== options) {
        peer.group = options;
        regrouped(peer);
        isChanged = true;
      }
    }
    for (const key of left) {
      const peer = this.peers.get(key)!;
      this.peers.delete(key);
      revoked(peer, true);
      isChanged = true;
    }
    return isChanged;
  }
}

/** Which file that is. Rejects when there is none: a list is emptied by writing an empty one, not by losing it. */
async function idOf(path: string): Promise<string> {
  const found = await stat(path, { bigint: true }).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'is not there any more; write {} into it to let nobody in' : cause.message;
    throw new ConfigurationError('config-unreadable', `the file ${path} ${why}`, { cause });
  });
  return `${found.dev} ${found.ino} ${found.ctimeNs}`;
}
