import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { defaultApiLimits } from '../../../base/api/api-limits.js';
import { EventRing } from '../../../base/api/event-ring.js';
import { MAX_EVENT_OCTETS } from '../../../base/api/event-stream.js';
import type { LogLine, Outcome, Presence, Report, UnitRequest, UnitResponse } from '../../../base/core/messages.js';
import { openStream, openStreamWhenFree, type RawClient, type RunningApi, startApi, TOKEN } from './running-api.js';

const report = (sequence: number, unit = 'barrel'): Report => ({
  kind: 'report',
  id: `${unit}/1/${sequence}`,
  unit,
  definition: 'rain-barrel',
  report: 'level',
  fields: { litres: 12.5, flow: [1, 2] },
  boot: 1,
  sequence,
  measuredAt: 1,
  receivedAt: 2,
});
const outcome: Outcome = {
  kind: 'outcome',
  id: 'a',
  unit: 'barrel',
  command: 'stop',
  outcome: 'ok',
  source: 'api',
  at: 3,
};
const presence: Presence = {
  kind: 'presence',
  unit: 'kitchen-lamp',
  definition: 'led-lamp',
  state: 'idle',
  drift: [],
  at: 4,
};
const line: LogLine = { kind: 'log', unit: 'barrel', level: 'info', text: 'two\nlines', at: 5 };

const request = (value: string): UnitRequest => ({
  kind: 'request',
  id: 'board/5/r/1',
  unit: 'board',
  payload: { format: 'utf8', value },
  at: 6,
});
const response: UnitResponse = { kind: 'response', id: 'board/5/r/1', unit: 'board', code: 161, at: 7 };

interface Event {
  readonly event?: string;
  readonly id?: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever came
  readonly data?: any;
}

/** The events in what a raw connection received, its chunk sizes taken out. */
function eventsIn({ received }: RawClient): Event[] {
  const body = Buffer.from(received.slice(received.indexOf('\r\n\r\n') + 4), 'latin1')
    .toString('utf8')
    .replaceAll(/(^|\r\n)[0-9a-f]+\r\n/g, '')
    .replaceAll('\r\n', '');
  return body
    .split('\n\n')
    .filter((block) => block.startsWith('event:'))
    .map((block) => {
      const field = (name: string) =>
        block
          .split('\n')
          .find((each) => each.startsWith(`${name}: `))
          ?.slice(name.length + 2);
      const id = field('id');
      return {
        event: field('event'),
        data: JSON.parse(field('data')!),
        ...(id === undefined ? {} : { id: Number(id) }),
      } as Event;
    });
}

const publish = ({ bus }: RunningApi, from: number, to: number): void => {
  for (let sequence = from; sequence <= to; sequence += 1) bus.publish(report(sequence));
};
const sequences = (client: RawClient) =>
  eventsIn(client)
    .filter(({ event }) => event === 'report')
    .map(({ data }) => data.sequence as number);

