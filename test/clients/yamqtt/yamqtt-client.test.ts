import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type ClientEvent, YamqttClient, type YamqttClientOptions } from '../../../clients/yamqtt/index.js';
import { MAX_UNSENT_OCTETS } from '../../../clients/yamqtt/server-connection.js';
import { encodeMessage } from '../../../protocol/yamqtt/message.js';
import { MESSAGE_OCTETS } from '../../../protocol/yamqtt/records.js';
import { textData } from '../../../protocol/yamqtt/text.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { ScriptedServer, type ServerSide } from './scripted-server.js';

interface Subject {
  readonly client: YamqttClient;
  readonly clock: ManualClock;
  readonly events: ClientEvent[];
  readonly heard: string[];
  /** Resolves at the next event of that kind. */
  event(kind: ClientEvent['kind']): Promise<ClientEvent>;
  /** Resolves when so many messages were heard. */
  hears(count: number): Promise<readonly string[]>;
}

/** Time stands still; closed after the test. */
function subject(options: Partial<YamqttClientOptions>): Subject {
  const clock = new ManualClock();
  const client = new YamqttClient({ host: '127.0.0.1', clock, fraction: () => 0.5, ...options });
  const events: ClientEvent[] = [];
  const heard: string[] = [];
  const waiting = new Set<() => void>();
  client.onEvent((event) => void events.push(event));
  client.onMessage(({ flow, text }) => {
    heard.push(`${flow} ${text}`);
    for (const look of [...waiting]) look();
  });
  onTestFinished(async () => {
    const closing = client.close();
    await settle();
    await clock.advance(5_000);
    await closing;
  });
  const event = (kind: ClientEvent['kind']): Promise<ClientEvent> =>
    new Promise((resolve) => {
      const leave = client.onEvent((each) => {
        if (each.kind !== kind) return;
        leave();
        resolve(each);
      });
    });
  const hears = (count: number): Promise<readonly string[]> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (heard.length < count) return;
        waiting.delete(look);
        resolve(heard);
      };
      waiting.add(look);
      look();
    });
  return { client, clock, events, heard, event, hears };
}

async function connected(
  options: Partial<YamqttClientOptions> = {},
): Promise<Subject & { readonly server: ScriptedServer; readonly side: ServerSide }> {
  const server = await ScriptedServer.start();
  const given = subject({ port: server.port, ...options });
  const [side] = await Promise.all([server.client(), given.client.connect()]);
  return { ...given, server, side };
}

describe('a client that is connected', () => {
  test('subscribes, before and after, once a flow, and unsubscribes', async () => {
    const server = await ScriptedServer.start();
    const { client } = subject({ port: server.port });
    client.subscribe(7);
    client.subscribe(65_535);
    client.unsubscribe(7);
    await client.connect();
    const side = await server.client();
    client.subscribe(65_535);
    client.subscribe(1);
    client.unsubscribe(1);
    client.unsubscribe(1);
    await client.publish(2, 'last');
    const came = [await side.next(), await side.next(), await side.next(), await side.next()];
    expect(came).toEqual(['subscribe 65535', 'subscribe 1', 'unsubscribe 1', 'publish 2 last']);
  });

  test('publishes texts and octets, up to 1 024 of them; all that means nothing is 00', async () => {
    const { client, side } = await connected();
    await client.publish(42, 'grüße');
    await client.publish(42, new Uint8Array(1_024).fill(7));
    await client.publish(42, '');
    expect(await side.next()).toBe('publish 42 grüße');
    await side.next();
    await side.next();
    expect(side.octets).toEqual(
      Buffer.concat([
        encodeMessage('publish', 42, textData('grüße')),
        encodeMessage('publish', 42, new Uint8Array(1_024).fill(7)),
        encodeMessage('publish', 42, new Uint8Array(0)),
      ]),
    );
    await expect(client.publish(42, 'x'.repeat(1_025))).rejects.toMatchObject({
      code: 'config-invalid',
      message: 'data must have at most 1024 octets, not 1025',
    });
  });

  test.each([0, -1, 1.5, 65_536, Number.NaN])('knows no flow %s', async (flow) => {
    const { client } = subject({});
    await expect(client.publish(flow, 'x')).rejects.toMatchObject({ code: 'config-invalid' });
    expect(() => client.subscribe(flow)).toThrow('flow must be a whole number from 1 to 65535');
    expect(() => client.unsubscribe(flow)).toThrow('flow');
  });

  test('hears messages however they are cut, with all their octets', async () => {
    const { client, side, hears } = await connected();
    const data: Uint8Array[] = [];
    client.onMessage((message) => void data.push(message.data));
    const octets = Buffer.concat([
      encodeMessage('message', 1, textData('one')),
      encodeMessage('message', 2, new Uint8Array(1_024).fill(0x41)),
      encodeMessage('message', 3, Uint8Array.of(0x62, 0, 0xff)),
    ]);
    side.socket.setNoDelay(true);
    for (let at = 0; at < octets.length; at += 700) {
      side.socket.write(octets.subarray(at, at + 700));
      await settle(1);
    }
    expect(await hears(3)).toEqual(['1 one', `2 ${'A'.repeat(1_024)}`, '3 b']);
    expect(data.map(({ length }) => length)).toEqual([1_024, 1_024, 1_024]);
    // What is kept of a message does not keep all that came with it.
    expect(data.map(({ buffer }) => buffer.byteLength)).toEqual([1_024, 1_024, 1_024]);
    expect([...data[2]!.subarray(0, 4)]).toEqual([0x62, 0, 0xff, 0]);
  });

  test('is told what the server says went wrong, leaves out what no server sends, and carries on', async () => {
    const { side, events, hears } = await connected();
    side.send('error', 0, 'publish on no flow');
    side.send('publish', 7, 'x');
    side.socket.write(new Uint8Array(MESSAGE_OCTETS).fill(0x7a));
    side.send('message', 7, 'well');
    expect(await hears(1)).toEqual(['7 well']);
    expect(events).toMatchObject([
      { kind: 'connected' },
      { kind: 'error', text: 'publish on no flow' },
      { kind: 'misunderstood', error: { code: 'frame-malformed' } },
      { kind: 'misunderstood', error: { code: 'frame-malformed' } },
    ]);
  });

  test('a hearer that throws keeps nobody else from hearing', async () => {
    const { client, side, hears } = await connected();
    const faults: unknown[] = [];
    const hearFault = (error: unknown): void => void faults.push(error);
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', hearFault);
    onTestFinished(() => {
      process.removeListener('uncaughtException', hearFault);
      for (const other of others) process.on('uncaughtException', other);
    });
    const leave = client.onMessage(() => {
      throw new Error('a fault');
    });
    const late: string[] = [];
    client.onMessage(({ text }) => void late.push(text));
    side.send('message', 7, 'one');
    await hears(1);
    leave();
    side.send('message', 7, 'two');
    await hears(2);
    expect(late).toEqual(['one', 'two']);
    expect(faults).toMatchObject([{ message: 'a fault' }]);
  });
});

