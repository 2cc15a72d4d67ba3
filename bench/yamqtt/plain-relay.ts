import { createServer, type Socket } from 'node:net';
import { argv } from 'node:process';

/*
 * The plainest relay that Node's `net` allows: `node plain-relay.js <port> [runs]`. It finds YAMQTT's messages by offsets,
 * makes an `m` of each `p` where it lies, and writes it to whoever is subscribed: each by itself, or with `runs` those of one
 * flow that follow each other in a chunk in one write. It checks nothing and refuses nothing, and nothing is bounded.
 */

const RECORD = 1_024;
const MESSAGE = 3 * RECORD;
const [subscribe, unsubscribe, publish, disconnect] = Buffer.from('supd');
const isInRuns = argv[3] === 'runs';

interface Client {
  readonly socket: Socket;
  rest: Buffer | undefined;
}

const subscribers = new Map<number, Set<Socket>>();
/** Action and flow of what is sent, by flow. */
const heads = new Map<number, Buffer>();

function take(client: Client, chunk: Buffer): void {
  const octets = client.rest === undefined ? chunk : Buffer.concat([client.rest, chunk]);
  let at = 0;
  // What follows each other on one flow, and was not written yet.
  let runAt = 0;
  let runFlow = 0;
  for (; octets.length - at >= MESSAGE; at += MESSAGE) {
    const action = octets[at];
    const flow = flowAt(octets, at + RECORD);
    const isRun = isInRuns && action === publish && flow === runFlow;
    if (!isRun) {
      if (runFlow !== 0) send(runFlow, octets.subarray(runAt, at));
      runFlow = 0;
      runAt = at;
    }
    if (action === publish) {
      headOf(flow).copy(octets, at);
      runFlow = flow;
    } else if (action === subscribe) {
      of(flow).add(client.socket);
    } else if (action === unsubscribe) {
      of(flow).delete(client.socket);
    } else if (action === disconnect) {
      client.socket.end();
    }
  }
  if (runFlow !== 0) send(runFlow, octets.subarray(runAt, at));
  client.rest = at === octets.length ? undefined : octets.subarray(at);
}

function flowAt(octets: Buffer, at: number): number {
  let flow = 0;
  for (let place = at; octets[place] !== 0; place += 1) flow = 10 * flow + octets[place]! - 0x30;
  return flow;
}

function headOf(flow: number): Buffer {
  let head = heads.get(flow);
  if (head === undefined) {
    head = Buffer.alloc(2 * RECORD);
    head.write('m');
    head.write(String(flow), RECORD);
    heads.set(flow, head);
  }
  return head;
}

function of(flow: number): Set<Socket> {
  let sockets = subscribers.get(flow);
  if (sockets === undefined) {
    sockets = new Set();
    subscribers.set(flow, sockets);
  }
  return sockets;
}

function send(flow: number, octets: Buffer): void {
  for (const socket of of(flow)) socket.write(octets);
}

createServer({ noDelay: true }, (socket) => {
  const client: Client = { socket, rest: undefined };
  socket.on('data', (chunk) => take(client, chunk));
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    for (const sockets of subscribers.values()) sockets.delete(socket);
  });
}).listen(Number(argv[2]), '127.0.0.1');