describe('the event stream', () => {
  it('tells reports, outcomes, presence and log lines with increasing ids', async () => {
    const running = await startApi();
    const client = await openStream(running.port);
    expect(client.received).toMatch(/^HTTP\/1\.1 200 /);
    expect(client.received).toMatch(/content-type: text\/event-stream\r\n/i);
    expect(client.received).toMatch(/cache-control: no-store\r\n/i);
    for (const message of [report(1), outcome, presence, line]) running.bus.publish(message);
    await client.until('two\\nlines');
    const events = eventsIn(client);
    expect(events.map(({ event }) => event)).toEqual(['report', 'outcome', 'presence', 'log']);
    const { kind: _, ...data } = report(1);
    expect(events[0]!.data).toEqual(data);
    expect(events[3]!.data).toEqual({ unit: 'barrel', level: 'info', text: 'two\nlines', at: 5 });
    expect(events.map(({ id }) => id! - events[0]!.id!)).toEqual([0, 1, 2, 3]);
  });

  it('tells what objects ask and are answered', async () => {
    const running = await startApi();
    const client = await openStream(running.port);
    const ofKind = await openStream(running.port, { path: '/api/v1/events?kind=response' });
    running.bus.publish(request('time?'));
    running.bus.publish(response);
    await Promise.all([client.until('"code":161'), ofKind.until('"code":161')]);
    expect(eventsIn(client).map(({ event, data }) => [event, data])).toEqual([
      ['request', { id: 'board/5/r/1', unit: 'board', payload: { format: 'utf8', value: 'time?' }, at: 6 }],
      ['response', { id: 'board/5/r/1', unit: 'board', code: 161, at: 7 }],
    ]);
    expect(eventsIn(ofKind).map(({ event }) => event)).toEqual(['response']);
  });

  it(`tells an event of more than ${MAX_EVENT_OCTETS} octets without its payload, and goes on`, async () => {
    const running = await startApi();
    const client = await openStream(running.port);
    const { kind: _, ...data } = request('');
    const room = MAX_EVENT_OCTETS - JSON.stringify(data).length;
    running.bus.publish(request('x'.repeat(room)));
    running.bus.publish(request('x'.repeat(room + 1)));
    running.bus.publish(response);
    await client.until('"code":161');
    const [just, past] = eventsIn(client).map((event) => event.data);
    expect(just.payload.value).toHaveLength(room);
    const reason = 'the payload is too long for an event and was left out';
    expect(past).toEqual({ id: 'board/5/r/1', unit: 'board', at: 6, reason });
  });

  it('says beside why a command was refused that what the object answered was too long', async () => {
    const running = await startApi();
    const client = await openStream(running.port);
    const payload = { format: 'ascii', value: 'x'.repeat(MAX_EVENT_OCTETS) } as const;
    running.bus.publish({ ...outcome, outcome: 'refused', reason: 'the unit answered with return code 01', payload });
    await client.until('left out');
    expect(eventsIn(client)[0]!.data).toMatchObject({
      outcome: 'refused',
      reason: 'the unit answered with return code 01; the payload is too long for an event and was left out',
    });
  });

  it('leaves out what was not asked for', async () => {
    const running = await startApi();
    const ofUnit = await openStream(running.port, { path: '/api/v1/events?unit=kitchen-lamp' });
    const ofKind = await openStream(running.port, { path: '/api/v1/events?kind=outcome' });
    const ofBoth = await openStream(running.port, { path: '/api/v1/events?unit=kitchen-lamp&kind=report' });
    for (const message of [report(1), outcome, presence, line, report(2, 'kitchen-lamp')]) running.bus.publish(message);
    await Promise.all([
      ofUnit.until('kitchen-lamp/1/2'),
      ofBoth.until('kitchen-lamp/1/2'),
      ofKind.until('"command":"stop"'),
    ]);
    expect(eventsIn(ofUnit).map(({ event }) => event)).toEqual(['presence', 'report']);
    expect(eventsIn(ofKind).map(({ event }) => event)).toEqual(['outcome']);
    expect(eventsIn(ofBoth).map(({ data }) => data.id)).toEqual(['kitchen-lamp/1/2']);
  });

  it.each([
    ['?kind=command', 400],
    ['?kind=report&kind=log', 400],
    ['?units=barrel', 400],
    ['?unit=nobody', 404],
  ])('%s is refused with %i', async (query, status) => {
    const { call } = await startApi();
    expect(await call(`/api/v1/events${query}`)).toMatchObject({
      status,
      body: { status, detail: expect.any(String) },
    });
  });

  it('says every 20 s that it is there', async () => {
    const running = await startApi();
    const client = await openStream(running.port);
    await running.clock.advance(19_999);
    running.bus.publish(report(1));
    await client.until('barrel/1/1');
    expect(client.received).not.toContain(': ping');
    await running.clock.advance(1);
    await client.until(': ping\n\n');
    await running.clock.advance(20_000);
    await client.until(/: ping[\s\S]*: ping/);
  });
});

