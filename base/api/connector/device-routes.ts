import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { addressText, plainHost } from '../../core/address.js';
import { sendError } from '../../links/http-errors.js';
import { askedPayload } from './asked-payload.js';
import { type Asking, notAnswered } from './device-answer.js';
import type { DeviceRequests } from './device-requests.js';
import { connectedDevices, deviceRecord } from './devices.js';
import type { StatusApiContext } from './status-api.js';
import { deviceMetrics, deviceUnits } from './status-metrics.js';

interface DeviceRoute {
  readonly Params: { readonly id: string };
}

/** `/devices…`: who is connected, and what they are told and asked. */
export function deviceRoutes(
  app: FastifyInstance,
  { connections, units, clock }: StatusApiContext,
  requests: DeviceRequests,
): void {
  app.get<{ Querystring: { readonly details?: unknown } }>('/devices', (request) => ({
    devices:
      request.query.details === '1' ? connections.list().map(deviceRecord) : connectedDevices(connections, units),
  }));

  const show = (request: FastifyRequest<DeviceRoute>, reply: FastifyReply): unknown => {
    const record = connections.of(request.params.id);
    if (record === undefined) return sendError(reply, 404, 'Device not found');
    return { metrics: deviceMetrics(record, clock.now()), units: deviceUnits };
  };
  app.get('/devices/:id/show', show);
  app.get('/devices/status/:id', show);

  const ask = (asking: Asking) => async (request: FastifyRequest<DeviceRoute>, reply: FastifyReply) => {
    const asked = askedPayload(request.headers['content-type'], request.body as Buffer | undefined);
    const { status, body } = asked.ok
      ? await requests.ask({ asking, unit: request.params.id, payload: asked.payload, origin: originOf(request) })
      : notAnswered(400, asked.detail);
    return reply.code(status).send(body);
  };
  app.post('/devices/command/:id', ask('command'));
  app.post('/devices/query/:id', ask('query'));
}

function originOf({ ip, socket }: FastifyRequest): string {
  return addressText({ host: plainHost(ip), port: socket.remotePort ?? 0 });
}
