import { describe, expect, it } from 'vitest';
import { APP, startHub } from './support/hub-under-test.js';
import { RawClient } from './support/raw-client.js';

const OFF = { id: '4', key: 'off', secret: 'x', enabled: false };
const TLS_ONLY = { id: '5', key: 'tls', secret: 'x', tlsOnly: true };
const TINY = { id: '6', key: 'tiny', secret: 'x', maxConnections: 1 };

async function start(): Promise<number> {
  return (await startHub({}, { apps: [APP, OFF, TLS_ONLY, TINY] })).port;
}

function dial(port: number, target: string): RawClient {
  return new RawClient(`ws://127.0.0.1:${port}${target}`);
}

describe('a new client', () => {
  it.each([5, 6, 7])('of protocol %i is told its socket id', async (protocol) => {
    const client = dial(await start(), `/app/${APP.key}?protocol=${protocol}&client=js&version=8.6.0&flash=false`);
    const frame = await client.next();
    expect(frame.event).toBe('pusher:connection_established');
    expect(frame.channel).toBeUndefined();
    const data = JSON.parse(frame.data);
    expect(data).toEqual({ socket_id: expect.stringMatching(/^\d+\.\d+$/), activity_timeout: 120 });
  });

  it('never gets the id of another', async () => {
    const port = await start();
    const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(port)));
    expect(new Set(clients.map(({ socketId }) => socketId)).size).toBe(20);
  });

  it.each([
    ['/', 4005, 'Path not found'],
    ['/app', 4005, 'Path not found'],
    ['/app/', 4005, 'Path not found'],
    [`/apps/${APP.key}?protocol=7`, 4005, 'Path not found'],
    [`/app/${APP.key}/more?protocol=7`, 4005, 'Path not found'],
    ['/app/unknown?protocol=7', 4001, 'Application does not exist: no app with key unknown'],
    ['/app/unknown', 4001, 'Application does not exist: no app with key unknown'],
    ['/app/off?protocol=7', 4003, 'Application disabled'],
    ['/app/off', 4003, 'Application disabled'],
    [`/app/${APP.key}`, 4008, 'No protocol version supplied'],
    [`/app/${APP.key}?client=js`, 4008, 'No protocol version supplied'],
    [`/app/${APP.key}?protocol=`, 4006, 'Invalid version string format'],
    [`/app/${APP.key}?protocol=7.0`, 4006, 'Invalid version string format'],
    [`/app/${APP.key}?protocol=seven`, 4006, 'Invalid version string format'],
    [`/app/${APP.key}?protocol=8`, 4007, 'Unsupported protocol version'],
    ['/app/tls?protocol=8', 4007, 'Unsupported protocol version'],
    ['/app/tls?protocol=7', 4000, 'Application only accepts SSL connections, reconnect using wss://'],
  ])('at %s is refused with %i', async (target, code, reason) => {
    const client = dial(await start(), target);
    expect(await client.closed).toEqual({ code, reason });
  });

  it.each([
    ['/app/unknown?protocol=5', 4001],
    ['/app/off?protocol=5', 4003],
    [`/app/${APP.key}?protocol=4`, 4007],
    ['/app/tls?protocol=5', 4000],
  ])('before protocol 6, at %s, gets an error frame before the close', async (target, code) => {
    const client = dial(await start(), target);
    const { event, data } = await client.next();
    expect(event).toBe('pusher:error');
    const closed = await client.closed;
    expect(closed.code).toBe(code);
    expect(data).toEqual({ code, message: closed.reason });
  });

  it('past the quota is refused with 4004, and let in when another leaves', async () => {
    const port = await start();
    const first = dial(port, '/app/tiny?protocol=7');
    await first.next();
    expect(await dial(port, '/app/tiny?protocol=7').closed).toEqual({
      code: 4004,
      reason: 'Application is over connection quota',
    });
    await first.close();
    expect((await dial(port, '/app/tiny?protocol=7').next()).event).toBe('pusher:connection_established');
  });

  it('with an endless key is refused with a reason that fits into a close frame', async () => {
    const client = dial(await start(), `/app/${'%C3%BC'.repeat(500)}?protocol=7`);
    expect((await client.closed).code).toBe(4001);
  });
});
