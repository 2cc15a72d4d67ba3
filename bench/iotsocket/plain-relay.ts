import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createServer, type Socket } from 'node:net';
import { argv } from 'node:process';

/*
 * The plainest relay that Node's `net` allows: `node plain-relay.js <port>`. It speaks IoTSocket's frames, finds them by
 * offsets, and writes each by itself. It lets everybody in, and checks nothing: no key, no rights, no tracking numbers, no
 * time-outs, no bounds. Telemetry comes at the same port over UDP: who sent it is looked up by its token, and that is all.
 */

const INITIATION_OCTETS = 4;
const CHALLENGE_OCTETS = 16;
const UID_OCTETS = 16;
const ANSWER_OCTETS = UID_OCTETS + 32;
const TOKEN_OCTETS = 8;
/** As the concentrator asks for. */
const RECEIVE_OCTETS = 4 * 1024 * 1024;
const types = { ping: 1, request: 3, response: 4, token: 5, telemetry: 6 };
const WITH_UID = 0x08;
const PONG = Buffer.of(0x20);

interface Peer {
  readonly socket: Socket;
  /** 0: nothing came; 1: the challenge is sent; 2: open. */
  stage: number;
  uid: Buffer | undefined;
  rest: Buffer | undefined;
}

const objects = new Map<string, Socket>();
/** UIDs by their tokens. */
const tokens = new Map<string, Buffer>();
let central: Socket | undefined;

function take(peer: Peer, chunk: Buffer): void {
  const octets = peer.rest === undefined ? chunk : Buffer.concat([peer.rest, chunk]);
  let at = 0;
  for (let used = takeOne(peer, octets, at); used > 0; used = takeOne(peer, octets, at)) at += used;
  peer.rest = at === octets.length ? undefined : octets.subarray(at);
}

/** Octets used; 0: more are needed. */
function takeOne(peer: Peer, octets: Buffer, at: number): number {
  if (at >= octets.length) return 0;
  return peer.stage === 2 ? relayOne(peer, octets, at) : openStep(peer, octets, at);
}

function openStep(peer: Peer, octets: Buffer, at: number): number {
  const needed = peer.stage === 0 ? INITIATION_OCTETS : ANSWER_OCTETS;
  if (octets.length - at < needed) return 0;
  if (peer.stage === 0) {
    peer.socket.write(Buffer.concat([Buffer.from([0x80, 0]), randomBytes(CHALLENGE_OCTETS)]));
  } else {
    peer.uid = Buffer.from(octets.subarray(at, at + UID_OCTETS));
    peer.socket.write(Buffer.of(1));
    if (peer.uid.some((octet) => octet !== 0)) letIn(peer.socket, peer.uid);
    else central = peer.socket;
  }
  peer.stage += 1;
  return needed;
}

function letIn(socket: Socket, uid: Buffer): void {
  objects.set(uid.toString('latin1'), socket);
  const token = randomBytes(TOKEN_OCTETS);
  tokens.set(token.toString('latin1'), uid);
  socket.write(Buffer.concat([Buffer.of(types.token << 4), token]));
}

/** A request or a response, from an object to the central with its UID, or from the central to an object without. */
function relayOne(peer: Peer, octets: Buffer, at: number): number {
  const type = octets[at]! >> 4;
  if (type === types.ping) peer.socket.write(PONG);
  if (type !== types.request && type !== types.response) return 1;
  const isOfCentral = (octets[at]! & WITH_UID) !== 0;
  const body = at + 1 + (isOfCentral ? UID_OCTETS : 0);
  const block = body + (type === types.request ? 2 : 3);
  if (octets.length < block + 3) return 0;
  const end = block + 3 + ((octets[block + 1]! << 8) | octets[block + 2]!);
  if (octets.length < end) return 0;
  if (isOfCentral) {
    const out = Buffer.allocUnsafe(1 + end - body);
    out[0] = type << 4;
    octets.copy(out, 1, body, end);
    objects.get(octets.toString('latin1', at + 1, body))?.write(out);
  } else {
    const out = Buffer.allocUnsafe(1 + UID_OCTETS + end - body);
    out[0] = (type << 4) | WITH_UID;
    peer.uid!.copy(out, 1);
    octets.copy(out, 1 + UID_OCTETS, body, end);
    central?.write(out);
  }
  return end - at;
}

function relayTelemetry(datagram: Buffer): void {
  const uid = tokens.get(datagram.toString('latin1', 0, TOKEN_OCTETS));
  if (uid === undefined || central === undefined) return;
  const out = Buffer.allocUnsafe(1 + UID_OCTETS + datagram.length - TOKEN_OCTETS);
  out[0] = (types.telemetry << 4) | WITH_UID;
  uid.copy(out, 1);
  datagram.copy(out, 1 + UID_OCTETS, TOKEN_OCTETS);
  central.write(out);
}

const port = Number(argv[2]);
const udp = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_OCTETS });
udp.on('message', relayTelemetry);
udp.bind(port, '127.0.0.1');

createServer({ noDelay: true }, (socket) => {
  const peer: Peer = { socket, stage: 0, uid: undefined, rest: undefined };
  socket.on('data', (chunk) => take(peer, chunk));
  socket.on('error', () => socket.destroy());
}).listen(port, '127.0.0.1');
