import type { DiskEvent } from './disk-trace.js';

/** What a disk writes whole or not at all. */
const SECTOR = 512;

type Pending = Extract<DiskEvent, { kind: 'write' | 'truncate' }>;
type FolderEvent = Extract<DiskEvent, { kind: 'create' | 'remove' | 'rename' }>;

interface ModelFile {
  /** What is on the disk for good. */
  durable: Buffer;
  /** What the disk may have of it or not. */
  pending: Pending[];
}

/**
 * A disk that keeps what it was told to sync, and of everything else any sectors. Names last when their folder was synced;
 * until then it has the first so many of the changes.
 */
export class DiskModel {
  /** By name, as the running system sees it. */
  readonly #files = new Map<string, ModelFile>();
  /** By name, as the disk has it for good. */
  #named = new Map<string, ModelFile>();
  #namesPending: FolderEvent[] = [];

  apply(event: DiskEvent): void {
    switch (event.kind) {
      case 'write':
      case 'truncate':
        this.#file(event.file).pending.push(event);
        break;
      case 'sync': {
        const file = this.#file(event.file);
        const synced = file.pending.filter(({ at }) => at < event.from);
        for (const pending of synced) file.durable = applied(file.durable, pending);
        file.pending = file.pending.filter(({ at }) => at >= event.from);
        break;
      }
      case 'syncFolder':
        this.#named = new Map(this.#files);
        this.#namesPending = [];
        break;
      case 'create':
        if (!this.#files.has(event.file)) this.#namesPending.push(event);
        this.#file(event.file);
        break;
      case 'remove':
        this.#files.delete(event.file);
        this.#namesPending.push(event);
        break;
      case 'rename': {
        const file = this.#file(event.file);
        this.#files.delete(event.file);
        this.#files.set(event.to, file);
        this.#namesPending.push(event);
        break;
      }
    }
  }

  /** What is found when the power comes back: one of the many possible disks. `fraction` is 0 ≤ … < 1. */
  image(fraction: () => number): ReadonlyMap<string, Buffer> {
    const names = new Map(this.#named);
    const lasting = Math.floor(fraction() * (this.#namesPending.length + 1));
    for (const event of this.#namesPending.slice(0, lasting)) rename(names, event, this.#files);
    // Some disks have nearly all of it, some nearly nothing.
    const share = [0, 0.1, 0.5, 0.9, 1][Math.floor(fraction() * 5)]!;
    return new Map([...names].map(([name, file]) => [name, torn(file, () => fraction() < share)]));
  }

  #file(name: string): ModelFile {
    let file = this.#files.get(name);
    if (file === undefined) {
      file = { durable: Buffer.alloc(0), pending: [] };
      this.#files.set(name, file);
    }
    return file;
  }
}

function rename(names: Map<string, ModelFile>, event: FolderEvent, files: ReadonlyMap<string, ModelFile>): void {
  const file = names.get(event.file) ?? files.get(event.file);
  if (event.kind === 'create') {
    if (file !== undefined) names.set(event.file, file);
    return;
  }
  names.delete(event.file);
  if (event.kind === 'rename' && file !== undefined) names.set(event.to, file);
}

function torn({ durable, pending }: ModelFile, isThere: () => boolean): Buffer {
  let octets: Buffer = Buffer.from(durable);
  for (const event of pending) {
    if (event.kind === 'truncate') {
      if (isThere()) octets = applied(octets, event);
      continue;
    }
    const { offset, data } = event;
    for (let at = 0; at < data.length; ) {
      const length = Math.min(data.length - at, SECTOR - ((offset + at) % SECTOR));
      if (isThere()) octets = applied(octets, { ...event, offset: offset + at, data: data.subarray(at, at + length) });
      at += length;
    }
  }
  return octets;
}

function applied(octets: Buffer, event: Pending): Buffer {
  const size = event.kind === 'truncate' ? event.size : Math.max(octets.length, event.offset + event.data.length);
  let next = octets;
  if (size > octets.length) {
    // Grown by half, so that a file written piece by piece is not copied for each piece.
    next = Buffer.alloc(size);
    octets.copy(next);
  } else if (size < octets.length) next = octets.subarray(0, size);
  if (event.kind === 'write') event.data.copy(next, event.offset);
  return next;
}
