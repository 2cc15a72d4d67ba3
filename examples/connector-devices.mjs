// Devices of the cloud connector: connect, send a reading now and then, answer commands, come back when the base does.
import { readFileSync } from 'node:fs';
import WebSocket from 'ws';

const [host = 'localhost', port = '8080', count = '1'] = process.argv.slice(2);
// TOKEN: what `connector.deviceAuth` asks for. CA: PEM of the base's own authority; with it the connection is over TLS.
const { TOKEN, CA, NAME = 'device', EVERY_S = '5' } = process.env;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** Nothing heard for so long, not even the answer to a ping: the connection is dead, whatever TCP believes. */
const SILENT_MS = 45_000;

function startDevice(id) {
  const headers = { 'Device-Id': id, 'Device-Name': `Example ${id}`, 'Device-Type': 'thermometer' };
  if (TOKEN) headers.Authorization = `Bearer ${TOKEN}`;
  let [socket, retry, failures, isOn] = [undefined, undefined, 0, false];

  const connect = () => {
    const current = new WebSocket(`${CA ? 'wss' : 'ws'}://${host}:${port}/connect`, {
      headers,
      handshakeTimeout: 15_000,
      maxPayload: 65_536,
      ...(CA ? { ca: readFileSync(CA) } : {}),
    });
    socket = current;
    let heardAt = Date.now();
    const send = (message) => current.send(JSON.stringify(message));
    const read = () => {
      if (Date.now() - heardAt > SILENT_MS) return current.terminate();
      current.ping();
      send({ temperature: Math.round(200 + 20 * Math.random()) / 10, on: isOn });
    };
    let every;
    current.on('open', () => {
      failures = 0;
      console.log(`${id} connected`);
      read();
      every = setInterval(read, Number(EVERY_S) * 1_000);
    });
    current.on('pong', () => {
      heardAt = Date.now();
    });
    current.on('message', (data) => {
      heardAt = Date.now();
      const { id: command, payload, message_type: kind } = JSON.parse(data.toString());
      console.log(`${id} ${kind}: ${payload}`);
      if (kind === 'command' && (payload === 'on' || payload === 'off')) isOn = payload === 'on';
      // The same id makes it the answer.
      send({ id: command, payload: isOn ? 'it is on' : 'it is off' });
    });
    // `close` follows it.
    current.on('error', (error) => console.log(`${id} ${error.message}`));
    current.on('close', (code, reason) => {
      clearInterval(every);
      if (socket === undefined) return;
      // Replaced: another device has this id, and would be thrown out in turn.
      failures = code === 4_000 ? 99 : failures + 1;
      // Not all at once when the base is back.
      const waitMs = Math.random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures);
      console.log(`${id} closed (${code} ${reason}); again in ${Math.round(waitMs / 1_000)} s`);
      retry = setTimeout(connect, waitMs);
    });
  };
  connect();
  return () => {
    clearTimeout(retry);
    const last = socket;
    socket = undefined;
    last.close();
  };
}

const stops = Array.from({ length: Number(count) }, (_, index) => startDevice(`${NAME}-${index + 1}`));
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    for (const stop of stops) stop();
  });
