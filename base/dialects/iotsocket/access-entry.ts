import type { AccessListEntry } from '../../../protocol/iotsocket/access-list.js';

/** One object that may open a session: whatever way the list came. */
export type AccessEntry = AccessListEntry;

/** A list that is refused whole, and why; the old one stays in force. The message names what and where. */
export class AccessListRefused extends Error {}

/**
 * Replaces the whole access list. Resolves when the new one is on disk and in force. Rejects with AccessListRefused, or with
 * StoreError `store-failed` when the disk does not take it or the base stops.
 */
export type ReplaceAccessList = (entries: readonly AccessEntry[], source: 'central' | 'http' | 'file') => Promise<void>;
