import { argv } from 'node:process';
import { WebSocketServer } from 'ws';

/*
 * What the `ws` package itself takes for a connection: `node bare-websocket-server.js <port>`. It accepts, holds and says
 * nothing. What a device says is heard, as a server of anything would.
 */

function ignore(): void {}

new WebSocketServer({ host: '127.0.0.1', port: Number(argv[2]), perMessageDeflate: false }).on(
  'connection',
  (socket) => {
    socket.on('message', ignore);
    socket.on('error', ignore);
  },
);
