import type { FastifyInstance } from 'fastify';
import { OPAQUE_COMMAND, OPAQUE_QUERY } from '../core/command-request.js';
import { isUid, UID_RULE } from '../core/unit-uid.js';
import type { UnitView } from '../core/unit-view.js';
import type { UnitsPort } from '../core/units-port.js';
import { checkInput, DEFAULT_PAGE, unitsQuery } from './api-schemas.js';
import { definitionView } from './definition-view.js';
import { routeDocs } from './openapi.js';
import { problem } from './problem.js';
import { sendProblem } from './send-problem.js';
import { sendUnknownUnit, type UnitRoute } from './unknown-unit.js';

/** `/units…`: what there is, and that it be forgotten. */
export function unitsRoutes(app: FastifyInstance, units: UnitsPort): void {
  app.get('/units', { schema: routeDocs.units }, (request, reply) => {
    const query = checkInput(unitsQuery, request.query, 'the query');
    if (!query.ok) return sendProblem(reply, problem(400, 'bad-request', query.detail));
    const { limit, after } = query.value;
    if (limit === undefined && after === undefined) return { units: units.list() };
    return pageOf(units, limit ?? DEFAULT_PAGE, after ?? '');
  });

  app.get<UnitRoute>('/units/:unit', { schema: routeDocs.unit }, (request, reply) => {
    const view = units.get(request.params.unit);
    return view ?? sendUnknownUnit(reply, units, request.params.unit);
  });

  app.get<UnitRoute>('/units/:unit/definition', { schema: routeDocs.definition }, (request, reply) => {
    const { unit } = request.params;
    const definition = units.definitionOf(unit);
    if (definition !== undefined) return definitionView(definition);
    if (units.get(unit) === undefined) return sendUnknownUnit(reply, units, unit);
    const detail = `${unit} has no definition: it takes "${OPAQUE_COMMAND}" and "${OPAQUE_QUERY}" with a payload.`;
    return sendProblem(reply, problem(404, 'not-found', detail));
  });

  app.delete<UnitRoute>('/units/:unit', { schema: routeDocs.forget }, async (request, reply) => {
    const { unit } = request.params;
    const isPossible = units.get(unit) !== undefined || isUid(unit);
    const detail = `unit: ${JSON.stringify(unit)} cannot be a UID, which ${UID_RULE}`;
    if (!isPossible) return sendProblem(reply, problem(400, 'bad-request', detail));
    await units.forget(unit);
    return reply.code(204).send();
  });
}

/** In the order of UIDs, which is the same whichever units come and go meanwhile. Makes the views of no other units. */
function pageOf(units: UnitsPort, limit: number, after: string): { units: readonly UnitView[]; next?: string } {
  const all = Array.from(units.uids())
    .filter((uid) => uid > after)
    .sort();
  const some = all.slice(0, limit);
  const views = some.flatMap((uid) => units.get(uid) ?? []);
  return { units: views, ...(all.length > limit ? { next: some.at(-1)! } : {}) };
}
