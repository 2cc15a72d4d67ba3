import { describe, expect, it } from 'vitest';
import { connectionsSchema, statusSchema } from '../../../base/api/status-schemas.js';
import type { ConnectionRecord } from '../../../base/core/connection.js';
import { openStream, startApi } from './running-api.js';

describe('the status', () => {
  it('is how the base is doing at this moment', async () => {
    const { call, figures, clock } = await startApi();
    figures.handlers = [
      {
        name: 'iot',
        state: 'failed',
        faults: 2,
        lastFault: 'no such port',
        counts: { pings: 7 },
        gauges: { clients: 3 },
      },
    ];
    figures.waiting = { commands: 3, queries: 1 };
    const connection = figures.connections.opened({ unit: 'a', remoteAddress: '192.168.1.2:4' }, 'iot');
    connection.received();
    connection.sent();
    await clock.advance(1_500);
    const { status, body } = await call('/api/v1/status');
    expect(status).toBe(200);
    expect(body).toEqual({
      name: 'test',
      version: '1.2.3',
      state: 'started',
      startedAt: Date.UTC(2026, 0, 1),
      uptimeS: 1,
      connections: 1,
      totals: {
        established: 1,
        receivedMessages: 1,
        receivedPerSecond: expect.any(Number),
        sentMessages: 1,
        sentPerSecond: expect.any(Number),
      },
      commandsWaiting: 3,
      queriesWaiting: 1,
      ...figures.measured,
      sseSubscribers: 0,
      handlers: figures.handlers,
      subscriberFaults: 0,
      statisticsFaults: 0,
    });
    expect(statusSchema.strict().parse(body)).toEqual(body);
  });

  it('of a new base has nothing in it, and is one still', async () => {
    const { call, figures } = await startApi();
    figures.handlers = [];
    figures.state = 'created';
    const { body } = await call('/api/v1/status');
    expect(statusSchema.strict().parse(body)).toEqual(body);
  });

  it('may have the clients of the event stream', async () => {
    const { api, port } = await startApi();
    expect(api.subscribers).toBe(0);
    await openStream(port);
    expect(api.subscribers).toBe(1);
  });
});

describe('connections', () => {
  const withConnections = async (count: number) => {
    const running = await startApi();
    const all = Array.from({ length: count }, (_, index) =>
      running.figures.connections.opened({ unit: `u${index}`, remoteAddress: `10.0.0.1:${index}` }, 'connector'),
    );
    const page = async (query = '') => {
      const { status, body } = await running.call(`/api/v1/connections${query}`);
      return { status, body, units: body.connections?.map(({ unit }: ConnectionRecord) => unit), next: body.next };
    };
    return { ...running, all, page };
  };

  it('are listed as they are known', async () => {
    const { call, figures } = await startApi();
    const told = { unit: 'a', name: 'Lamp', type: 'light', userAgent: 'esp', source: { buffered: 17 } };
    const connection = figures.connections.opened({ ...told, remoteAddress: '192.168.1.2:4' }, 'connector');
    connection.received();
    const { status, body } = await call('/api/v1/connections');
    expect(status).toBe(200);
    expect(body).toEqual({ connections: [connection.record()] });
    expect(body.connections[0]).toMatchObject({ name: 'Lamp', handler: 'connector', bufferedOctets: 17 });
    expect(connectionsSchema.strict().parse(body)).toEqual(body);
  });

  it('come by pages, in the order in which they were opened', async () => {
    const { page, all, figures } = await withConnections(5);
    const first = await page('?limit=2');
    expect(first).toMatchObject({ status: 200, units: ['u0', 'u1'] });
    // One that was given, and one that was not, are gone meanwhile; another comes.
    all[1]!.closed();
    all[2]!.closed();
    figures.connections.opened({ unit: 'new', remoteAddress: '10.0.0.1:9' }, 'connector');
    const second = await page(`?limit=2&after=${first.next}`);
    expect(second.units).toEqual(['u3', 'u4']);
    expect(await page(`?limit=2&after=${second.next}`)).toMatchObject({ units: ['new'], next: undefined });
  });

  it('are 100 where nothing is said', async () => {
    const { page } = await withConnections(101);
    const { units, next } = await page();
    expect(units).toHaveLength(100);
    expect(await page(`?after=${next}`)).toMatchObject({ units: ['u100'], next: undefined });
    expect((await page('?limit=101')).next).toBeUndefined();
  });

  it('of one unit may be two for a moment', async () => {
    const { page, figures } = await withConnections(3);
    figures.connections.opened({ unit: 'u1', remoteAddress: '10.0.0.1:9' }, 'connector');
    const { units, body } = await page('?unit=u1');
    expect(units).toEqual(['u1', 'u1']);
    expect(body.connections.map(({ remoteAddress }: ConnectionRecord) => remoteAddress)).toEqual([
      '10.0.0.1:1',
      '10.0.0.1:9',
    ]);
    expect((await page('?unit=nobody')).units).toEqual([]);
  });

  it.each([
    ['?limit=1', 200],
    ['?limit=1000', 200],
    ['?limit=0', 400],
    ['?limit=1001', 400],
    ['?after=-1', 400],
    ['?after=x', 400],
    ['?unit=', 400],
    ['?details=1', 400],
  ])('%s: %i', async (query, status) => {
    const { page } = await withConnections(1);
    expect((await page(query)).status).toBe(status);
  });
});
