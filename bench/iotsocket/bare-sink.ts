import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { argv } from 'node:process';

/*
 * What Node itself takes for a datagram: `node bare-sink.js <port>`. It counts, and tells its count (64 bits, behind
 * the question) to whoever sends one octet.
 */

/** As the concentrator asks for. */
const RECEIVE_OCTETS = 4 * 1024 * 1024;
let count = 0;

const socket = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_OCTETS });
socket.on('message', (datagram, from) => {
  if (datagram.length > 1) {
    count += 1;
    return;
  }
  const answer = Buffer.alloc(1 + 8);
  datagram.copy(answer);
  answer.writeBigUInt64BE(BigInt(count), 1);
  socket.send(answer, from.port, from.address);
});
socket.bind(Number(argv[2]), '127.0.0.1');
// Who started it sees by this that it is there.
createServer((visitor) => visitor.destroy()).listen(Number(argv[2]), '127.0.0.1');