describe('a client that comes back', () => {
  const resume = (running: RunningApi, lastId: number | string, path?: string) =>
    openStream(running.port, { headers: `Last-Event-ID: ${lastId}\r\n`, ...(path === undefined ? {} : { path }) });
  const firstId = async (running: RunningApi): Promise<number> => {
    const client = await openStream(running.port);
    running.bus.publish(presence);
    await client.until('"kitchen-lamp"');
    client.socket.destroy();
    return eventsIn(client)[0]!.id!;
  };

  it('is first told what it missed', async () => {
    const running = await startApi();
    const id = await firstId(running);
    publish(running, 1, 5);
    const client = await resume(running, id + 2);
    publish(running, 6, 6);
    await client.until('barrel/1/6');
    expect(sequences(client)).toEqual([3, 4, 5, 6]);
    expect(client.received).not.toContain('event: gap');
    const upToDate = await resume(running, id + 6);
    publish(running, 7, 7);
    await upToDate.until('barrel/1/7');
    expect(sequences(upToDate)).toEqual([7]);
    expect(upToDate.received).not.toContain('event: gap');
  });

  it('is told what it missed of what it asked for', async () => {
    const running = await startApi();
    const id = await firstId(running);
    publish(running, 1, 3);
    running.bus.publish(outcome);
    const client = await resume(running, id, '/api/v1/events?kind=outcome');
    await client.until('"command":"stop"');
    expect(eventsIn(client).map(({ event }) => event)).toEqual(['outcome']);
  });

  it('finds the last 1 000 events, and learns how many are gone', async () => {
    const running = await startApi();
    const id = await firstId(running);
    publish(running, 1, 1_000);
    const all = await resume(running, id);
    await all.until('barrel/1/1000"');
    expect(sequences(all)).toHaveLength(1_000);
    expect(all.received).not.toContain('event: gap');
    publish(running, 1_001, 1_001);
    const late = await resume(running, id);
    await late.until('barrel/1/1001"');
    expect(eventsIn(late)[0]).toEqual({ event: 'gap', data: { missed: 1 } });
    expect(sequences(late)).toHaveLength(1_000);
    expect(sequences(late)[0]).toBe(2);
  });

  it('from before the base was started anew gets all there is, and is told that more may be gone', async () => {
    const running = await startApi();
    publish(running, 1, 2);
    for (const id of [0, 17, Number.MAX_SAFE_INTEGER]) {
      const client = await resume(running, id);
      await client.until('barrel/1/2');
      expect(eventsIn(client)[0]).toEqual({ event: 'gap', data: { missed: null } });
      expect(sequences(client)).toEqual([1, 2]);
    }
  });

  it.each(['x', '-1', '1.5', '1'.repeat(17)])('with %s for an id is refused', async (id) => {
    const { call } = await startApi();
    const { status, body } = await call('/api/v1/events', { headers: { 'last-event-id': id } });
    expect(status).toBe(400);
    expect(body.detail).toContain('last-event-id: must be the id of an event');
  });
});

