import type { PayloadFormat } from '../../protocol/iotsocket/payload.js';

/** What a unit that is not typed may be asked: to do something, or only to tell something. */
export const OPAQUE_COMMAND = 'request';
export const OPAQUE_QUERY = 'query';

/** A command as a central asks for it: nothing in it is checked yet. */
export interface CommandRequest {
  /** The sender's id, 1 to 64 characters. A second request with the same id for the same unit is a duplicate. */
  readonly id: string;
  /** A UID, or where `line` is given also a unit's address. */
  readonly unit: string;
  /** The command's name; `line` requests have `update`, those with a payload `request` or `query`. */
  readonly command: string;
  readonly fields?: Readonly<Record<string, unknown>>;
  /** For line units: the line to write, as it is, instead of fields. At most 64 printable ASCII characters. */
  readonly line?: string;
  /** For units that are not typed, instead of fields: the payload, and its format as JSON has it. Default `json`. */
  readonly payload?: unknown;
  readonly format?: PayloadFormat;
  /** How long it may wait for its delivery, in ms. Default: the command's time-out. */
  readonly ttlMs?: number;
  /** How long it may wait for its turn without `ttlMs`, in ms. Default 30 s. */
  readonly waitMs?: number;
  /** The address that it comes from, where that is known. */
  readonly origin?: string | undefined;
  /** Who asks: `api`, `pusher`, … */
  readonly source: string;
}
