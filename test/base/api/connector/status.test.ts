import { describe, expect, it } from 'vitest';
import { defaultConnectorApiLimits } from '../../../../base/api/connector/connector-api-limits.js';
import { statusUnits } from '../../../../base/api/connector/status-metrics.js';
import { settle } from '../../../support/manual-clock.js';
import { soon } from '../../uplinks/soon.js';
import { RawClient } from '../running-api.js';
import { RunningConnectorApi, rightHeader, secrets, toldIn } from './running-connector-api.js';

const keys = [
  'server_current_state',
  'connections',
  'uptime',
  'start_time',
  'received_messages',
  'received_messages_per_second',
  'sent_messages',
  'sent_messages_per_second',
  'commands_waiting',
  'queries_waiting',
  'go_routines',
  'system_memory',
  'allocated_memory',
  'heap_allocated_memory',
  'sse_subscribers',
];

describe('GET /cloud-connector/status', () => {
  it('has the metrics of the wire page, and the unit of each under the same key', async () => {
    const rig = await RunningConnectorApi.start();
    rig.status = { commandsWaiting: 2, queriesWaiting: 1 };
    await rig.clock.advance(10_000);
    const device = rig.connect('board');
    for (let count = 0; count < 5; count += 1) device.received();
    device.sent();
    const { status, body, headers } = await rig.call('/cloud-connector/status');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body.metrics).toEqual({
      server_current_state: 'started',
      connections: 1,
      uptime: 10,
      start_time: 1_767_225_600,
      received_messages: 5,
      // Five in the nine whole seconds that the window has now.
      received_messages_per_second: 0.56,
      sent_messages: 1,
      sent_messages_per_second: 0.11,
      commands_waiting: 2,
      queries_waiting: 1,
      go_routines: 7,
      system_memory: 101,
      allocated_memory: 61,
      heap_allocated_memory: 30,
      sse_subscribers: 0,
    });
    expect(Object.keys(body.metrics)).toEqual(keys);
    expect(Object.keys(body.units)).toEqual(keys);
    const memory = { system_memory: 'Mb', allocated_memory: 'Mb', heap_allocated_memory: 'Mb' };
    const none = Object.fromEntries(keys.map((key) => [key, '']));
    expect(body.units).toEqual({ ...none, uptime: 'secs', ...memory });
    expect(statusUnits).toEqual(body.units);
  });

  it.each(['created', 'started', 'stopped', 'gracefully_stopped'] as const)('tells the state %s', async (state) => {
    const rig = await RunningConnectorApi.start();
    rig.status = { state };
    expect((await rig.call('/cloud-connector/status')).body.metrics.server_current_state).toBe(state);
  });
});

