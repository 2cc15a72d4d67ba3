import { expect, test } from 'vitest';
import { CentralClient, ObjectClient, type ObjectClientOptions } from '../../../clients/iotsocket/index.js';
import { KEY } from './support/scripted-peer.js';

const right: ObjectClientOptions = { host: '127.0.0.1', uid: 'ObjTest', key: KEY };

test.each<[string, Partial<ObjectClientOptions>]>([
  ['a key of octets', { key: new Uint8Array(16) }],
  ['a UID of 16 octets', { uid: 'é'.repeat(8) }],
  ['the first and the last port', { port: 1, udp: { port: 65_535 } }],
  ['the shortest transmission', { maxTransmission: 7 }],
  ['the longest', { maxTransmission: 65_535 }],
  ['a url', { host: undefined, url: 'wss://node.example/iotsocket', tls: {} }],
  ['as many in flight as can be', { maxInFlight: 16_384 }],
  ['draft v0.07', { version: 0 }],
  ['dead 1 ms behind the ping', { pingAfterMs: 100, deadAfterMs: 101 }],
])('%s', (_, more) => {
  expect(new ObjectClient({ ...right, ...more })).toMatchObject({ state: 'idle', inFlight: 0, hasTelemetry: false });
});

test.each<[string, Partial<ObjectClientOptions>, RegExp]>([
  ['no UID', { uid: '' }, /^uid /],
  ['a UID of 17 octets', { uid: `${'é'.repeat(8)}x` }, /^uid .* has 17/],
  ['a UID with a 00', { uid: 'a\0' }, /^uid /],
  ['half a character', { uid: '\ud800' }, /^uid /],
  ['a key of 15 octets', { key: new Uint8Array(15) }, /^key /],
  ['a key of 31 digits', { key: KEY.slice(1) }, /^key /],
  ['a key that is no number', { key: 'g'.repeat(32) }, /^key /],
  ['neither host nor url', { host: undefined }, /^host /],
  ['both', { url: 'ws://a/' }, /^host /],
  ['an empty host', { host: '' }, /^host /],
  ['port 0', { port: 0 }, /^port /],
  ['port 65,536', { port: 65_536 }, /^port /],
  ['UDP port 0', { udp: { port: 0 } }, /^udp.port /],
  ['a url of HTTP', { host: undefined, url: 'http://a/' }, /^url /],
  ['no url', { host: undefined, url: 'a' }, /^url /],
  ['a url and a port', { host: undefined, url: 'ws://a/', port: 1 }, /^port /],
  ['TLS over ws', { host: undefined, url: 'ws://a/', tls: {} }, /^url /],
  ['a version nobody knows', { version: 2 as 1 }, /^version /],
  ['a transmission of 6 octets', { maxTransmission: 6 }, /^maxTransmission /],
  ['a transmission of 65,536', { maxTransmission: 65_536 }, /^maxTransmission /],
  ['no time', { requestTimeoutMs: 0 }, /^requestTimeoutMs /],
  ['a time that is none', { pingAfterMs: Number.NaN }, /^pingAfterMs /],
  ['dead before it is asked', { pingAfterMs: 45_000 }, /^deadAfterMs must be more than pingAfterMs, which is 45000/],
  ['TLS that is neither yes nor no', { tls: true as unknown as object }, /^tls /],
  ['no authority at all', { tls: { ca: [] } }, /^tls.ca /],
  ['an empty authority', { tls: { ca: '' } }, /^tls.ca /],
  ['an empty one among others', { tls: { ca: ['x', Buffer.alloc(0)] } }, /^tls.ca /],
  ['an empty name for the certificate', { tls: { servername: '' } }, /^tls.servername /],
  ['too much time', { connectTimeoutMs: 2 ** 31 }, /^connectTimeoutMs /],
  ['a back-off that is none', { reconnect: { capMs: 0 } }, /^reconnect.capMs /],
  ['none in flight', { maxInFlight: 0 }, /^maxInFlight /],
  ['too many in flight', { maxInFlight: 16_385 }, /^maxInFlight /],
])('%s is refused, by the name of the option', (_, more, message) => {
  expect(() => new ObjectClient({ ...right, ...more })).toThrow(
    expect.objectContaining({ code: 'config-invalid', message: expect.stringMatching(message) }),
  );
});

test.each([0, -1, Number.NaN, 2 ** 31])('a request in %s ms is refused', async (timeoutMs) => {
  await expect(new ObjectClient(right).request(undefined, { timeoutMs })).rejects.toThrow(/^timeoutMs /);
});

test('a refusal never holds the key', () => {
  const key = 'deadbeef'.repeat(5);
  for (const make of [() => new ObjectClient({ ...right, key }), () => new CentralClient({ host: 'a', key })])
    expect(make).toThrow(expect.objectContaining({ message: expect.not.stringContaining('deadbeef') }));
});
