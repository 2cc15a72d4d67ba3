import type { FastifyInstance } from 'fastify';
import type { Metrics } from './metrics.js';
import { routeDocs } from './openapi.js';

/** Where Prometheus looks. */
const METRICS = '/metrics';

export function metricsRoute(app: FastifyInstance, metrics: Metrics): void {
  app.get(METRICS, { schema: routeDocs.metrics }, async (_request, reply) => {
    const { type, text } = await metrics.text();
    return reply.type(type).send(text);
  });
}
