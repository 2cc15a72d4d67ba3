import { describe, expect, it } from 'vitest';
import { RunningConnectorApi } from './running-connector-api.js';

describe('GET /devices', () => {
  it('lists who is connected now, sorted, each once', async () => {
    const rig = await RunningConnectorApi.start();
    expect((await rig.call('/devices')).body).toEqual({ devices: [] });
    const board = rig.connect('board');
    rig.connect('board');
    rig.connect('a-lamp');
    expect((await rig.call('/devices')).body).toEqual({ devices: ['a-lamp', 'board'] });
    expect((await rig.call('/devices/')).body).toEqual({ devices: ['a-lamp', 'board'] });
    board.closed();
    board.closed();
    expect((await rig.call('/devices')).body).toEqual({ devices: ['a-lamp', 'board'] });
  });

  it('lists a unit whose link is up though its handler tells of no connection, and no idle or lost one', async () => {
    const rig = await RunningConnectorApi.start();
    rig.router.presence('barrel', { state: 'online' });
    rig.router.presence('old-lamp', { state: 'idle' });
    expect((await rig.call('/devices')).body).toEqual({ devices: ['barrel'] });
    rig.router.presence('barrel', { state: 'offline', reason: 'gone' });
    expect((await rig.call('/devices')).body).toEqual({ devices: [] });
  });

  it('gives the records of the connections with ?details=1', async () => {
    const rig = await RunningConnectorApi.start();
    const named = rig.connect('device/ö 1', { name: 'Hall', type: 'lamp', userAgent: 'client/1.0' });
    await rig.clock.advance(1_500);
    named.received();
    named.received();
    await rig.clock.advance(1_000);
    named.sent();
    const bare = rig.connect('board', { remoteAddress: '[2001:db8::1]:40000' });
    const { body, status } = await rig.call('/devices?details=1');
    expect(status).toBe(200);
    expect(body).toEqual({
      devices: [
        {
          id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
          device_id: 'device/ö 1',
          device_name: 'Hall',
          device_type: 'lamp',
          user_agent: 'client/1.0',
          remote_address: '192.168.1.20:50000',
          created_at: 1_767_225_600,
          last_received_message_ts: 1_767_225_601,
          last_sent_message_ts: 1_767_225_602,
          received_messages: 2,
          sent_messages: 1,
        },
        {
          id: bare.id,
          device_id: 'board',
          device_name: '',
          device_type: '',
          user_agent: '',
          remote_address: '[2001:db8::1]:40000',
          created_at: 1_767_225_602,
          last_received_message_ts: 0,
          last_sent_message_ts: 0,
          received_messages: 0,
          sent_messages: 0,
        },
      ],
    });
  });

  it.each(['?details=0', '?details=', '?details=1&details=1', '?other=1'])('lists ids with %s', async (query) => {
    const rig = await RunningConnectorApi.start();
    rig.connect('board');
    expect((await rig.call(`/devices${query}`)).body).toEqual({ devices: ['board'] });
  });
});

describe.each([
  ['GET /devices/{id}/show', (id: string) => `/devices/${id}/show`],
  ['GET /devices/status/{id}', (id: string) => `/devices/status/${id}`],
])('%s', (_, path) => {
  it('has the figures of the wire page, and their units', async () => {
    const rig = await RunningConnectorApi.start();
    const device = rig.connect('board');
    await rig.clock.advance(60_400);
    for (let count = 0; count < 3; count += 1) device.received();
    device.sent();
    await rig.clock.advance(600);
    const { status, body } = await rig.call(path('board'));
    expect(status).toBe(200);
    expect(body).toEqual({
      metrics: {
        uptime: 61,
        received_messages: 3,
        received_messages_per_second: 0.33,
        sent_messages: 1,
        sent_messages_per_second: 0.11,
      },
      units: {
        uptime: 'secs',
        received_messages: '',
        received_messages_per_second: '',
        sent_messages: '',
        sent_messages_per_second: '',
      },
    });
    await rig.clock.advance(60_000);
    const later = (await rig.call(path('board'))).body.metrics;
    expect(later).toMatchObject({ uptime: 121, received_messages: 3, received_messages_per_second: 0 });
  });

  it('rounds what comes a second to hundredths', async () => {
    const rig = await RunningConnectorApi.start();
    const device = rig.connect('board');
    device.received();
    await rig.clock.advance(7_000);
    expect((await rig.call(path('board'))).body.metrics.received_messages_per_second).toBe(0.14);
  });

  it('is 404 for a device that nobody knows, and for a unit without a connection', async () => {
    const rig = await RunningConnectorApi.start();
    for (const id of ['nobody', 'board', 'kitchen-lamp', '__proto__', 'constructor']) {
      const { status, text } = await rig.call(path(id));
      expect([status, text]).toEqual([404, '{"error":"Device not found"}']);
    }
  });

  it('takes an id that is percent-encoded', async () => {
    const rig = await RunningConnectorApi.start();
    rig.connect('device/ö 1');
    expect((await rig.call(path(encodeURIComponent('device/ö 1')))).status).toBe(200);
    rig.connect('ö'.repeat(128));
    expect((await rig.call(path(encodeURIComponent('ö'.repeat(128))))).status).toBe(200);
  });

  it('does not count back when the clock of the machine is set back', async () => {
    const rig = await RunningConnectorApi.start();
    rig.connect('board');
    rig.clock.setNow(0);
    expect((await rig.call(path('board'))).body.metrics.uptime).toBe(0);
  });
});
