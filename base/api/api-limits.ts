import { MAX_UID_CHARACTERS } from '../core/unit-uid.js';
import { defaultHttpBounds, type HttpBounds } from '../links/http-bounds.js';
import type { SseLimits } from './sse-clients.js';

/** Of a UID in a path: each character is at most four octets of UTF-8, each percent-encoded. */
export const MAX_PARAM_CHARACTERS = 12 * MAX_UID_CHARACTERS;
/** A command's fields are at most a list in an object in an object. */
export const MAX_BODY_DEPTH = 16;

/** What one client may take of the base (reference/limits.md: HTTP, SSE, Rate limits). */
export interface ApiLimits extends HttpBounds, SseLimits {
  readonly bodyOctets: number;
  /** Requests per second of one token, in the long run and at once. */
  readonly requestsPerS: number;
  readonly requestBurst: number;
  /** Events kept for those who resume. */
  readonly events: number;
}

export const defaultApiLimits: ApiLimits = {
  ...defaultHttpBounds,
  bodyOctets: 64 * 1024,
  requestsPerS: 20,
  requestBurst: 40,
  streams: 200,
  streamsPerToken: 10,
  streamBufferOctets: 256 * 1024,
  events: 1_000,
  pingMs: 20_000,
  // Commands under way may end; a stop must end within 5 s.
  stopGraceMs: 2_000,
};
