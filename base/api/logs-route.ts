import type { FastifyInstance } from 'fastify';
import { logLevels } from '../core/messages.js';
import type { UnitsPort } from '../core/units-port.js';
import { checkInput, logsQuery } from './api-schemas.js';
import type { EventStream } from './event-stream.js';
import { routeDocs } from './openapi.js';
import { problem } from './problem.js';
import { sendProblem } from './send-problem.js';
import { sendUnknownUnit, type UnitRoute } from './unknown-unit.js';

/** `/units/{unit}/logs`: what a unit wrote to its log, and where the event stream goes on. */
export function logsRoute(app: FastifyInstance, units: UnitsPort, stream: EventStream): void {
  app.get<UnitRoute>('/units/:unit/logs', { schema: routeDocs.logs }, (request, reply) => {
    const { unit } = request.params;
    if (units.get(unit) === undefined) return sendUnknownUnit(reply, units, unit);
    const query = checkInput(logsQuery, request.query, 'the query');
    if (!query.ok) return sendProblem(reply, problem(400, 'bad-request', query.detail));
    const from = logLevels.indexOf(query.value.level ?? 'debug');
    const lines = units.logs(unit).filter(({ level }) => logLevels.indexOf(level) >= from);
    return {
      unit,
      lines: lines.map(({ kind: _kind, unit: _unit, ...line }) => line),
      lastEventId: String(stream.lastId),
    };
  });
}
