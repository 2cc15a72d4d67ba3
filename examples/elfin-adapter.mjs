#!/usr/bin/env node
// A device of the Elfin gateway, without hardware: says that it is there, and sends back whatever comes through a tunnel.
//
//   USER_SECRET=<the user's secret> node examples/elfin-adapter.mjs <user> <mac>
//
// HOST and PORT say where the gateway listens with the framing "line" (default 127.0.0.1, 3003). Without USER_SECRET the user
// has none. Runs until Ctrl-C.
import { ElfinClient } from 'baseunit/elfin';

const { USER_SECRET, HOST = '127.0.0.1', PORT = '3003' } = process.env;
const [user, mac] = process.argv.slice(2);
if (!user || !mac) {
  console.error('Usage: node examples/elfin-adapter.mjs <user> <mac>');
  process.exit(2);
}

const client = await ElfinClient.connect({ host: HOST, port: Number(PORT), user, secret: USER_SECRET });
const adapter = { mac, host: 'example' };
client.beat(adapter);
// The gateway takes it for offline after a minute without a word.
const every = setInterval(() => client.beat(adapter), 20_000);
console.log('connected');
client.tunnel.on('data', (payload) => {
  console.log('received', payload.toString('hex'));
  client.tunnel.write(payload);
});

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void client.close());
const why = await client.closed;
clearInterval(every);
console.log(why.message);
