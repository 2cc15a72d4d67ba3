import type { FastifyInstance, FastifyReply } from 'fastify';
import { ConfigurationError } from '../../protocol/errors.js';
import { fromHex } from '../../protocol/octets.js';
import type { UnitsPort } from '../core/units-port.js';
import type { DiscoveryPort } from '../discovery/discovery-port.js';
import { checkInput } from './api-schemas.js';
import { adoptSchema } from './discovery-schemas.js';
import { routeDocs } from './openapi.js';
import { problem } from './problem.js';
import { sendProblem } from './send-problem.js';
import { named, sendUnknownUnit, type UnitRoute } from './unknown-unit.js';

/** `/discovered…`: units that announce themselves, and their adoption; `undefined`: the base does not look for any. */
export function discoveryRoutes(app: FastifyInstance, discovery: DiscoveryPort | undefined, units: UnitsPort): void {
  const sendNone = (reply: FastifyReply): FastifyReply => {
    const detail = 'This base does not look for units: its configuration has no section "discovery".';
    return sendProblem(reply, problem(404, 'not-found', detail));
  };

  app.get('/discovered', { schema: routeDocs.discovered }, (_request, reply) =>
    discovery === undefined ? sendNone(reply) : { units: discovery.discovered() },
  );

  app.post<UnitRoute>('/discovered/:unit/adopt', { schema: routeDocs.adopt }, async (request, reply) => {
    if (discovery === undefined) return sendNone(reply);
    const { unit } = request.params;
    const body = checkInput(adoptSchema, request.body, 'the body');
    if (!body.ok) return sendProblem(reply, problem(400, 'bad-request', body.detail));
    const { key } = body.value;
    try {
      // It may be forgotten in the same moment.
      if (await discovery.adopt(unit, { key: key === undefined ? undefined : fromHex(key) }))
        return units.get(unit) ?? sendUnknownUnit(reply, units, unit);
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      return sendProblem(reply, problem(400, 'bad-request', error.message));
    }
    const there = named(discovery.discovered().map((each) => each.unit));
    const detail = `No unit ${JSON.stringify(unit)} announces itself at this moment; these do: ${there}.`;
    return sendProblem(reply, problem(404, 'not-found', detail));
  });
}