describe('GET /cloud-connector/status/stream', () => {
  it('gives a new subscriber all metrics once, and then only what changes, every 5 s', async () => {
    const rig = await RunningConnectorApi.start();
    const client = await rig.stream();
    await client.until('sse_subscribers');
    expect(client.received).toMatch(/content-type: text\/event-stream/i);
    const first = toldIn(client);
    expect(first.map(({ metric }) => metric)).toEqual(keys);
    expect(first).toContainEqual({ metric: 'server_current_state', value: 'started' });
    expect(first).toContainEqual({ metric: 'connections', value: '0' });
    expect(first).toContainEqual({ metric: 'sse_subscribers', value: '1' });

    rig.connect('board');
    await rig.clock.advance(4_999);
    expect(toldIn(client)).toHaveLength(keys.length);
    await rig.clock.advance(1);
    await soon(() => expect(toldIn(client)).toHaveLength(keys.length + 2));
    expect(toldIn(client).slice(keys.length)).toEqual([
      { metric: 'connections', value: '1' },
      { metric: 'uptime', value: '5' },
    ]);
    await rig.clock.advance(5_000);
    await soon(() => expect(toldIn(client)).toHaveLength(keys.length + 3));
    expect(toldIn(client).at(-1)).toEqual({ metric: 'uptime', value: '10' });
  });

  it('says nothing while nothing changes', async () => {
    const rig = await RunningConnectorApi.start();
    rig.status = { uptimeS: 1 };
    const client = await rig.stream();
    await client.until('sse_subscribers');
    await rig.clock.advance(15_000);
    await settle(10);
    expect(toldIn(client)).toHaveLength(keys.length);
    // What comes next is the change: nothing was on its way.
    rig.status = { uptimeS: 2 };
    await rig.clock.advance(5_000);
    await client.until('"2"');
    expect(toldIn(client).slice(keys.length)).toEqual([{ metric: 'uptime', value: '2' }]);
  });

  it('is compared as often as it is told to, and tells one that comes later what changed since it came', async () => {
    const rig = await RunningConnectorApi.start({ statusEveryMs: 1_000 });
    rig.status = { uptimeS: 1 };
    const one = await rig.stream();
    await one.until('sse_subscribers');
    await rig.clock.advance(500);
    const other = await rig.stream();
    await other.until('sse_subscribers');
    await rig.clock.advance(500);
    await soon(() => expect(toldIn(one)).toHaveLength(keys.length + 1));
    expect(toldIn(one).at(-1)).toEqual({ metric: 'sse_subscribers', value: '2' });
    rig.status = { uptimeS: 2 };
    await rig.clock.advance(1_000);
    await soon(() => expect(toldIn(other)).toHaveLength(keys.length + 1));
    expect(toldIn(other).at(-1)).toEqual({ metric: 'uptime', value: '2' });
  });

  it('asks for no metrics while nobody listens', async () => {
    const rig = new RunningConnectorApi();
    let asked = 0;
    const { status } = rig.context;
    const counting = {
      status: () => {
        asked += 1;
        return status.status();
      },
    };
    await rig.api.start({ ...rig.context, status: counting });
    await rig.clock.advance(60_000);
    await rig.api.stop();
    expect(asked).toBe(0);
    expect(rig.clock.waiting).toBe(0);
  });

  it('sends a comment every 20 s', async () => {
    const rig = await RunningConnectorApi.start({ statusEveryMs: 60_000 });
    const client = await rig.stream();
    await client.until('sse_subscribers');
    await rig.clock.advance(19_999);
    await settle(5);
    expect(client.received).not.toContain(': ping');
    await rig.clock.advance(1);
    await client.until(': ping\n\n');
  });

  it('is for 10 clients of one caller', async () => {
    const rig = await RunningConnectorApi.start();
    const clients = await Promise.all(Array.from({ length: 10 }, () => rig.stream()));
    expect(rig.api.subscribers).toBe(10);
    const { status, body, headers } = await rig.call('/cloud-connector/status/stream');
    expect(status).toBe(429);
    expect(headers.get('retry-after')).toBe('10');
    expect(body).toEqual({ error: expect.stringContaining('10 event streams') });
    clients[0]!.socket.destroy();
    await soon(() => expect(rig.api.subscribers).toBe(9));
    expect((await rig.stream()).received).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('is for 200 clients in all, whoever they are', async () => {
    expect(defaultConnectorApiLimits).toMatchObject({ streams: 200, streamsPerToken: 10 });
    const limits = { streams: 3, streamsPerToken: 2 };
    const rig = await RunningConnectorApi.start({ listen: { host: '0.0.0.0', port: 0 }, limits });
    const from = async (host: string): Promise<RawClient> => {
      const client = new RawClient(rig.port, host);
      client.socket.write('GET /cloud-connector/status/stream HTTP/1.1\r\nHost: x\r\n\r\n');
      await client.until('\r\n\r\n');
      return client;
    };
    const some = [await from('127.0.0.1'), await from('127.0.0.1'), await from('127.0.0.2')];
    expect(some.every(({ received }) => received.startsWith('HTTP/1.1 200 '))).toBe(true);
    expect((await from('127.0.0.3')).received).toMatch(/^HTTP\/1\.1 503 /);
    expect((await from('127.0.0.1')).received).toMatch(/^HTTP\/1\.1 429 /);
  });

  it('counts clients by their secret where one is asked for', async () => {
    const rig = await RunningConnectorApi.start({ auth: secrets.bearer, limits: { streamsPerToken: 1 } });
    const header = `Authorization: ${rightHeader.bearer}\r\n`;
    expect((await rig.stream(header)).received).toMatch(/^HTTP\/1\.1 200 /);
    expect((await rig.stream(header)).received).toMatch(/^HTTP\/1\.1 429 /);
  });

  it('forgets streams that waited behind another one when their client hangs up', async () => {
    const rig = await RunningConnectorApi.start();
    const client = await rig.stream();
    client.socket.write('GET /cloud-connector/status/stream HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(2));
    await soon(() => expect(rig.api.subscribers).toBe(3));
    client.socket.destroy();
    await soon(() => expect(rig.api.subscribers).toBe(0));
  });

  it('cuts a client that takes nothing, and holds nobody up', async () => {
    const rig = await RunningConnectorApi.start({ statusEveryMs: 1_000 });
    const slow = await rig.stream();
    slow.socket.pause();
    const quick = await rig.stream();
    // States of 64 KiB, until there are more than the operating system takes for the slow one.
    let turn = 0;
    while (rig.api.subscribers === 2) {
      turn += 1;
      rig.status = { state: `${turn}${'x'.repeat(64 * 1024)}` as 'started' };
      await rig.clock.advance(1_000);
      await quick.until(`"${turn}xxx`);
      await soon(() => expect(quick.received.endsWith('\n\n\r\n')).toBe(true));
      quick.received = '';
      expect(turn).toBeLessThan(1_000);
    }
    expect(rig.api.subscribers).toBe(1);
    expect(rig.log.lines.filter(({ message }) => message.includes('too slowly'))).toHaveLength(1);
    expect(defaultConnectorApiLimits.streamBufferOctets).toBe(256 * 1024);
  });
});
