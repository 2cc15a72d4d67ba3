import type { FastifyInstance } from 'fastify';
import type { UnitsPort } from '../core/units-port.js';
import type { ApiLimits } from './api-limits.js';
import { checkInput, eventsHeaders, eventsQuery } from './api-schemas.js';
import type { EventStream } from './event-stream.js';
import { routeDocs } from './openapi.js';
import { problem } from './problem.js';
import { sendProblem, sendRetryLater } from './send-problem.js';
import { sendUnknownUnit } from './unknown-unit.js';

/** When a stream may have become free again. */
const RETRY_MS = 10_000;

/** `/events`: Server-Sent Events. `tokenKeyOf` says which token a request came with. */
export function eventsRoute(
  app: FastifyInstance,
  stream: EventStream,
  units: UnitsPort,
  limits: ApiLimits,
  tokenKeyOf: (request: object) => string,
): void {
  app.get('/events', { schema: routeDocs.events }, (request, reply) => {
    const query = checkInput(eventsQuery, request.query, 'the query');
    if (!query.ok) return sendProblem(reply, problem(400, 'bad-request', query.detail));
    const headers = checkInput(eventsHeaders, request.headers, 'the headers');
    if (!headers.ok) return sendProblem(reply, problem(400, 'bad-request', headers.detail));
    const { unit, kind } = query.value;
    if (unit !== undefined && units.get(unit) === undefined) return sendUnknownUnit(reply, units, unit);
    const tokenKey = tokenKeyOf(request);
    switch (stream.bound(tokenKey)) {
      case 'streamsPerToken': {
        const detail = `This token has ${limits.streamsPerToken} event streams, which is all it may have; close one.`;
        return sendRetryLater(reply, problem(429, 'too-many-streams', detail), RETRY_MS);
      }
      case 'streams': {
        const detail = `All ${limits.streams} event streams of this base are taken; try again later.`;
        return sendRetryLater(reply, problem(503, 'too-many-streams', detail), RETRY_MS);
      }
      default: {
        const lastId = headers.value['last-event-id'];
        reply.hijack();
        const started = { tokenKey, unit, kind, lastId: lastId === undefined ? undefined : Number(lastId) };
        stream.open(started, reply.raw, reply.getHeaders() as Record<string, string>);
        return reply;
      }
    }
  });
}