describe('its end', () => {
  test('close sends what was published, then says goodbye, and waits for the server', async () => {
    const { client, side, events } = await connected();
    void client.publish(7, 'last');
    const closing = client.close();
    const again = client.close();
    expect([await side.next(), await side.next()]).toEqual(['publish 7 last', 'disconnect 0']);
    side.socket.end();
    await Promise.all([closing, again]);
    expect(client.state).toBe('idle');
    expect(events.at(-1)).toEqual({ kind: 'closed', error: undefined });
    await expect(client.publish(7, 'x')).rejects.toMatchObject({ code: 'link-lost' });
  });

  test('a server that does not end the connection within 5 s is not waited for', async () => {
    const { client, side, clock, events } = await connected();
    const closing = client.close();
    await side.next();
    await clock.advance(4_999);
    expect(client.state).toBe('connected');
    await clock.advance(1);
    await closing;
    expect(events.at(-1)).toMatchObject({
      kind: 'closed',
      error: { message: /did not end the connection within 5 s/ },
    });
    expect(clock.waiting).toBe(0);
  });

  test('a loop over messages ends with it', async () => {
    const { client, side } = await connected();
    const messages = client.messages();
    side.send('message', 7, 'one');
    side.send('message', 7, 'two');
    expect((await messages.next()).value).toMatchObject({ flow: 7, text: 'one' });
    expect((await messages.next()).value).toMatchObject({ text: 'two' });
    const last = messages.next();
    const closing = client.close();
    expect(await last).toEqual({ done: true, value: undefined });
    side.socket.end();
    await closing;
  });

  test('a loop that is left has no more messages, though some have come', async () => {
    const { client, side, hears } = await connected();
    const messages = client.messages();
    side.send('message', 7, 'one');
    await hears(1);
    await messages.return!();
    expect(await messages.next()).toEqual({ done: true, value: undefined });
  });

  test('a connection that is lost is said, and ends a loop with an error', async () => {
    const { client, side, events, event } = await connected();
    const messages = client.messages();
    const closed = event('closed');
    const next = messages.next();
    next.catch(() => {});
    side.socket.end();
    await closed;
    await expect(next).rejects.toMatchObject({ code: 'link-lost' });
    expect(await messages.next()).toMatchObject({ done: true });
    expect(events.at(-1)).toMatchObject({ error: { code: 'link-lost', message: /the server closed the connection/ } });
    await expect(client.publish(7, 'x')).rejects.toMatchObject({ code: 'link-lost' });
    await settle();
    expect(client.state).toBe('idle');
  });

  test('where nobody listens it does not connect', async () => {
    const server = await ScriptedServer.start();
    const { client } = subject({ port: server.port, connectTimeoutMs: 1_000 });
    await server.stop();
    await expect(client.connect()).rejects.toMatchObject({ code: 'connect-failed' });
    expect(client.state).toBe('idle');
  });

  test('it connects once at a time, and again after its end', async () => {
    const { client, side, server } = await connected();
    await expect(client.connect()).rejects.toMatchObject({ code: 'internal' });
    const closing = client.close();
    await side.next();
    side.socket.end();
    await closing;
    client.subscribe(9);
    await client.connect();
    expect(await (await server.client()).next()).toBe('subscribe 9');
  });
});