describe('bounds of the event stream', () => {
  it('10 clients of one token, and no more until one goes', async () => {
    const running = await startApi({ limits: { requestBurst: 10_000 } });
    const clients = await Promise.all(Array.from({ length: 10 }, () => openStream(running.port)));
    expect(clients.every(({ received }) => received.startsWith('HTTP/1.1 200'))).toBe(true);
    const { status, headers, body } = await running.call('/api/v1/events');
    expect(status).toBe(429);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(body).toMatchObject({
      type: 'urn:baseunit:problem:too-many-streams',
      detail: expect.stringContaining('10 event streams'),
    });
    clients[0]!.socket.destroy();
    await clients[0]!.closed();
    await openStreamWhenFree(running.port);
    expect((await running.call('/api/v1/events')).status).toBe(429);
  });

  it('200 in all', async () => {
    const { streams, streamsPerToken, streamBufferOctets, events, pingMs } = defaultApiLimits;
    expect({ streams, streamsPerToken, streamBufferOctets, events, pingMs }).toEqual({
      streams: 200,
      streamsPerToken: 10,
      streamBufferOctets: 262_144,
      events: 1_000,
      pingMs: 20_000,
    });
    const running = await startApi({ limits: { streamsPerToken: 1_000, requestBurst: 1_000 } });
    const clients = await Promise.all(Array.from({ length: 200 }, () => openStream(running.port)));
    expect(clients.every(({ received }) => received.startsWith('HTTP/1.1 200'))).toBe(true);
    const { status, body } = await running.call('/api/v1/events');
    expect(status).toBe(503);
    expect(body.type).toBe('urn:baseunit:problem:too-many-streams');
  });

  it('a client that takes nothing is cut at 256 KiB, holds nobody up, and can resume', async () => {
    const running = await startApi();
    const slow = await openStream(running.port);
    const quick = await openStream(running.port);
    slow.socket.pause();
    const long = 'x'.repeat(60_000);
    const isCut = () => running.log.lines.some(({ message }) => message.includes('takes its events too slowly'));
    let published = 0;
    // The system's own socket buffers come first; they are bounded at some MiB.
    while (!isCut() && published < 2_000) {
      published += 1;
      running.bus.publish({ ...line, text: `${published}:${long}` });
      await quick.until(`"text":"${published}:`);
      await quick.until(`${long}","at":5}\n\n`);
      quick.received = '';
    }
    expect(isCut()).toBe(true);
    const { lastId } = running.log.lines.find(({ message }) => message.includes('too slowly'))!.fields;
    slow.socket.resume();
    await slow.closed();
    const again = await openStream(running.port, { headers: `Last-Event-ID: ${(lastId as number) - 1}\r\n` });
    await again.until(`"text":"${published}:`);
  });

  it('a client that resumes from far back is given all of it though that is more than 256 KiB', async () => {
    const running = await startApi();
    const first = await openStream(running.port);
    running.bus.publish(presence);
    await first.until('"kitchen-lamp"');
    const { id } = eventsIn(first)[0]!;
    first.socket.destroy();
    const long = 'y'.repeat(10_000);
    for (let number = 1; number <= 100; number += 1) running.bus.publish({ ...line, text: `${number}:${long}` });
    const client = await openStream(running.port, { headers: `Last-Event-ID: ${id}\r\n` });
    await client.until('"text":"100:');
    running.bus.publish(report(1));
    await client.until('barrel/1/1');
    expect(eventsIn(client).map(({ event }) => event)).toEqual([...Array(100).fill('log'), 'report']);
  });
});

it('a request behind a stream on the same connection does not get into it', async () => {
  const running = await startApi();
  const client = await openStream(running.port);
  client.socket.write('no HTTP at all\r\n\r\n');
  const received = await client.closed();
  expect(received.match(/HTTP\/1\.1/g)).toHaveLength(1);
});

it('streams end when the base stops', async () => {
  const running = await startApi();
  const client = await openStream(running.port);
  const ended = once(client.socket, 'close');
  await running.api.stop();
  await ended;
  expect(client.received).toMatch(/0\r\n\r\n$/);
  expect(running.bus.hearers).toBe(0);
  expect(running.clock.waiting).toBe(0);
});

it('a browser’s reader understands it', async () => {
  const running = await startApi();
  const response = await fetch(`${running.url}/api/v1/events`, { headers: { authorization: `Bearer ${TOKEN}` } });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  running.bus.publish(report(1));
  let text = '';
  while (!text.includes('barrel/1/1')) text += (await reader.read()).value;
  expect(text).toMatch(/^retry: 2000\n\nevent: report\nid: \d+\ndata: \{.*\}\n\n$/);
  await reader.cancel();
});

it('the ring keeps its size and knows where to go on', () => {
  const ring = new EventRing(3, 100);
  expect(ring.resume(99)).toEqual({ from: 100, missed: 0 });
  expect(ring.resume(100)).toEqual({ from: 100, missed: undefined });
  for (const data of ['a', 'b', 'c']) ring.add('log', 'u', data);
  expect(ring.at(100)?.data).toBe('a');
  ring.add('log', 'u', 'd');
  expect(ring.at(100)).toBeUndefined();
  expect(ring.at(103)?.data).toBe('d');
  expect(ring.at(104)).toBeUndefined();
  expect(ring.resume(103)).toEqual({ from: 104, missed: 0 });
  expect(ring.resume(100)).toEqual({ from: 101, missed: 0 });
  expect(ring.resume(99)).toEqual({ from: 101, missed: 1 });
  expect(ring.resume(98)).toEqual({ from: 101, missed: undefined });
});
