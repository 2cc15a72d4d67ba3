#!/usr/bin/env node
// Receives the base's webhooks and prints those whose signature is right:
//
//   HOOK_SECRET=… node examples/webhook-receiver.mjs                                 http://127.0.0.1:8090
//   HOOK_SECRET=… TLS_CERT=cert.pem TLS_KEY=key.pem node examples/webhook-receiver.mjs    https://…
//
// HOST and PORT change where it listens. While the secret is changed, HOOK_SECRET_PREVIOUS may hold the old one: what is
// signed with either is taken. In base.json:
//
//   "webhooks": [{ "url": "http://127.0.0.1:8090/", "secret": "env:HOOK_SECRET" }]
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { verifyWebhook } from 'baseunit/webhook';

const { HOOK_SECRET, HOOK_SECRET_PREVIOUS, TLS_CERT, TLS_KEY, HOST = '127.0.0.1', PORT = '8090' } = process.env;
if (!HOOK_SECRET) {
  console.error('Set HOOK_SECRET to the secret of this receiver in base.json.');
  process.exit(2);
}
const secrets = HOOK_SECRET_PREVIOUS ? [HOOK_SECRET, HOOK_SECRET_PREVIOUS] : HOOK_SECRET;

/** Longer than any event; who sends more is not the base. */
const MAX_BODY_OCTETS = 65_536;
/** Ids that are remembered: an event whose answer was lost is sent again, and must not count twice. */
const MAX_REMEMBERED = 10_000;
const seen = new Set();

const secure = TLS_CERT && TLS_KEY;
const server = secure
  ? https.createServer({ cert: readFileSync(TLS_CERT), key: readFileSync(TLS_KEY) }, receive)
  : http.createServer(receive);
server.listen(Number(PORT), HOST, () => {
  const { address, port } = server.address();
  console.log(`listening at ${secure ? 'https' : 'http'}://${address}:${port}`);
});
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
  });
}

async function receive(request, response) {
  const answer = (status) => response.writeHead(status).end();
  if (request.method !== 'POST') return answer(405);
  const chunks = [];
  let octets = 0;
  try {
    for await (const chunk of request) {
      octets += chunk.length;
      if (octets > MAX_BODY_OCTETS) return answer(413);
      chunks.push(chunk);
    }
  } catch {
    return; // the sender broke off, and will send it again
  }
  // The signature is over the octets as they came: check them before they are parsed.
  const body = Buffer.concat(chunks).toString('utf8');
  const verified = verifyWebhook(secrets, request.headers, body, Date.now());
  if (!verified.isValid) {
    console.error(`refused: ${verified.reason}`);
    return answer(401);
  }
  const id = request.headers['webhook-id'];
  if (!seen.has(id)) {
    seen.add(id);
    if (seen.size > MAX_REMEMBERED) seen.delete(seen.values().next().value);
    const { type, timestamp, data } = JSON.parse(body);
    console.log(timestamp, type, JSON.stringify(data));
  }
  // Only now: what was not answered with 2xx comes again.
  answer(204);
}
