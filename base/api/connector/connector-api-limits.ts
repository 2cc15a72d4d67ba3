import { defaultHttpBounds, type HttpBounds } from '../../links/http-bounds.js';
import { type ApiLimits, defaultApiLimits } from '../api-limits.js';
import type { SseLimits } from '../sse-clients.js';

/** What one client of the connector's API may take of the base: as of the base's own (reference/limits.md: HTTP, SSE, Rate limits). */
export interface ConnectorApiLimits
  extends HttpBounds,
    SseLimits,
    Pick<ApiLimits, 'bodyOctets' | 'requestsPerS' | 'requestBurst'> {
  /** Wrong logins of one (address, user) in a minute; then it is refused for a minute, doubling to 15. */
  readonly loginFailures: number;
  /** For a TLS handshake to be done. */
  readonly tlsHandshakeMs: number;
}

const { streams, streamsPerToken, streamBufferOctets, pingMs } = defaultApiLimits;
const { bodyOctets, requestsPerS, requestBurst } = defaultApiLimits;

export const defaultConnectorApiLimits: ConnectorApiLimits = {
  ...defaultHttpBounds,
  streams,
  streamsPerToken,
  streamBufferOctets,
  pingMs,
  bodyOctets,
  requestsPerS,
  requestBurst,
  loginFailures: 10,
  tlsHandshakeMs: 15_000,
};
