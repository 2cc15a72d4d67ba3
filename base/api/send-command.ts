import type { FastifyReply } from 'fastify';
import { InternalError } from '../../protocol/errors.js';
import type { CommandRequest } from '../core/command-request.js';
import type { Outcome } from '../core/messages.js';
import type { UnitsPort } from '../core/units-port.js';
import { type Problem, problem } from './problem.js';
import { sendProblem } from './send-problem.js';

/** Octets of the id of a command that its sender gave none. */
export const ID_OCTETS = 16;

/** An outcome as clients get it. */
export type OutcomeView = Omit<Outcome, 'kind' | 'source'>;

export function outcomeView({ kind: _kind, source: _source, ...view }: Outcome): OutcomeView {
  return view;
}

/** Carries out a command for the unit with that UID. Gives its outcome, or the answer that the base keeps it and stops. */
export async function sendCommand(
  reply: FastifyReply,
  units: UnitsPort,
  uid: string,
  request: CommandRequest,
): Promise<OutcomeView | FastifyReply> {
  try {
    return outcomeView(await units.command(request));
  } catch (error) {
    if (!(error instanceof InternalError && error.code === 'stopped')) throw error;
    return sendProblem(reply.header('connection', 'close'), keptProblem(uid, request.id));
  }
}

/** What of a request is the same for commands and queries. */
export function askedOf({
  payload,
  format,
  ttlS,
}: {
  readonly payload?: unknown;
  readonly format?: CommandRequest['format'] | undefined;
  readonly ttlS?: number | undefined;
}): Pick<CommandRequest, 'payload' | 'format' | 'ttlMs'> {
  return {
    ...(payload === undefined ? {} : { payload }),
    ...(format === undefined ? {} : { format }),
    ...(ttlS === undefined ? {} : { ttlMs: Math.ceil(ttlS * 1_000) }),
  };
}

function keptProblem(unit: string, id: string): Problem {
  const path = `/api/v1/units/${encodeURIComponent(unit)}/commands/${encodeURIComponent(id)}`;
  const detail = `The base is stopping. It keeps the command, with the id ${JSON.stringify(id)}, and goes on with it when it runs again; then ask GET ${path} how it ended.`;
  return problem(503, 'stopping', detail);
}
