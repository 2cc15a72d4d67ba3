#!/usr/bin/env node
// An object of IoTSocket, as a device would be: sends telemetry, asks its central, and answers what it is asked.
//
//   OBJECT_KEY=<32 hex digits> node examples/iotsocket-object.mjs <uid>
//
// HOST, PORT and UDP_PORT say where the concentrator is (default 127.0.0.1, 50505, 50505). The UID and its key must be in
// the access list. Runs until Ctrl-C.
import { ObjectClient } from 'baseunit/iotsocket';

const { OBJECT_KEY, HOST = '127.0.0.1', PORT = '50505', UDP_PORT = '50505' } = process.env;
const [uid] = process.argv.slice(2);
if (!OBJECT_KEY || !uid) {
  console.error('Usage: OBJECT_KEY=<key of the access list> node examples/iotsocket-object.mjs <uid>');
  process.exit(2);
}

const object = new ObjectClient({
  host: HOST,
  port: Number(PORT),
  udp: { port: Number(UDP_PORT) },
  uid,
  key: OBJECT_KEY,
  reconnect: true,
});
let isOn = false;
object.onRequest((payload) => {
  console.log('asked', JSON.stringify(payload.value));
  if (typeof payload.value?.on !== 'boolean') {
    return { code: 1, payload: { format: 'utf8', value: 'send {"on": true} or {"on": false}' } };
  }
  isOn = payload.value.on;
  return { payload: { format: 'json', value: { on: isOn } } };
});
const temperature = () => Math.round(200 + 20 * Math.random()) / 10;
let every;
object.onEvent(async (event) => {
  if (event.kind === 'connected') console.log('connected');
  // With a token telemetry may be sent; a group without telemetry gives none.
  if (event.kind === 'token' && every === undefined) {
    const send = () => object.telemetry({ format: 'json', value: { temperature: temperature(), on: isOn } });
    send();
    every = setInterval(send, 5_000);
  }
});

await object.connect();
const { code, payload } = await object.request({ format: 'json', value: { hello: uid } });
console.log('central answered', code.toString(16).padStart(2, '0'), JSON.stringify(payload.value));
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    clearInterval(every);
    void object.close();
  });
}
