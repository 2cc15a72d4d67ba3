import type { RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpBounds } from './http-bounds.js';

/**
 * Bounds what one connection makes the base keep: how many requests are open on it at once, and how long an answer waits
 * that its client does not take. Past either it is cut. Node tells the end of a connection to the answer that is being
 * written; those that wait behind it are told here, with `close` too.
 */
export function boundedAnswers(
  handler: RequestListener,
  { pipelined, stalledMs }: Pick<HttpBounds, 'pipelined' | 'stalledMs'>,
): RequestListener {
  const open = new WeakMap<Socket, Set<ServerResponse>>();
  return (request, response) => {
    const { socket } = request;
    const answers = open.get(socket) ?? begun(socket);
    open.set(socket, answers);
    if (answers.size >= pipelined) {
      socket.destroy();
      return;
    }
    answers.add(response);
    response.once('close', () => answers.delete(response));
    // The whole answer is there. Before: a command may take its time, and a stream has no end.
    response.once('prefinish', () => socket.setTimeout(stalledMs));
    // Before Node's own, which sets how long an idle connection is kept.
    response.prependOnceListener('finish', () => socket.setTimeout(0));
    handler(request, response);
  };
}

function begun(socket: Socket): Set<ServerResponse> {
  const answers = new Set<ServerResponse>();
  socket.once('close', () => {
    for (const answer of answers) {
      if (answer.socket !== null) continue;
      answer.destroy();
      answer.emit('close');
    }
  });
  return answers;
}
