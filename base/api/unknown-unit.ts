import type { FastifyReply } from 'fastify';
import type { UnitsPort } from '../core/units-port.js';
import { problem } from './problem.js';
import { sendProblem } from './send-problem.js';

/** A route whose path names a unit. */
export interface UnitRoute {
  readonly Params: { readonly unit: string };
}

/** Of those that there are, in the answer to a question for one that there is not. */
const MAX_NAMED = 10;

export function sendUnknownUnit(reply: FastifyReply, units: UnitsPort, unit: string): FastifyReply {
  const known = named(units.uids());
  const detail = `There is no unit ${JSON.stringify(unit)}; there are: ${known}. Units are configured in units.known or in the access list, or come with their first connection.`;
  return sendProblem(reply, problem(404, 'not-found', detail));
}

/** Names for a person to choose from. */
export function named(all: Iterable<string>): string {
  const first: string[] = [];
  let more = 0;
  for (const name of all) {
    if (first.length < MAX_NAMED) first.push(name);
    else more += 1;
  }
  const names = first.join(', ');
  return more > 0 ? `${names} and ${more} more` : names || 'none';
}
