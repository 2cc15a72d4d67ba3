import type { FastifyReply } from 'fastify';
import { PROBLEM_TYPE, type Problem } from './problem.js';

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply.code(problem.status).type(PROBLEM_TYPE).send(problem);
}

/** The same, telling when to come again: whole seconds, at least 1. */
export function sendRetryLater(reply: FastifyReply, problem: Problem, afterMs: number): FastifyReply {
  return sendProblem(reply.header('retry-after', Math.max(1, Math.ceil(afterMs / 1_000))), problem);
}
