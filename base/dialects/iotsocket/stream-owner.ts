import type { Duplex } from 'node:stream';

/** Who hears of a stream: its opening, and then its session. */
export interface StreamOwner {
  data(chunk: Buffer): void;
  /** Nothing follows. */
  closed(): void;
}

const OWNER = Symbol('owner');

interface OwnedStream extends Duplex {
  [OWNER]?: StreamOwner | undefined;
}

/**
 * From now on that one hears of the stream. What listens is shared by all streams and stays when a stream changes hands:
 * for ten thousand that come at once, taking it off and putting on another costs more than to look whose a stream is.
 */
export function own(stream: Duplex, owner: StreamOwner): void {
  const owned: OwnedStream = stream;
  const isHeard = owned[OWNER] !== undefined;
  owned[OWNER] = owner;
  if (isHeard) return;
  stream.on('close', onClose);
  stream.on('data', onData);
}

/** Nobody hears of it any more; it is paused. */
export function disown(stream: Duplex): void {
  const owned: OwnedStream = stream;
  owned[OWNER] = undefined;
  stream.pause();
  stream.removeListener('close', onClose);
  stream.removeListener('data', onData);
}

function onData(this: OwnedStream, chunk: Buffer): void {
  this[OWNER]?.data(chunk);
}

function onClose(this: OwnedStream): void {
  this[OWNER]?.closed();
}
