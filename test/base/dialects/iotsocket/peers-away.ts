import { expect } from 'vitest';
import { settle } from '../../../support/manual-clock.js';
import type { ConcentratorRig } from './concentrator-rig.js';
import type { OctetPeer } from './octet-peer.js';

/** Resolves when that is so; the test's own time bounds it. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await settle(1);
}

/** How a peer goes away so that its session is kept. */
export type Leave = 'drop' | 'a0' | 'a1';

/** The peer goes; resolves when the concentrator knows. */
export async function leave(rig: ConcentratorRig, peer: OctetPeer, how: Leave | '00' | '01' | '02' | '03' = 'drop') {
  const before = goings(rig);
  if (how === 'drop') peer.socket.resetAndDestroy();
  else peer.write(`f0${how}`);
  await until(() => goings(rig) > before);
}

const goings = ({ presence, log }: ConcentratorRig): number =>
  presence.filter((line) => line.includes(' offline')).length +
  log.lines.filter(({ message }) => message === 'the central has no connection').length;

/** Lets time pass in which nothing is sent to these peers; they stay alive. */
export async function pass(rig: ConcentratorRig, ms: number, ...peers: readonly OctetPeer[]): Promise<void> {
  for (let left = ms; left > 0; left -= STEP_MS) {
    await rig.manual.advance(Math.min(left, STEP_MS));
    for (const peer of peers) expect(await peer.isQuiet()).toBe(true);
  }
}

/** Shorter than the silence after which a peer is pinged. */
const STEP_MS = 10_000;

/** An erasure that the disk takes its time for. */
export function slowErasure(rig: ConcentratorRig): () => void {
  let finish!: () => void;
  rig.erasing = new Promise((resolve) => {
    finish = resolve;
  });
  return () => {
    rig.erasing = undefined;
    finish();
  };
}

const hex16 = (value: number): string => value.toString(16).padStart(4, '0');

/** A request with that number, or with a UID as the central sends it, and octets `ab`. */
export const request = (number: number, octets = 0, uid = ''): string =>
  `${uid === '' ? '30' : `38${uid}`}${hex16(number)}00${hex16(octets)}${'ab'.repeat(octets)}`;

/** A response without a payload. */
export const response = (number: number, code: string, uid = ''): string =>
  `${uid === '' ? '40' : `48${uid}`}${hex16(number)}${code}000000`;

/** Reads as many octets as these are, and compares. */
export async function expectNext(peer: OctetPeer, ...hex: readonly string[]): Promise<void> {
  const all = hex.join('');
  expect(await peer.read(all.length / 2)).toBe(all);
}
