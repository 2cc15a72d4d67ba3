import type { FastifyInstance } from 'fastify';
import { UID_OCTETS } from '../../protocol/iotsocket/uid.js';
import { OPAQUE_COMMAND } from '../core/check-request.js';
import type { UnitsPort } from '../core/units-port.js';
import { definitionView } from './definition-view.js';
import { routeDocs } from './openapi.js';
import { problem } from './problem.js';
import { sendProblem } from './send-problem.js';
import { sendUnknownUnit, type UnitRoute } from './unknown-unit.js';

/** `/units…`: what there is, and that it be forgotten. */
export function unitsRoutes(app: FastifyInstance, units: UnitsPort): void {
  app.get('/units', { schema: routeDocs.units }, () => ({ units: units.list() }));

  app.get<UnitRoute>('/units/:unit', { schema: routeDocs.unit }, (request, reply) => {
    const view = units.get(request.params.unit);
    return view ?? sendUnknownUnit(reply, units, request.params.unit);
  });

  app.get<UnitRoute>('/units/:unit/definition', { schema: routeDocs.definition }, (request, reply) => {
    const { unit } = request.params;
    const definition = units.definitionOf(unit);
    if (definition !== undefined) return definitionView(definition);
    if (units.get(unit) === undefined) return sendUnknownUnit(reply, units, unit);
    const detail = `${unit} has no definition: it is an object of the access list, and takes "${OPAQUE_COMMAND}" with a payload.`;
    return sendProblem(reply, problem(404, 'not-found', detail));
  });

  app.delete<UnitRoute>('/units/:unit', { schema: routeDocs.forget }, async (request, reply) => {
    const { unit } = request.params;
    // A unit of the original's file has its address for a UID, which may be longer.
    const isPossible = units.get(unit) !== undefined || isUid(unit);
    const detail = `unit: ${JSON.stringify(unit)} cannot be a UID, which has 1 to ${UID_OCTETS} octets`;
    if (!isPossible) return sendProblem(reply, problem(400, 'bad-request', detail));
    await units.forget(unit);
    return reply.code(204).send();
  });
}

function isUid(text: string): boolean {
  const octets = new TextEncoder().encode(text).length;
  return octets >= 1 && octets <= UID_OCTETS;
}
