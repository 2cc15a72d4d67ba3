import type { FastifyInstance, FastifyReply } from 'fastify';
import { toHex } from '../../protocol/octets.js';
import type { Random } from '../core/random.js';
import type { UnitsPort } from '../core/units-port.js';
import { checkInput, commandSchema } from './api-schemas.js';
import { definitionView } from './definition-view.js';
import { routeDocs } from './openapi.js';
import { problem } from './problem.js';
import { sendProblem } from './send-problem.js';

/** Of a command that its sender gave none. */
const ID_OCTETS = 16;
const UNIT_PORT = 8888;
/** Of the units that there are, in the answer to a question for one that there is not. */
const MAX_NAMED = 10;

interface UnitRoute {
  readonly Params: { readonly unit: string };
}

/** `/units…`: what there is, and commands to it. */
export function unitsRoutes(app: FastifyInstance, units: UnitsPort, random: Random): void {
  app.get('/units', { schema: routeDocs.units }, () => ({ units: units.list() }));

  app.get<UnitRoute>('/units/:unit', { schema: routeDocs.unit }, (request, reply) => {
    const view = units.get(request.params.unit);
    return view ?? sendUnknownUnit(reply, units, request.params.unit);
  });

  app.get<UnitRoute>('/units/:unit/definition', { schema: routeDocs.definition }, (request, reply) => {
    const definition = units.definitionOf(request.params.unit);
    return definition === undefined ? sendUnknownUnit(reply, units, request.params.unit) : definitionView(definition);
  });

  app.post<UnitRoute>('/units/:unit/commands', { schema: routeDocs.commands }, async (request, reply) => {
    const body = checkInput(commandSchema, request.body, 'the body');
    if (!body.ok) return sendProblem(reply, problem(400, 'bad-request', body.detail));
    const { unit } = request.params;
    const { id, command, fields, line, ttlS } = body.value;
    if (!isKnown(units, unit, line !== undefined)) return sendUnknownUnit(reply, units, unit);
    const outcome = await units.command({
      id: id ?? toHex(random.octets(ID_OCTETS)),
      unit,
      command: command ?? 'update',
      ...(fields === undefined ? {} : { fields }),
      ...(line === undefined ? {} : { line }),
      ...(ttlS === undefined ? {} : { ttlMs: Math.ceil(ttlS * 1_000) }),
      source: 'api',
    });
    const { kind: _kind, source: _source, ...answer } = outcome;
    return answer;
  });
}

/** A line may be sent to a unit's address, too. */
function isKnown(units: UnitsPort, unit: string, isLine: boolean): boolean {
  if (units.get(unit) !== undefined) return true;
  return isLine && units.list().some(({ address }) => address === unit || address === `${unit}:${UNIT_PORT}`);
}

export function sendUnknownUnit(reply: FastifyReply, units: UnitsPort, unit: string): FastifyReply {
  const known = units.list().map((view) => view.unit);
  const named = known.slice(0, MAX_NAMED).join(', ');
  const all = known.length > MAX_NAMED ? `${named} and ${known.length - MAX_NAMED} more` : named || 'none';
  const detail = `There is no unit ${JSON.stringify(unit)}; there are: ${all}. Units are configured in units.known.`;
  return sendProblem(reply, problem(404, 'not-found', detail));
}
