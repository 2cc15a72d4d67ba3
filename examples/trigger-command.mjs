#!/usr/bin/env node
// Sends a command to a unit over the base's Pusher channel, as your dashboard's server would, and waits for its outcome:
//
//   node examples/trigger-command.mjs base.json kitchen-lamp setColor '{"color":"#ff8800"}'
//
// The first argument is any JSON file with a `pusher` section that has appId and secret; a base's own file is one. While
// `npm start` runs, .baseunit/demonstration.json is. Exit code 0: the outcome is ok.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import PusherServer from 'pusher';
import PusherClient from 'pusher-js';

const [file, unit, command, fields = '{}'] = process.argv.slice(2);
if (command === undefined) {
  console.error('usage: trigger-command.mjs <file.json> <unit> <command> [fields as JSON]');
  process.exit(2);
}
const { pusher: app } = JSON.parse(readFileSync(file, 'utf8'));
const { host, port, tls = true, channel: name = 'private-requests' } = app;
const key = secret(app.key);
/** The base waits 30 s at most for the command's turn, and then for the unit. */
const PATIENCE_MS = 60_000;

// The server's side: publishes events and signs subscriptions. Only your server may have the secret.
const encryption =
  app.encryptionKey === undefined ? {} : { encryptionMasterKeyBase64: base64(secret(app.encryptionKey)) };
const account = { appId: app.appId, key, secret: secret(app.secret), timeout: 10_000, ...encryption };
const server = new PusherServer(
  host ? { ...account, host, useTLS: tls, ...(port && { port: String(port) }) } : { ...account, cluster: app.cluster },
);

// The subscriber's side: in a browser `channelAuthorization` would name a URL of your server that signs.
const client = new PusherClient(key, {
  cluster: app.cluster ?? 'local',
  ...(host && { wsHost: host, wsPath: '', ...(port && { wsPort: port, wssPort: port }) }),
  forceTLS: host ? tls : true,
  enabledTransports: ['ws'],
  channelAuthorization: {
    customHandler: ({ socketId, channelName }, done) => done(null, server.authorizeChannel(socketId, channelName)),
  },
});

const id = randomUUID();
const late = setTimeout(
  () => end(3, 'no outcome came: does the base run, and is it subscribed to this channel?'),
  PATIENCE_MS,
);
const channel = client.subscribe(name);
// Listen first, then ask: the outcome of a fast unit would be missed otherwise.
channel.bind('outcome', (outcome) => {
  if (outcome.id === id) end(outcome.outcome === 'ok' ? 0 : 4, JSON.stringify(outcome));
});
channel.bind('pusher:subscription_error', (error) => end(3, `not subscribed: ${JSON.stringify(error)}`));
channel.bind('pusher:subscription_succeeded', async () => {
  try {
    await server.trigger(name, 'command', { id, unit, command, fields: JSON.parse(fields) });
  } catch (error) {
    end(3, `not published: ${error.message}`);
  }
});

function end(exitCode, text) {
  clearTimeout(late);
  console.log(text);
  client.disconnect();
  process.exitCode = exitCode;
}

/** A secret as base.json has it: `env:NAME`, `file:path`, or the text itself. */
function secret(text) {
  if (text.startsWith('env:')) return process.env[text.slice(4)];
  return text.startsWith('file:') ? readFileSync(resolve(dirname(file), text.slice(5)), 'utf8').trim() : text;
}

function base64(text) {
  return /^[0-9a-fA-F]{64}$/.test(text) ? Buffer.from(text, 'hex').toString('base64') : text;
}