describe('a client that reconnects', () => {
  test('comes back later and later, with its subscriptions, and goes on with its loops', async () => {
    const { client, side, server, clock, event } = await connected({ reconnect: true });
    client.subscribe(7);
    await side.next();
    const messages = client.messages();
    for (const [inMs, flows] of [
      [500, ['subscribe 7']],
      [1_000, ['subscribe 7', 'subscribe 8']],
    ] as const) {
      const retrying = event('retrying');
      const lost = flows.length === 1 ? side : await server.client();
      lost.socket.destroy();
      expect(await retrying).toMatchObject({ inMs, error: { code: 'link-lost' } });
      expect(client.state).toBe('waiting');
      if (flows.length === 2) client.subscribe(8);
      await clock.advance(inMs - 1);
      expect(client.state).toBe('waiting');
      const isBack = event('connected');
      await clock.advance(1);
      await isBack;
      if (flows.length === 1) continue;
      const back = await server.client();
      expect([await back.next(), await back.next()]).toEqual(flows);
      back.send('message', 8, 'again');
      expect((await messages.next()).value).toMatchObject({ flow: 8, text: 'again' });
    }
  });

  test('goes on until somebody listens, or it is closed', async () => {
    const server = await ScriptedServer.start();
    const { port } = server;
    await server.stop();
    const { client, clock, event } = subject({ port, reconnect: { firstMs: 10 } });
    const first = event('retrying');
    const connecting = client.connect();
    expect(await first).toMatchObject({ error: { code: 'connect-failed' } });
    const there = await ScriptedServer.start(port);
    await Promise.all([clock.advance(50), connecting]);
    await there.client();
    expect(client.state).toBe('connected');

    const other = subject({ port: 1, reconnect: true });
    const waiting = other.event('retrying');
    const hopeless = other.client.connect();
    hopeless.catch(() => {});
    await waiting;
    await other.client.close();
    await expect(hopeless).rejects.toMatchObject({ code: 'stopped' });
  });
});

describe('slow ends', () => {
  test('a slow loop slows the server down, and gets everything in order', async () => {
    const { client, side } = await connected();
    const messages = client.messages();
    const count = 4_000;
    let isAllTaken = false;
    for (let number = 0; number < count; number += 1)
      side.socket.write(encodeMessage('message', 7, textData(`${number}`)), () => {
        isAllTaken ||= number === count - 1;
      });
    // It has been read as far as it is going to be when nothing moves any more.
    let before = -1;
    while (side.socket.writableLength !== before) {
      before = side.socket.writableLength;
      await settle(20);
    }
    expect([before > 0, isAllTaken]).toEqual([true, false]);
    for (let number = 0; number < count; number += 1)
      expect((await messages.next()).value).toMatchObject({ text: `${number}` });
    // A loop that is left holds nobody up.
    await messages.return!();
    const emptied = once(side.socket, 'drain');
    while (side.socket.write(encodeMessage('message', 7, textData('more'))));
    await emptied;
  });

  test('publishing waits for a slow server, and past 1 MiB it is refused', async () => {
    const { client, side } = await connected();
    side.socket.pause();
    const results: Promise<void>[] = [];
    let refusal: unknown;
    while (refusal === undefined) {
      const result = client.publish(7, 'x');
      results.push(result);
      // Many settle only when the server takes them.
      await Promise.race([result.catch((error: unknown) => (refusal = error)), settle(1)]);
    }
    expect(refusal).toMatchObject({ code: 'link-stalled' });
    expect(results.length * MESSAGE_OCTETS).toBeGreaterThan(MAX_UNSENT_OCTETS);
    side.socket.resume();
    await Promise.all(results.slice(0, -1));
    await client.publish(7, 'y');
  });

  test('what waits for a slow server when the client is closed is sent before the goodbye, and is not lost', async () => {
    const { client, side } = await connected();
    side.socket.pause();
    const results: Promise<void>[] = [];
    let isWaiting = false;
    while (!isWaiting) {
      const result = client.publish(7, 'x');
      results.push(result);
      isWaiting = await Promise.race([result.then(() => false), settle(1).then(() => true)]);
    }
    const closing = client.close();
    side.socket.resume();
    for (const _ of results) expect(await side.next()).toBe('publish 7 x');
    expect(await side.next()).toBe('disconnect 0');
    side.socket.end();
    await Promise.all([...results, closing]);
  });
});

test.each([
  [{ host: '' }, 'host is empty'],
  [{ port: 0 }, 'port must be a whole number from 1 to 65535'],
  [{ port: 65_536 }, 'port must be'],
  [{ connectTimeoutMs: 0 }, 'connectTimeoutMs must be'],
  [{ reconnect: { firstMs: 0 } }, 'reconnect.firstMs must be'],
])('options that cannot be are refused: %j', (options, why) => {
  expect(() => new YamqttClient({ host: '127.0.0.1', ...options })).toThrow(why);
});
