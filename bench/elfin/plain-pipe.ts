import { createServer, type Socket } from 'node:net';
import { argv } from 'node:process';

/*
 * The plainest tunnel that Node's `net` allows: `node plain-pipe.js <port> [line]`. The first line of a connection is the
 * number of its pair; when both ends are there, each is told so by an empty line. From then on the two are piped into each
 * other. With `line` what comes is Elfin's `data` in line framing, of which the payload goes to the other end. Nothing is
 * checked, and nothing is bounded.
 */

const isLine = argv[3] === 'line';
const LINE_FEED = 0x0a;
const SEMICOLON = 0x3b;
/** `data;<uuid>;<mac>;<host>;<type>;<n>;` */
const FIELDS = 6;

const waiting = new Map<string, Socket>();

function pair(socket: Socket, first: Buffer): void {
  const end = first.indexOf(LINE_FEED);
  const number = first.toString('latin1', 0, end);
  const other = waiting.get(number);
  if (other === undefined) {
    waiting.set(number, socket);
    return;
  }
  waiting.delete(number);
  for (const [from, to] of [
    [socket, other],
    [other, socket],
  ] as const) {
    if (isLine) new Stripping(from, to);
    else from.pipe(to);
    from.write('\n');
  }
}

/** Finds the payloads by offsets, and writes each by itself. */
class Stripping {
  readonly #to: Socket;
  #rest: Buffer | undefined;

  constructor(from: Socket, to: Socket) {
    this.#to = to;
    from.on('data', (chunk) => this.#take(chunk));
  }

  #take(chunk: Buffer): void {
    const octets = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (let used = this.#takeOne(octets, at); used > 0; used = this.#takeOne(octets, at)) at += used;
    this.#rest = at === octets.length ? undefined : octets.subarray(at);
  }

  /** Octets used; 0: more are needed. */
  #takeOne(octets: Buffer, at: number): number {
    let fields = 0;
    let length = 0;
    let place = at;
    for (; fields < FIELDS; place += 1) {
      if (place >= octets.length) return 0;
      if (octets[place] === SEMICOLON) fields += 1;
      else if (fields === FIELDS - 1) length = 10 * length + octets[place]! - 0x30;
    }
    if (octets.length <= place + length) return 0;
    this.#to.write(octets.subarray(place, place + length));
    return place + length + 1 - at;
  }
}

createServer({ noDelay: true }, (socket) => {
  socket.once('data', (first) => pair(socket, first));
  socket.on('error', () => socket.destroy());
}).listen(Number(argv[2]), '127.0.0.1');
