import { beforeAll, describe, expect, test } from 'vitest';
import type { ClientTls } from '../../../clients/iotsocket/index.js';
import { type Certificates, makeCertificates } from '../../base/uplinks/certificates.js';
import { testObject } from './support/clients.js';
import { CHALLENGE, OBJECT_LOGIN, type PeerConnection, ScriptedPeer } from './support/scripted-peer.js';

let certificates: Certificates;
beforeAll(() => {
  certificates = makeCertificates();
});

/** Rule 1, to localhost; the port follows. */
const REDIRECTION = '8100096c6f63616c686f7374';

/** A concentrator that begins TLS after the opening's first answer. */
async function begin(peer: ScriptedPeer, initiation: string, cert = certificates.cert): Promise<PeerConnection> {
  const connection = await peer.connection();
  await connection.expects(initiation);
  connection.send('8000');
  connection.startTls({ key: certificates.key, cert });
  return connection;
}

async function login(connection: PeerConnection, version: 0 | 1): Promise<void> {
  connection.send(CHALLENGE);
  await connection.expects(version === 0 ? `${OBJECT_LOGIN}10` : OBJECT_LOGIN);
  connection.send(version === 0 ? '20' : '01');
}

describe.each([0, 1] as const)('TLS after the opening, version %i', (version) => {
  test.each(['localhost', '127.0.0.1'])('with a certificate for %s', async (host) => {
    const peer = await ScriptedPeer.start();
    const { object } = testObject({ host, port: peer.port, version, tls: { ca: certificates.ca } });
    const connected = object.connect();
    const connection = await begin(peer, version === 0 ? '80000000' : '81000000');
    await login(connection, version);
    await connected;
    connection.send('10');
    await connection.expects('20');
    const big = object.request({ format: 0, options: 0, data: new Uint8Array(65_535) });
    expect(await connection.takes(65_541)).toMatch(/^30000000ffff/);
    connection.send('40000007000000');
    expect(await big).toMatchObject({ code: 7 });
    await Promise.all([object.close('sleep'), connection.expects('f0a0').then(() => connection.ended())]);
  });
});

describe('a certificate that is wrong ends it before the login', () => {
  test.each<[string, (all: Certificates) => { readonly tls: ClientTls; readonly cert?: string }, RegExp]>([
    ['of an authority that is not trusted', (all) => ({ tls: { ca: all.strangerCa } }), /TLS failed/],
    ['of no public authority', () => ({ tls: {} }), /TLS failed/],
    ['whose time is over', (all) => ({ tls: { ca: all.ca }, cert: all.expired }), /expired/],
    ['for another name', (all) => ({ tls: { ca: all.ca, servername: 'node2.example' } }), /altnames/],
  ])('%s', async (_, how, message) => {
    const { tls, cert } = how(certificates);
    const peer = await ScriptedPeer.start();
    const { object } = testObject({ host: '127.0.0.1', port: peer.port, tls });
    const failed = expect(object.connect()).rejects.toMatchObject({
      code: 'connect-failed',
      message: expect.stringMatching(message),
    });
    const connection = await begin(peer, '81000000', cert);
    connection.send(CHALLENGE);
    await failed;
    expect(await connection.ended()).toBe('');
  });
});

test('any certificate is taken when that is wanted', async () => {
  const peer = await ScriptedPeer.start();
  const { object } = testObject({ host: '127.0.0.1', port: peer.port, tls: { rejectUnauthorized: false } });
  const connected = object.connect();
  await login(await begin(peer, '81000000'), 1);
  await connected;
});

test('octets in clear where TLS begins are refused', async () => {
  const peer = await ScriptedPeer.start();
  const { object } = testObject({ host: '127.0.0.1', port: peer.port, tls: { ca: certificates.ca } });
  const failed = expect(object.connect()).rejects.toMatchObject({ code: 'opening-malformed' });
  const connection = await peer.connection();
  await connection.expects('81000000');
  connection.send(`8000${CHALLENGE}`);
  await failed;
  expect(await connection.ended()).toBe('');
});

test('a peer that is silent in the handshake is left after 15 s', async () => {
  const peer = await ScriptedPeer.start();
  const { object, clock } = testObject({ host: '127.0.0.1', port: peer.port, tls: { ca: certificates.ca } });
  const failed = expect(object.connect()).rejects.toMatchObject({ code: 'opening-timeout' });
  const connection = await peer.connection();
  await connection.expects('81000000');
  connection.send('8000');
  await connection.takes(5);
  await clock.advance(15_000);
  await failed;
});

describe('a redirection comes in clear, so the certificate must have the first host’s name', () => {
  /** To localhost, whose certificate is for localhost and 127.0.0.1. */
  async function redirected(host: string, tls: ClientTls) {
    const first = await ScriptedPeer.start(host);
    const second = await ScriptedPeer.start();
    const { object } = testObject({ host, port: first.port, tls });
    const connected = object.connect();
    connected.catch(() => {});
    const refused = await first.connection();
    await refused.expects('81000000');
    refused.send(REDIRECTION + second.port.toString(16).padStart(4, '0'));
    return { connected, second: await begin(second, '81000000') };
  }

  test('it has', async () => {
    const { connected, second } = await redirected('127.0.0.1', { ca: certificates.ca });
    await login(second, 1);
    await connected;
  });

  test('it has only its own', async () => {
    const { connected } = await redirected('127.0.0.2', { ca: certificates.ca });
    await expect(connected).rejects.toMatchObject({
      code: 'connect-failed',
      message: expect.stringMatching(/127\.0\.0\.2/),
    });
  });

  test('its own is enough where that host is named', async () => {
    const { connected, second } = await redirected('127.0.0.2', { ca: certificates.ca, redirectHosts: ['localhost'] });
    await login(second, 1);
    await connected;
  });
});
