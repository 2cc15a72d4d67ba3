#!/usr/bin/env node
// Shows a temperature as the colour of a lamp, as a client of YAMQTT: hears it on one flow, publishes the colour on another.
//
//   node examples/yamqtt-lamp.mjs 43 44
//
// HOST and PORT say where the server is (default 127.0.0.1, 1884). Runs until Ctrl-C.
import { YamqttClient } from 'baseunit/yamqtt';

const { HOST = '127.0.0.1', PORT = '1884' } = process.env;
const [from, to] = process.argv.slice(2).map(Number);
if (!from || !to) {
  console.error('Usage: node examples/yamqtt-lamp.mjs <flow of the temperature> <flow of the lamp>');
  process.exit(2);
}

const client = new YamqttClient({ host: HOST, port: Number(PORT), reconnect: true });
client.onEvent((event) => {
  // Such as "44: unreachable: …", where the lamp did not do it.
  if (event.kind === 'error') console.error('the server says:', event.text);
  if (event.kind === 'retrying') console.error(`${event.error?.message}; again in ${event.inMs} ms`);
});
client.subscribe(from);
await client.connect();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void client.close());

let shown;
for await (const { text } of client.messages()) {
  const color = colorOf(Number(text));
  if (color === shown) continue;
  shown = color;
  console.log(`${text} °C: ${color}`);
  // Without a connection it is not published; the next reading is.
  await client.publish(to, color).catch(({ message }) => console.error(message));
}

/** Blue at 0 °C and below, red at 40 °C and above. */
function colorOf(degrees) {
  const red = Math.round(255 * Math.min(1, Math.max(0, degrees / 40)));
  const hex = (octet) => octet.toString(16).padStart(2, '0');
  return `#${hex(red)}00${hex(255 - red)}`;
}
