import type { FastifyInstance } from 'fastify';
import { toHex } from '../../protocol/octets.js';
import type { Clock } from '../core/clock.js';
import { OPAQUE_QUERY } from '../core/command-request.js';
import type { Random } from '../core/random.js';
import type { UnitView } from '../core/unit-view.js';
import type { UnitsPort } from '../core/units-port.js';
import { checkInput, querySchema } from './api-schemas.js';
import { routeDocs } from './openapi.js';
import { problem } from './problem.js';
import { chosenReport, reportingOf } from './reporting.js';
import { askedOf, ID_OCTETS, type OutcomeView, sendCommand } from './send-command.js';
import { sendProblem } from './send-problem.js';
import { sendUnknownUnit, type UnitRoute } from './unknown-unit.js';

/** Of a unit with a definition: whose values were given, and when they were measured. */
type QueryOutcomeView = OutcomeView & { readonly report?: string; readonly measuredAt?: number };

/**
 * `/units/{unit}/queries`: asks a unit something. One without a definition answers itself; of the others the base knows
 * what they said last, and they are not disturbed.
 */
export function queriesRoute(app: FastifyInstance, units: UnitsPort, clock: Clock, random: Random): void {
  app.post<UnitRoute>('/units/:unit/queries', { schema: routeDocs.queries }, async (request, reply) => {
    const bad = (detail: string) => sendProblem(reply, problem(400, 'bad-request', detail));
    const body = checkInput(querySchema, request.body, 'the body');
    if (!body.ok) return bad(body.detail);
    const { unit } = request.params;
    const view = units.get(unit);
    const reporting = reportingOf(units, unit);
    if (view === undefined || reporting === undefined) return sendUnknownUnit(reply, units, unit);
    const { id = toHex(random.octets(ID_OCTETS)), report, payload, ttlS } = body.value;
    if (view.definition === undefined) {
      if (report !== undefined) return bad(`report: ${unit} has no definition; send a payload instead`);
      const query = { id, unit, command: OPAQUE_QUERY, ...askedOf(body.value), origin: request.ip, source: 'api' };
      return sendCommand(reply, units, unit, query);
    }
    for (const [name, value] of Object.entries({ payload, ttlS }))
      if (value !== undefined)
        return bad(`${name}: ${unit} has a definition, and the base knows its last values; send at most a report`);
    const chosen = chosenReport(reporting, report);
    return chosen.ok ? lastValues(view, chosen.report, id, clock.now()) : bad(chosen.detail);
  });
}

function lastValues({ unit, last }: UnitView, report: string, id: string, at: number): QueryOutcomeView {
  const known = Object.hasOwn(last, report) ? last[report] : undefined;
  const query = { id, unit, command: OPAQUE_QUERY, at, report };
  if (known === undefined) return { ...query, outcome: 'refused', reason: 'the base has had no such report of it yet' };
  return { ...query, outcome: 'ok', reply: known.fields, measuredAt: known.measuredAt };
}
