import type { FastifyInstance } from 'fastify';
import type { StatusPort } from '../../core/status.js';
import { sendError } from '../../links/http-errors.js';
import type { ConnectorApiLimits } from './connector-api-limits.js';
import type { ConnectorGate } from './connector-gate.js';
import type { ConnectorPath } from './connector-openapi.js';
import { statusMetrics, statusUnits } from './status-metrics.js';
import type { StatusStream } from './status-stream.js';

export const STREAM_PATH = '/cloud-connector/status/stream' satisfies ConnectorPath;
/** When a stream may have become free again. */
const STREAM_RETRY_S = 10;

export interface StatusRoutesParts {
  readonly status: StatusPort;
  readonly gate: ConnectorGate;
  readonly stream: StatusStream;
  readonly limits: ConnectorApiLimits;
}

/** `/cloud-connector/status…`: how the base is doing, once and as it changes. */
export function statusRoutes(app: FastifyInstance, { status, gate, stream, limits }: StatusRoutesParts): void {
  app.get('/cloud-connector/status', () => ({
    metrics: statusMetrics(status.status()),
    units: statusUnits,
  }));

  app.get(STREAM_PATH, (request, reply) => {
    const caller = gate.callerOf(request);
    const full = stream.bound(caller);
    if (full !== undefined) {
      reply.header('retry-after', STREAM_RETRY_S);
      return full === 'streams'
        ? sendError(reply, 503, `All ${limits.streams} event streams are taken; try again later.`)
        : sendError(reply, 429, `There are ${limits.streamsPerToken} event streams of yours already; close one.`);
    }
    reply.hijack();
    stream.open(caller, reply.raw, reply.getHeaders() as Record<string, string>);
    return reply;
  });
}
