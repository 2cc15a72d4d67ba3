import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hubApp } from '../../../base/hub/app.js';
import { Connection } from '../../../base/hub/connection.js';
import { HostedApp } from '../../../base/hub/hosted-app.js';
import { defaultHubLimits } from '../../../base/hub/hub-limits.js';
import { ManualClock } from '../../support/manual-clock.js';
import { QuietLog } from '../../support/quiet-log.js';
import { publish } from './support/api-client.js';
import { APP, startHub } from './support/hub-under-test.js';
import { RawClient } from './support/raw-client.js';
import { realRandom, within } from './support/real-time.js';

describe('a frame', () => {
  const padded = (octets: number): string => {
    const start = '{"event":"pusher:ping","data":{"a":"';
    return `${start}${'x'.repeat(octets - start.length - 3)}"}}`;
  };

  it('of 64 KiB is read, one octet more closes with 1009', async () => {
    const { port, hub } = await startHub();
    const client = await RawClient.connect(port);
    client.socket.send(padded(65_536));
    expect((await client.next()).event).toBe('pusher:pong');
    client.socket.send(padded(65_537));
    expect((await client.closed).code).toBe(1009);
    expect(hub.connectionCount).toBe(0);
  });

  it('that is no UTF-8 closes with 1007', async () => {
    const { port } = await startHub();
    const client = await RawClient.connect(port);
    client.socket.send(Buffer.from([0xff, 0xfe]), { binary: false });
    expect((await client.closed).code).toBe(1007);
  });

  it('is never compressed', async () => {
    const { port } = await startHub();
    const client = await RawClient.connect(port, 'protocol=7', { perMessageDeflate: true });
    expect(client.socket.extensions).toBe('');
  });
});

it('a client that stops reading is cut off, and the others hear everything', async () => {
  const { port, hub, log } = await startHub();
  const [slow, quick] = [await RawClient.connect(port), await RawClient.connect(port)];
  await slow.join('room');
  await quick.join('room');
  slow.socket.pause();
  let sent = 0;
  // Loopback sockets swallow some megabytes before anything waits on our side.
  while (hub.connectionCount === 2 && sent < 5_000) {
    await publish(port, { name: 'x', channel: 'room', data: 'x'.repeat(10_240) });
    expect((await quick.next()).event).toBe('x');
    sent += 1;
  }
  expect(hub.connectionCount).toBe(1);
  const line = log.lines.find(({ message }) => message.includes('does not read'));
  expect(line?.fields.buffered).toBeGreaterThan(256 * 1024);
  expect(line?.fields.buffered).toBeLessThan(256 * 1024 + 2 * 11_000);
  slow.socket.resume();
  expect((await within('the cut', slow.closed)).code).toBe(1006);
});

it('sockets past all quotas and 128 to spare are closed without a word', async () => {
  const { port } = await startHub({ maxConnections: 2 });
  const open = async () => {
    const socket = connect(port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    await within('the connection', once(socket, 'connect'));
    return socket;
  };
  const client = await RawClient.connect(port);
  for (let count = 0; count < 129; count += 1) await open();
  const beyond = await open();
  await within('its end', once(beyond.resume(), 'close'));
  expect(beyond.bytesRead).toBe(0);
  expect(await client.settled()).toEqual([]);
});

it('no message whatever breaks a session, and each is answered at most once', () => {
  const text = fc.constantFrom(
    'pusher:subscribe',
    'pusher:unsubscribe',
    'pusher:signin',
    'pusher:ping',
    'pusher_internal:x',
    'client-x',
    'x',
    '',
    'presence-a',
    'private-a',
    '#server-to-user-',
    '__proto__',
    'constructor',
  );
  const field = fc.oneof(text, fc.jsonValue(), fc.string());
  const message = fc.oneof(
    fc.string(),
    fc.json(),
    fc.record({ event: field, channel: field, data: field }, { requiredKeys: [] }).map((one) => JSON.stringify(one)),
    fc
      .record({
        event: text,
        data: fc.record({ channel: field, auth: field, channel_data: field, user_data: field }, { requiredKeys: [] }),
      })
      .map((one) => JSON.stringify(one)),
  );
  fc.assert(
    fc.property(fc.array(message, { maxLength: 20 }), (messages) => {
      const clock = new ManualClock();
      const log = new QuietLog();
      const limits = defaultHubLimits;
      const app = new HostedApp({ settings: hubApp(APP), limits, clock, random: realRandom, log });
      const sent: string[] = [];
      const connection = new Connection({
        app,
        socket: { send: (frame) => sent.push(frame), ping: () => {}, close: () => {} },
        socketId: '1.2',
        protocol: 7,
        clock,
        log,
        timeouts: { activityS: 120, pongS: 30, idleS: 1000 },
      });
      connection.open();
      for (const one of messages) connection.receivedText(one);
      // A subscription to a cache channel brings two frames.
      expect(sent.length).toBeLessThanOrEqual(1 + 2 * messages.length);
      for (const frame of sent) expect(typeof JSON.parse(frame).event).toBe('string');
      connection.ended();
      connection.ended();
      expect([app.connections.size, app.channels.length, clock.waiting]).toEqual([0, 0, 0]);
    }),
    { numRuns: 500 },
  );
});
