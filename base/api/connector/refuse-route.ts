import type { FastifyReply, FastifyRequest } from 'fastify';
import { refuseUnread } from '../../links/http-errors.js';
import { type ConnectorPath, connectorPaths } from './connector-openapi.js';

const pathOf = ({ url }: FastifyRequest): string => url.split('?', 1)[0]!.replace(/(?<=.)\/$/, '');

const routes = (Object.keys(connectorPaths) as ConnectorPath[]).map((path) => ({
  method: Object.keys(connectorPaths[path])[0]!.toUpperCase(),
  path,
  pattern: new RegExp(`^${path.replace('{id}', '[^/]+')}$`),
}));

/** A path that there is not: 404; one that is not for this method: 405. */
export function refuseRoute(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = pathOf(request);
  const allowed = [...new Set(routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))];
  if (allowed.length > 0 && !allowed.includes(request.method)) {
    const methods = allowed.join(', ');
    return refuseUnread(request, reply.header('allow', methods), 405, `This path takes ${methods} only.`);
  }
  const known = routes.map(({ method, path: each }) => `${method} ${each}`).join(', ');
  return refuseUnread(request, reply, 404, `There is no such path; there are: ${known}`);
}
