import type { FastifyInstance } from 'fastify';
import { toHex } from '../../protocol/octets.js';
import type { Random } from '../core/random.js';
import { REMEMBERED_MS, REMEMBERED_PER_UNIT } from '../core/recent-commands.js';
import type { UnitsPort } from '../core/units-port.js';
import { checkInput, commandSchema } from './api-schemas.js';
import { routeDocs } from './openapi.js';
import { problem } from './problem.js';
import { askedOf, ID_OCTETS, outcomeView, sendCommand } from './send-command.js';
import { sendProblem } from './send-problem.js';
import { sendUnknownUnit, type UnitRoute } from './unknown-unit.js';

const UNIT_PORT = 8888;

interface CommandRoute {
  readonly Params: { readonly unit: string; readonly id: string };
}

/** `/units/{unit}/commands…`: tells a unit to do something, and how that ended. */
export function commandsRoutes(app: FastifyInstance, units: UnitsPort, random: Random): void {
  app.post<UnitRoute>('/units/:unit/commands', { schema: routeDocs.commands }, async (request, reply) => {
    const body = checkInput(commandSchema, request.body, 'the body');
    if (!body.ok) return sendProblem(reply, problem(400, 'bad-request', body.detail));
    const { unit } = request.params;
    const { id = toHex(random.octets(ID_OCTETS)), command, fields, line } = body.value;
    const uid = uidOf(units, unit, line !== undefined);
    if (uid === undefined) return sendUnknownUnit(reply, units, unit);
    return sendCommand(reply, units, uid, {
      id,
      unit,
      command: command ?? 'update',
      ...(fields === undefined ? {} : { fields }),
      ...(line === undefined ? {} : { line }),
      ...askedOf(body.value),
      origin: request.ip,
      source: 'api',
    });
  });

  app.get<CommandRoute>('/units/:unit/commands/:id', { schema: routeDocs.command }, (request, reply) => {
    const { unit, id } = request.params;
    if (units.get(unit) === undefined) return sendUnknownUnit(reply, units, unit);
    const status = units.commandStatus(unit, id);
    if (status === undefined) {
      const detail = `No command with the id ${JSON.stringify(id)} is remembered for ${unit}. Outcomes are known for ${REMEMBERED_MS / 60_000} minutes, those of a unit's last ${REMEMBERED_PER_UNIT} commands.`;
      return sendProblem(reply, problem(404, 'not-found', detail));
    }
    if (status === 'waiting') return { status, id, unit };
    return { status: 'ended', id, unit, outcome: outcomeView(status) };
  });
}

/** A line may be sent to a unit's address, too. */
function uidOf(units: UnitsPort, unit: string, isLine: boolean): string | undefined {
  const known = units.get(unit);
  if (known !== undefined || !isLine) return known?.unit;
  for (const uid of units.uids()) {
    // Of many thousand objects none has an address.
    if (units.definitionOf(uid) === undefined) continue;
    const { address } = units.get(uid)!;
    if (address === unit || address === `${unit}:${UNIT_PORT}`) return uid;
  }
  return undefined;
}
