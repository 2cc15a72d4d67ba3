import type { FastifyInstance, FastifyReply } from 'fastify';
import type { OutboxPort, OutboxView } from '../core/outbox-port.js';
import { checkInput, deadQuery, MAX_DEAD_LETTERS, replaySchema } from './api-schemas.js';
import { routeDocs } from './openapi.js';
import { problem } from './problem.js';
import { sendProblem } from './send-problem.js';
import { named } from './unknown-unit.js';

const DEFAULT_LIMIT = 100;
/** As many as are kept for one receiver: what dies while they are replayed may die again and again. */
const MAX_REPLAYED = 10_000;

interface EndpointRoute {
  readonly Params: { readonly endpoint: string };
}

/** `/outbox…`: the receivers of what happens, and what could not be delivered to them. */
export function outboxRoutes(app: FastifyInstance, outbox: OutboxPort): void {
  const find = (name: string): OutboxView | undefined => outbox.list().find((each) => each.name === name);
  const sendUnknown = (reply: FastifyReply, name: string): FastifyReply => {
    const known = named(outbox.list().map((each) => each.name));
    return sendProblem(
      reply,
      problem(404, 'not-found', `There is no receiver ${JSON.stringify(name)}; there are: ${known}.`),
    );
  };

  app.get('/outbox', { schema: routeDocs.outbox }, () => ({ endpoints: outbox.list().map(({ status }) => status) }));

  app.get<EndpointRoute>('/outbox/:endpoint/dead', { schema: routeDocs.dead }, async (request, reply) => {
    const view = find(request.params.endpoint);
    if (view === undefined) return sendUnknown(reply, request.params.endpoint);
    const query = checkInput(deadQuery, request.query, 'the query');
    if (!query.ok) return sendProblem(reply, problem(400, 'bad-request', query.detail));
    const { behind = 0, limit = DEFAULT_LIMIT } = query.value;
    const dead = await view.deadLetters(behind, limit);
    return { dead, ...(dead.length < limit ? {} : { next: dead.at(-1)!.position }) };
  });

  app.post<EndpointRoute>('/outbox/:endpoint/replay', { schema: routeDocs.replay }, async (request, reply) => {
    const view = find(request.params.endpoint);
    if (view === undefined) return sendUnknown(reply, request.params.endpoint);
    const body = checkInput(replaySchema, request.body, 'the body');
    if (!body.ok) return sendProblem(reply, problem(400, 'bad-request', body.detail));
    const { positions } = body.value;
    return { replayed: positions === undefined ? await replayAll(view) : await view.replay(positions) };
  });

  app.post<EndpointRoute>('/outbox/:endpoint/enable', { schema: routeDocs.enable }, (request, reply) => {
    const view = find(request.params.endpoint);
    if (view === undefined) return sendUnknown(reply, request.params.endpoint);
    view.enable();
    return view.status;
  });
}

async function replayAll(view: OutboxView): Promise<number> {
  let [behind, replayed] = [0, 0];
  for (let left = MAX_REPLAYED; left > 0; left -= MAX_DEAD_LETTERS) {
    const page = await view.deadLetters(behind, MAX_DEAD_LETTERS);
    if (page.length === 0) break;
    replayed += await view.replay(page.map(({ position }) => position));
    behind = page.at(-1)!.position;
  }
  return replayed;
}
