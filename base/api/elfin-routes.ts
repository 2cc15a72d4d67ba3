import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ElfinPort } from '../dialects/elfin/elfin-port.js';
import { checkInput } from './api-schemas.js';
import { elfinDevicesQuery, elfinUserInput, elfinUserParams } from './elfin-schemas.js';
import { routeDocs } from './openapi.js';
import { problem } from './problem.js';
import { sendProblem } from './send-problem.js';
import { named } from './unknown-unit.js';

interface UserRoute {
  readonly Params: { readonly uuid: string };
}

/** `/elfin…`: users, devices and tunnels of the Elfin gateway; `undefined`: the base is none. */
export function elfinRoutes(app: FastifyInstance, elfin: ElfinPort | undefined): void {
  const sendNone = (reply: FastifyReply): FastifyReply =>
    sendProblem(
      reply,
      problem(404, 'not-found', 'This base is no Elfin gateway: its configuration has no section "elfin".'),
    );
  const sendUnknown = (reply: FastifyReply, gateway: ElfinPort, uuid: string): FastifyReply => {
    const known = named(gateway.users().map((user) => user.uuid));
    return sendProblem(
      reply,
      problem(404, 'not-found', `There is no user ${JSON.stringify(uuid)}; there are: ${known}.`),
    );
  };

  app.get('/elfin/users', { schema: routeDocs.elfinUsers }, (_request, reply) =>
    elfin === undefined ? sendNone(reply) : { users: elfin.users() },
  );

  app.put<UserRoute>('/elfin/users/:uuid', { schema: routeDocs.putElfinUser }, async (request, reply) => {
    if (elfin === undefined) return sendNone(reply);
    const params = checkInput(elfinUserParams, request.params, 'the path');
    if (!params.ok) return sendProblem(reply, problem(400, 'bad-request', params.detail));
    const body = checkInput(elfinUserInput, request.body, 'the body');
    if (!body.ok) return sendProblem(reply, problem(400, 'bad-request', body.detail));
    return elfin.putUser({ ...body.value, uuid: params.value.uuid });
  });

  app.delete<UserRoute>('/elfin/users/:uuid', { schema: routeDocs.removeElfinUser }, async (request, reply) => {
    if (elfin === undefined) return sendNone(reply);
    const { uuid } = request.params;
    return (await elfin.removeUser(uuid)) ? reply.code(204).send() : sendUnknown(reply, elfin, uuid);
  });

  app.get('/elfin/devices', { schema: routeDocs.elfinDevices }, (request, reply) => {
    if (elfin === undefined) return sendNone(reply);
    const query = checkInput(elfinDevicesQuery, request.query, 'the query');
    if (!query.ok) return sendProblem(reply, problem(400, 'bad-request', query.detail));
    const { user } = query.value;
    // Without requireKnownUser there are devices of users that nobody added.
    return { devices: elfin.devices(user) };
  });

  app.get('/elfin/tunnels', { schema: routeDocs.elfinTunnels }, (_request, reply) =>
    elfin === undefined ? sendNone(reply) : { tunnels: elfin.tunnels() },
  );
}
