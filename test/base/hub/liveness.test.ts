import { describe, expect, it } from 'vitest';
import { Liveness } from '../../../base/hub/liveness.js';
import { ManualClock } from '../../support/manual-clock.js';
import { startHub } from './support/hub-under-test.js';
import { RawClient } from './support/raw-client.js';
import { within } from './support/real-time.js';

const SECOND = 1000;
const HOUR = 3600 * SECOND;

function watched(isWanted = true) {
  const clock = new ManualClock();
  const seen: (string | number)[] = [];
  const liveness = new Liveness({
    clock,
    activityTimeoutMs: 120 * SECOND,
    pongTimeoutMs: 30 * SECOND,
    idleTimeoutMs: 24 * HOUR,
    isWanted: () => isWanted,
    ask: () => seen.push('ask'),
    giveUp: (code) => {
      seen.push(code);
      liveness.stop();
    },
  });
  liveness.start();
  return { clock, liveness, seen };
}

describe('a silent client', () => {
  it('is asked after 120 s and given up 30 s later', async () => {
    const { clock, seen } = watched();
    await clock.advance(120 * SECOND - 1);
    expect(seen).toEqual([]);
    await clock.advance(1);
    expect(seen).toEqual(['ask']);
    await clock.advance(30 * SECOND - 1);
    expect(seen).toEqual(['ask']);
    await clock.advance(1);
    expect(seen).toEqual(['ask', 4201]);
    expect(clock.waiting).toBe(0);
  });

  it('is not asked before 120 s of silence', async () => {
    const { clock, liveness, seen } = watched();
    await clock.advance(100 * SECOND);
    liveness.heard();
    await clock.advance(119 * SECOND);
    expect(seen).toEqual([]);
    await clock.advance(SECOND);
    expect(seen).toEqual(['ask']);
  });

  it('that answers stays', async () => {
    const { clock, liveness, seen } = watched();
    await clock.advance(120 * SECOND);
    liveness.heard();
    await clock.advance(119 * SECOND);
    expect(seen).toEqual(['ask']);
    await clock.advance(SECOND);
    expect(seen).toEqual(['ask', 'ask']);
  });

  it.each([
    [false, [4202]],
    [true, []],
  ])('that only pings for 24 h goes, unless it is subscribed to something (%s)', async (isWanted, expected) => {
    const { clock, liveness, seen } = watched(isWanted);
    for (let hour = 0; hour < 24; hour += 1) {
      for (let minute = 0; minute < 60; minute += 1) {
        await clock.advance(60 * SECOND);
        liveness.heard();
      }
      expect(seen.length).toBe(hour === 23 ? expected.length : 0);
    }
    expect(seen).toEqual(expected);
  });
});

describe('over a real socket', () => {
  it('a ping event is answered by a pong event', async () => {
    const { port } = await startHub();
    const client = await RawClient.connect(port);
    client.send({ event: 'pusher:ping', data: {} });
    expect(await client.next()).toEqual({ event: 'pusher:pong', data: '{}' });
  });

  it('a client that answers no WebSocket ping is closed with 4201', async () => {
    const clock = new ManualClock();
    const { port, hub } = await startHub({}, { clock });
    const client = await RawClient.connect(port, 'protocol=7', { autoPong: false });
    const pinged = new Promise((resolve) => client.socket.once('ping', resolve));
    await clock.advance(120 * SECOND);
    await within('a ping', pinged);
    await clock.advance(30 * SECOND);
    expect(await client.closed).toEqual({ code: 4201, reason: 'Pong reply not received' });
    expect(hub.connectionCount).toBe(0);
  });

  it('before protocol 6 it gets an error frame with it', async () => {
    const clock = new ManualClock();
    const { port } = await startHub({}, { clock });
    const client = await RawClient.connect(port, 'protocol=5', { autoPong: false });
    await clock.advance(150 * SECOND);
    expect(await client.next()).toEqual({
      event: 'pusher:error',
      data: { code: 4201, message: 'Pong reply not received' },
    });
    expect((await client.closed).code).toBe(4201);
  });

  it('the time-outs can be set, and the client is told', async () => {
    const { port } = await startHub({}, { timeouts: { activityS: 30 } });
    const client = new RawClient(`ws://127.0.0.1:${port}/app/278d425bdf160c739803?protocol=7`);
    expect(JSON.parse((await client.next()).data).activity_timeout).toBe(30);
  });
});
