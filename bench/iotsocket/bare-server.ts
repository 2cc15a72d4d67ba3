import { createServer, type Socket } from 'node:net';
import { argv } from 'node:process';

/*
 * What Node itself takes for a connection: `node bare-server.js <port>`. It accepts, holds and says nothing but one octet
 * to every fiftieth, from which a client knows that so many are in.
 */

/** As `BARE_GROUP` of generator/sessions.c. */
const GROUP = 50;
const said = Buffer.from([GROUP]);
let accepted = 0;

function ignore(): void {}

function drop(this: Socket): void {
  this.destroy();
}

createServer({ noDelay: true }, (socket) => {
  socket.on('data', ignore);
  socket.on('error', drop);
  accepted += 1;
  if (accepted % GROUP === 0) socket.write(said);
}).listen(Number(argv[2]), '127.0.0.1');
