import type { FastifyInstance } from 'fastify';
import type { Connections } from '../core/connections.js';
import type { StatusPort } from '../core/status.js';
import { checkInput, DEFAULT_PAGE } from './api-schemas.js';
import { routeDocs } from './openapi.js';
import { problem } from './problem.js';
import { sendProblem } from './send-problem.js';
import { connectionsQuery } from './status-schemas.js';

/** `/status`: how the base is doing. `/connections`: who is connected. */
export function statusRoutes(app: FastifyInstance, status: StatusPort, connections: Pick<Connections, 'page'>): void {
  app.get('/status', { schema: routeDocs.status }, () => status.status());

  app.get('/connections', { schema: routeDocs.connections }, (request, reply) => {
    const query = checkInput(connectionsQuery, request.query, 'the query');
    if (!query.ok) return sendProblem(reply, problem(400, 'bad-request', query.detail));
    const { unit, limit = DEFAULT_PAGE, after } = query.value;
    return connections.page(limit, after, unit);
  });
}
