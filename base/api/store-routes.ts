import type { FastifyInstance } from 'fastify';
import { routeDocs } from './openapi.js';

/** `/backups`: copies of the store. `backup` makes one and gives its path. */
export function storeRoutes(app: FastifyInstance, backup: () => Promise<string>): void {
  app.post('/backups', { schema: routeDocs.backups }, async () => ({ path: await backup() }));
}
