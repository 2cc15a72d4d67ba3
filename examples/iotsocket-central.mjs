#!/usr/bin/env node
// A central of IoTSocket: prints telemetry and requests of objects, answers them, and asks an object something.
//
//   CENTRAL_KEY=<32 hex digits> node examples/iotsocket-central.mjs [<uid> '<JSON>']
//
// HOST and PORT say where the concentrator is (default 127.0.0.1:50505); CA is the PEM file of its certificate's authority:
// with it, the session goes over TLS. With a UID and a payload it asks that object, prints the answer and ends; else it
// listens until Ctrl-C.
import { readFileSync } from 'node:fs';
import { CentralClient } from 'baseunit/iotsocket';

const { CENTRAL_KEY, HOST = '127.0.0.1', PORT = '50505', CA } = process.env;
if (!CENTRAL_KEY) {
  console.error('Set CENTRAL_KEY to the key of the central: iotsocket.central.key in base.json.');
  process.exit(2);
}
const [uid, json] = process.argv.slice(2);

const central = new CentralClient({
  host: HOST,
  port: Number(PORT),
  key: CENTRAL_KEY,
  ...(CA ? { tls: { ca: readFileSync(CA) } } : {}),
  // One question is one try; who listens comes back.
  reconnect: uid === undefined,
});
central.onTelemetry((from, payload) => console.log('telemetry', from, JSON.stringify(payload.value)));
central.onRequest((from, payload) => {
  console.log('request', from, JSON.stringify(payload.value));
  return { payload: { format: 'json', value: { received: true } } };
});
central.onEvent((event) => {
  if (event.kind === 'connected') console.log('connected');
  if (event.kind === 'retrying') console.error(`trying again in ${event.inMs} ms: ${event.error?.message ?? ''}`);
});

try {
  await central.connect();
  if (uid !== undefined) {
    const { code, payload } = await central.request(uid, { format: 'json', value: JSON.parse(json ?? 'null') });
    // 00 valid, 01 not valid, a0 no such object, a1 no answer in time.
    console.log('answer', code.toString(16).padStart(2, '0'), JSON.stringify(payload.value));
    process.exitCode = code === 0 ? 0 : 4;
    await central.close();
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 3;
}
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void central.close());
