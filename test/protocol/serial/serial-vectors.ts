import { readFileSync } from 'node:fs';
import type { Vector } from '../stream-vectors.js';

/** `test/vectors/serial-frames.json`, which the firmware's tests read too. */
interface SerialVectors {
  readonly crc: readonly { readonly text: string; readonly crc: string; readonly source: string }[];
  /** Those without a value are `error`, or, where nothing is wrong with them, `ignored`. */
  readonly frames: readonly (Vector & { readonly value?: { readonly chunk: string }; readonly ignored?: boolean })[];
  readonly improv: readonly (Vector & { readonly value?: ImprovVector })[];
}

export interface ImprovVector {
  readonly type: number;
  readonly data: string;
  readonly state?: string;
  readonly error?: string;
  readonly rpc?: {
    readonly command: number;
    readonly wifiName?: string;
    readonly wifiPassword?: string;
    readonly uid?: string;
    readonly key?: string;
    readonly base?: string;
  };
  readonly result?: { readonly command: number; readonly texts: readonly string[] };
}

export const serialVectors = JSON.parse(
  readFileSync(new URL('../../vectors/serial-frames.json', import.meta.url), 'utf8'),
) as SerialVectors;
