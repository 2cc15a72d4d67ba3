import PusherServer from 'pusher';
import { afterEach, describe, expect, it } from 'vitest';
import type { CommandRequest } from '../../../base/core/command-request.js';
import { Journal } from '../../../base/core/journal.js';
import type { Outcome } from '../../../base/core/messages.js';
import type { HubAppOptions } from '../../../base/hub/app.js';
import { Hub } from '../../../base/hub/hub.js';
import { systemClock, systemRandom } from '../../../base/system.js';
import { createClient, dropClient } from '../../../base/uplinks/pusher/pusher-client.js';
import type { PusherUplinkOptions } from '../../../base/uplinks/pusher/pusher-options.js';
import { PusherUplink } from '../../../base/uplinks/pusher/pusher-uplink.js';
import { InternalError } from '../../../protocol/errors.js';
import { ManualClock } from '../../support/manual-clock.js';
import { QuietLog } from '../../support/quiet-log.js';
import { openTestStore, type TestStore, temporaryStoreFile } from '../../support/test-store.js';
import { fixedRandom } from './fixed-random.js';
import { HttpReceiver, type Respond, status } from './http-receiver.js';
import { LocalBus, outcome, presence, report, request, response } from './local-bus.js';
import { soon } from './soon.js';

const app = { id: 'home', key: 'home-key', secret: 'home-secret' };
const credentials = { appId: app.id, key: app.key, secret: app.secret };
const channel = 'private-requests';
const encrypted = 'private-encrypted-requests';
const masterKey = new Uint8Array(32).fill(7);
const encryption = { encryptionMasterKeyBase64: Buffer.from(masterKey).toString('base64') };
const command = { id: 'c1', unit: 'lamp', command: 'setColor', fields: { color: '#ff8800' } };
const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function startHub(options: Partial<HubAppOptions> = {}, port = 0) {
  const hub = new Hub({
    apps: [{ ...app, ...options }],
    port,
    clock: systemClock,
    random: systemRandom,
    log: new QuietLog(),
  });
  const { port: bound } = await hub.start();
  cleanUps.push(() => hub.stop());
  return { hub, port: bound };
}

const serverOf = (port: number): PusherServer =>
  new PusherServer({ ...credentials, host: '127.0.0.1', port: String(port), useTLS: false, ...encryption });

/** An uplink whose commands all succeed at once, where `result` does not say otherwise. As in the base, outcomes are recorded. */
async function run(options: Partial<PusherUplinkOptions>, given?: TestStore) {
  const clock = new ManualClock();
  const log = new QuietLog();
  const bus = new LocalBus();
  const store = given ?? (await openTestStore());
  const { engine, outboxes } = store;
  cleanUps.push(() => store.end());
  const journal = new Journal(bus, engine.store, outboxes);
  const requests: CommandRequest[] = [];
  const rig = { result: (_: CommandRequest): Partial<Outcome> | Error => ({}) };
  const command = async (request: CommandRequest): Promise<Outcome> => {
    requests.push(request);
    const { id, unit, command: name, source } = request;
    const result = rig.result(request);
    if (result instanceof Error) throw result;
    const made = {
      kind: 'outcome',
      id,
      unit,
      command: name,
      outcome: 'ok',
      source,
      at: clock.now(),
      ...result,
    } as const;
    if (made.outcome !== 'duplicate') await journal.record(made, []);
    return made;
  };
  const uplink = new PusherUplink({ key: app.key, host: '127.0.0.1', tls: false, ...options });
  cleanUps.push(() => uplink.stop());
  const queue = (name: string) => engine.queue(name);
  await uplink.start({ bus, outboxes, queue, command, clock, random: fixedRandom(0.5), log });
  const isSubscribed = (): Promise<void> => soon(() => expect(uplink.phase).toBe('subscribed'));
  const said = (): string => log.lines.map(({ message }) => message).join('\n');
  /** Of another unit each, where none is given. */
  const end = (id: string, more: Partial<Outcome> = {}): Promise<void> =>
    journal.record({ ...outcome(id, id), ...more }, []);
  const status = () => uplink.outboxes[0]?.status;
  return Object.assign(rig, { clock, log, bus, store, requests, uplink, isSubscribed, said, end, status });
}

/** Somebody else on the channel: a browser, the dashboard. */
async function listen(port: number, name = channel): Promise<[string, unknown][]> {
  const events: [string, unknown][] = [];
  const server = serverOf(port);
  const client = createClient(
    app.key,
    {
      ...{ cluster: 'local', wsHost: '127.0.0.1', wsPort: port, forceTLS: false, enabledTransports: ['ws'] },
      channelAuthorization: {
        customHandler: ({ socketId, channelName }, done) => done(null, server.authorizeChannel(socketId, channelName)),
      },
    },
    () => {},
  );
  cleanUps.push(() => dropClient(client));
  const joined = client.subscribe(name);
  joined.bind_global((event: string, data: unknown) => events.push([event, data]));
  await soon(() => expect(joined.subscribed).toBe(true));
  events.length = 0;
  return events;
}

/** An authorisation endpoint, as the dashboard has one. */
async function startDashboard(port: number): Promise<HttpReceiver> {
  const server = serverOf(port);
  const dashboard = await HttpReceiver.start({
    respond: ({ headers, body }, response) => {
      if (headers.authorization !== 'Bearer t0ken') return void response.writeHead(401).end();
      const asked = new URLSearchParams(body);
      const answer = server.authorizeChannel(asked.get('socket_id') ?? '', asked.get('channel_name') ?? '');
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    },
  });
  cleanUps.push(() => dashboard.stop());
  return dashboard;
}

describe('the uplink to a Pusher channel', () => {
  it('hears a command that the pusher library triggers, and tells everybody on the channel its outcome', async () => {
    const { port } = await startHub();
    const dashboard = await startDashboard(port);
    const auth = { endpoint: `${dashboard.url}/api/broadcasting/auth`, token: 't0ken' };
    const rig = await run({ port, ...credentials, auth });
    await rig.isSubscribed();
    const events = await listen(port);
    await serverOf(port).trigger(channel, 'command', { ...command, ttlS: 30 });
    await serverOf(port).trigger(channel, 'update.request', { ip: '192.168.1.20', payload: 'red' });
    await soon(() => expect(events.filter(([name]) => name === 'outcome').length).toBe(2));
    expect(rig.requests).toEqual([
      { ...command, ttlMs: 30_000, source: 'pusher' },
      { id: rig.requests[1]!.id, unit: '192.168.1.20', command: 'update', line: 'red', source: 'pusher' },
    ]);
    expect(events.filter(([name]) => name === 'outcome').map(([, data]) => data)).toEqual([
      { id: 'c1', unit: 'lamp', command: 'setColor', outcome: 'ok', at: rig.clock.now() },
      { id: rig.requests[1]!.id, unit: '192.168.1.20', command: 'update', outcome: 'ok', at: rig.clock.now() },
    ]);
    expect(dashboard.received.length).toBe(1);
    expect(rig.said()).toContain('published as event "outcome"');
  });

  it('signs for itself where it has the secret and no endpoint', async () => {
    const { port } = await startHub();
    const rig = await run({ port, ...credentials });
    await rig.isSubscribed();
  });

  it('is back after the hub was away, and hears commands again', async () => {
    const { hub, port } = await startHub();
    const rig = await run({ port, ...credentials });
    await rig.isSubscribed();
    await hub.stop();
    await soon(() => expect(rig.uplink.phase).toBe('connecting'));
    await startHub({}, port);
    await rig.clock.advance(4_000);
    await rig.isSubscribed();
    await serverOf(port).trigger(channel, 'command', command);
    await soon(() => expect(rig.requests.map(({ id }) => id)).toEqual(['c1']));
  });

  it('works on an encrypted channel, where nobody in between reads commands or outcomes', async () => {
    const { port } = await startHub();
    const rig = await run({ port, ...credentials, channel: encrypted, encryptionKey: masterKey });
    await rig.isSubscribed();
    const events = await listen(port, encrypted);
    await serverOf(port).trigger(encrypted, 'command', command);
    await soon(() =>
      expect(events.filter(([name]) => name === 'outcome')).toMatchObject([['outcome', { id: 'c1', outcome: 'ok' }]]),
    );
    expect(rig.requests).toMatchObject([command]);
  });

  it('works on an encrypted channel with the dashboard’s key alone, and says that outcomes are only in the log', async () => {
    const { port } = await startHub();
    const dashboard = await startDashboard(port);
    const rig = await run({ port, channel: encrypted, auth: { endpoint: dashboard.url, token: 't0ken' } });
    await rig.isSubscribed();
    await serverOf(port).trigger(encrypted, 'command', command);
    await soon(() => expect(rig.requests).toMatchObject([command]));
    expect(rig.log.lines[0]!.message).toMatch(/only in the log: an encrypted channel/);
  });

  it('answers with client events where it cannot publish', async () => {
    const { port } = await startHub({ clientEvents: true });
    const dashboard = await startDashboard(port);
    const rig = await run({ port, auth: { endpoint: dashboard.url, token: 't0ken' } });
    await rig.isSubscribed();
    const events = await listen(port);
    await serverOf(port).trigger(channel, 'command', command);
    await soon(() =>
      expect(events.filter(([name]) => name === 'client-outcome')).toMatchObject([['client-outcome', { id: 'c1' }]]),
    );
    expect(rig.log.lines[0]!.message).toContain('client-outcome');
  });

  it('falls back to the log, said once, where the app does not allow client events', async () => {
    const { port } = await startHub({ clientEvents: false });
    const dashboard = await startDashboard(port);
    const rig = await run({ port, auth: { endpoint: dashboard.url, token: 't0ken' } });
    await rig.isSubscribed();
    for (const id of ['c1', 'c2']) await serverOf(port).trigger(channel, 'command', { ...command, id });
    await soon(() => expect(rig.requests).toMatchObject([{ id: 'c1' }, { id: 'c2' }]));
    await soon(() =>
      expect(rig.log.lines.filter(({ message }) => message.includes('allows no client events')).length).toBe(1),
    );
    expect(rig.uplink.phase).toBe('subscribed');
  });

  it.each<[string, Partial<PusherUplinkOptions>, RegExp]>([
    ['a wrong secret', { ...credentials, secret: 'wrong' }, /subscription refused: check/],
    ['a wrong key', { ...credentials, key: 'wrong' }, /check pusher.key/],
  ])('says what to do about %s, and comes back by itself', async (_, options, words) => {
    const { port } = await startHub();
    const rig = await run({ port, ...options });
    await soon(() => expect(rig.uplink.phase).toBe('waiting'));
    expect(rig.said()).toMatch(words);
    await rig.clock.advance(299_999);
    expect(rig.uplink.phase).toBe('waiting');
    await rig.clock.advance(1);
    await soon(() => expect(rig.uplink.phase).toBe('waiting'));
    expect(rig.log.lines.filter(({ message }) => words.test(message)).length).toBe(1);
  });

  it('says that the dashboard refused its token', async () => {
    const { port } = await startHub();
    const dashboard = await startDashboard(port);
    const rig = await run({ port, auth: { endpoint: dashboard.url, token: 'wrong' } });
    await soon(() => expect(rig.uplink.phase).toBe('waiting'));
    const [line] = rig.log.lines.filter(({ level }) => level === 'warn');
    expect(line!.fields.reason).toContain('401');
    expect(JSON.stringify(rig.log.lines)).not.toContain('wrong');
  });

  it('refuses what is not ours on the channel, said once, and goes on', async () => {
    const { port } = await startHub();
    const rig = await run({ port, ...credentials });
    await rig.isSubscribed();
    const server = serverOf(port);
    for (let count = 0; count < 3; count += 1) {
      await server.trigger(channel, 'command', { evil: true });
      await server.trigger(channel, 'update.request', 'not JSON');
      await server.trigger(channel, 'something', {});
    }
    await server.trigger(channel, 'command', command);
    await soon(() => expect(rig.requests.length).toBe(1));
    expect(rig.log.lines.filter(({ level }) => level === 'warn').length).toBe(3);
  });

  it('publishes reports and presence too where it is asked to', async () => {
    const { port } = await startHub();
    const rig = await run({ port, ...credentials, events: ['outcome', 'report', 'presence'] });
    await rig.isSubscribed();
    const events = await listen(port);
    rig.bus.publish(report('thermometer', 9, { temperature: 21.5 }));
    rig.bus.publish(presence('lamp'));
    await soon(() => expect(events.length).toBe(2));
    expect(events).toMatchObject([
      ['report', { id: 'thermometer/7/9', fields: { temperature: 21.5 } }],
      ['presence', { unit: 'lamp', state: 'online' }],
    ]);
  });

  it('publishes what objects ask and are answered where it is asked to', async () => {
    const { port } = await startHub();
    const rig = await run({ port, ...credentials, events: ['request', 'response'] });
    await rig.isSubscribed();
    const events = await listen(port);
    rig.bus.publish(report('thermometer', 9));
    rig.bus.publish(request('board', 'time?'));
    rig.bus.publish(response('board'));
    await soon(() => expect(events.length).toBe(2));
    expect(events).toMatchObject([
      ['request', { id: 'board/5/r/1', payload: { format: 'utf8', value: 'time?' } }],
      ['response', { id: 'board/5/r/1', code: 0 }],
    ]);
  });

  it('says that reports cannot be published without the secret', async () => {
    const { port } = await startHub();
    const dashboard = await startDashboard(port);
    const rig = await run({ port, auth: { endpoint: dashboard.url, token: 't0ken' }, events: ['report'] });
    expect(rig.said()).toMatch(/needs pusher.appId and pusher.secret/);
    expect([rig.bus.hearers, rig.said().includes('only in the log, as pusher.events says')]).toEqual([0, true]);
  });

  it('answers at once what never became a command, and a duplicate; nothing of it waits', async () => {
    const { port } = await startHub();
    const rig = await run({ port, ...credentials });
    rig.result = () => ({ outcome: 'duplicate', reason: 'sent before' });
    await rig.isSubscribed();
    const events = await listen(port);
    await serverOf(port).trigger(channel, 'command', command);
    await serverOf(port).trigger(channel, 'command', { ...command, id: 'c2', ttlS: -1 });
    await soon(() => expect(events.filter(([name]) => name === 'outcome').length).toBe(2));
    expect(events.filter(([name]) => name === 'outcome').map(([, data]) => data)).toMatchObject([
      { id: 'c1', outcome: 'duplicate', reason: 'sent before' },
      { id: 'c2', outcome: 'refused', reason: expect.stringContaining('ttlS') },
    ]);
    expect(rig.status()).toMatchObject({ waiting: 0, delivered: 0, dead: 0 });
  });

  it('says nothing of a command that is kept because the base stops', async () => {
    const { port } = await startHub();
    const rig = await run({ port, ...credentials });
    rig.result = ({ id }) => (id === 'c1' ? new InternalError('stopped', 'the base is stopping') : {});
    await rig.isSubscribed();
    const events = await listen(port);
    for (const id of ['c1', 'c2']) await serverOf(port).trigger(channel, 'command', { ...command, id });
    await soon(() => expect(events.filter(([name]) => name === 'outcome')).toMatchObject([['outcome', { id: 'c2' }]]));
    expect(rig.requests.map(({ id }) => id)).toEqual(['c1', 'c2']);
  });

  it('tells only the outcomes of the channel’s own commands', async () => {
    const { port } = await startHub();
    const rig = await run({ port, ...credentials });
    await rig.isSubscribed();
    const events = await listen(port);
    await rig.end('a', { source: 'api' });
    await rig.end('b');
    await soon(() => expect(rig.status()).toMatchObject({ waiting: 0, delivered: 1 }));
    await soon(() => expect(events).toMatchObject([['outcome', { id: 'b' }]]));
  });

  it('answers with client events what it hears on the bus of the channel’s own commands', async () => {
    const { port } = await startHub({ clientEvents: true });
    const dashboard = await startDashboard(port);
    const rig = await run({ port, auth: { endpoint: dashboard.url, token: 't0ken' } });
    await rig.isSubscribed();
    const events = await listen(port);
    await rig.end('a', { source: 'api' });
    await rig.end('b');
    await soon(() => expect(events).toMatchObject([['client-outcome', { id: 'b', outcome: 'ok' }]]));
    expect([rig.uplink.queues, rig.uplink.outboxes]).toEqual([[], []]);
    await rig.uplink.stop();
    expect([rig.bus.hearers, rig.clock.waiting]).toEqual([0, 0]);
  });

  it('leaves nothing behind when stopped, twice', async () => {
    const { hub, port } = await startHub();
    const rig = await run({ port, ...credentials, events: ['report', 'presence'] });
    await rig.isSubscribed();
    await rig.uplink.stop();
    await rig.uplink.stop();
    await soon(() => expect(hub.connectionCount).toBe(0));
    expect([rig.bus.hearers, rig.clock.waiting, rig.uplink.phase]).toEqual([0, 0, 'stopped']);
  });

  it.each<[string, Partial<PusherUplinkOptions>, string]>([
    ['a channel that anyone may join', { ...credentials, channel: 'requests' }, 'pusher.channel'],
    ['a presence channel', { ...credentials, channel: 'presence-requests' }, 'pusher.channel'],
    ['nobody to sign', {}, 'pusher.auth'],
    ['half of the credentials', { appId: 'home', auth: { endpoint: 'https://x', token: 't' } }, 'pusher.appId'],
    ['an encrypted channel without its key', { ...credentials, channel: encrypted }, 'pusher.encryptionKey'],
    ['a key of the wrong length', { ...credentials, encryptionKey: new Uint8Array(31) }, 'pusher.encryptionKey'],
    ['a token that fits no header', { auth: { endpoint: 'https://x', token: 'a\nb' } }, 'pusher.auth.token'],
    ['an endpoint that is no URL', { auth: { endpoint: '/auth', token: 't' } }, 'pusher.auth.endpoint'],
    ['neither cluster nor host', { ...credentials, host: undefined }, 'cluster'],
  ])('refuses %s at the start', async (_, options, words) => {
    const refused = { code: 'config-invalid', message: expect.stringContaining(words) };
    await expect(run({ port: 1, ...options })).rejects.toMatchObject(refused);
  });
});

describe('outcomes of the channel’s commands', () => {
  /** An uplink at a server whose HTTP API answers so; nobody can subscribe there. */
  async function runAt(respond: Respond, given?: TestStore) {
    const receiver = await HttpReceiver.start({ respond });
    cleanUps.push(() => receiver.stop());
    const rig = await run({ port: receiver.port, ...credentials }, given);
    const told = (): string[] =>
      receiver.received
        .filter(({ path }) => path.startsWith('/apps/'))
        .map(({ body }) => JSON.parse(JSON.parse(body).data).id);
    return { ...rig, receiver, told };
  }

  const answering =
    (code: number, body: string): Respond =>
    (_, response) =>
      void response.writeHead(code).end(body);

  it('wait in the queue "pusher" where the secret to publish them is there', () => {
    const queuesOf = (options: Partial<PusherUplinkOptions>): readonly string[] =>
      new PusherUplink({ key: 'k', ...options }).queues;
    expect(queuesOf(credentials)).toEqual(['pusher']);
    expect(queuesOf({ ...credentials, events: ['report', 'outcome'] })).toEqual(['pusher']);
    expect(queuesOf({ ...credentials, events: ['report'] })).toEqual([]);
    expect(queuesOf({ auth: { endpoint: 'https://x', token: 't' } })).toEqual([]);
  });

  it('reach the channel in spite of a restart, with the same id, in order', async () => {
    const [file, remove] = temporaryStoreFile();
    cleanUps.push(remove);
    const { hub, port } = await startHub();
    await hub.stop();
    const first = await run({ port, ...credentials }, await openTestStore(file));
    for (const id of ['c1', 'c2', 'c3']) await first.end(id, { unit: 'lamp', reply: { of: id } });
    await soon(() => expect(first.status()).toMatchObject({ endpoint: 'pusher', state: 'failing', waiting: 3 }));
    await first.uplink.stop();
    await first.store.end();

    await startHub({}, port);
    const events = await listen(port);
    const next = await run({ port, ...credentials }, await openTestStore(file));
    expect(next.status()).toMatchObject({ state: 'failing', waiting: 3 });
    await next.clock.advance(1_000);
    await soon(() => expect(next.status()).toMatchObject({ state: 'working', waiting: 0, delivered: 3 }));
    const { at } = outcome('c1');
    await soon(() =>
      expect(events).toEqual(
        ['c1', 'c2', 'c3'].map((id) => [
          'outcome',
          { id, unit: 'lamp', command: 'setColor', outcome: 'ok', reply: { of: id }, at },
        ]),
      ),
    );
  });

  it('are tried more often in the first minutes than a webhook: somebody waits', async () => {
    const rig = await runAt(status(503));
    await rig.end('c1');
    for (const [index, waitMs] of [0, 1_000, 2_000, 5_000, 15_000].entries()) {
      if (waitMs > 0) {
        await rig.clock.advance(waitMs - 1);
        expect(rig.told().length).toBe(index);
        await rig.clock.advance(1);
      }
      await soon(() => expect(rig.told().length).toBe(index + 1));
      await soon(async () => {
        const { entries } = await rig.store.engine.queue('pusher').load();
        expect(entries[0]!.attempts).toBe(index + 1);
      });
    }
  });

  it.each([
    ['Pusher, with 401', status(401)],
    ['Pusher, with 403', status(403)],
    ['soketi, with 200 and the error in the body', answering(200, '{"error":"Unauthorized","code":401}')],
    ['a server that does not know the app', status(404)],
  ])('wait until the key or the clock is right where they are refused by %s', async (_, respond) => {
    const rig = await runAt(respond);
    await rig.end('c1');
    await soon(() => expect(rig.status()).toMatchObject({ state: 'failing', waiting: 1, dead: 0 }));
    rig.receiver.respond = answering(200, '{}');
    await rig.clock.advance(1_000);
    await soon(() => expect(rig.status()).toMatchObject({ state: 'working', waiting: 0, delivered: 1 }));
    expect(rig.told()).toEqual(['c1', 'c1']);
  });

  it.each([
    ['400', status(400)],
    ['413', status(413)],
    ['413 in the body', answering(200, '{"error":"too large","code":413}')],
  ])('that are refused themselves (%s) are dead letters, and hold nothing up', async (_, respond) => {
    const rig = await runAt(respond);
    await rig.end('c1', { unit: 'lamp' });
    await soon(() => expect(rig.status()).toMatchObject({ state: 'working', waiting: 0, dead: 1 }));
    rig.receiver.respond = answering(200, '{}');
    await rig.end('c2', { unit: 'lamp' });
    await soon(() => expect(rig.status()).toMatchObject({ waiting: 0, delivered: 1, dead: 1 }));
  });

  it('lose their reply where only that makes them too long, and are dead letters where that is not enough', async () => {
    const rig = await runAt(answering(200, '{}'));
    await rig.end('c1', { reply: { text: 'x'.repeat(10_000) } });
    await rig.end('c2', { reason: 'x'.repeat(10_000) });
    await soon(() => expect(rig.status()).toMatchObject({ waiting: 0, delivered: 1, dead: 1 }));
    expect(rig.told()).toEqual(['c1']);
    const letters = await rig.uplink.outboxes[0]!.deadLetters(0, 10);
    expect(letters).toMatchObject([{ id: 'c2', reason: 'it is too long for the channel' }]);
  });

  it('of commands that were never accepted are told live where the disk does not take them', async () => {
    const rig = await runAt(answering(200, '{}'));
    rig.store.disk.isFull = true;
    await expect(rig.end('c1')).rejects.toMatchObject({ code: 'store-failed' });
    await soon(() => expect(rig.told()).toEqual(['c1']));
    expect(rig.status()).toMatchObject({ waiting: 0, delivered: 0, dead: 0 });
  });

  it('of accepted commands are not: the mailbox offers them again, and there is one outcome', async () => {
    const rig = await runAt(answering(200, '{}'));
    rig.store.disk.isFull = true;
    const ended = { ...outcome('c1'), source: 'pusher' };
    const record = () => rig.store.journal.record(ended, [{ kind: 'outcome', ordinal: 1, outcome: ended }]);
    for (let again = 0; again < 3; again += 1) await expect(record()).rejects.toMatchObject({ code: 'store-failed' });
    rig.store.disk.isFull = false;
    await record();
    await soon(() => expect(rig.status()).toMatchObject({ waiting: 0, delivered: 1 }));
    expect(rig.told()).toEqual(['c1']);
  });

  it('that are being sent when the uplink stops are sent again by the next run', async () => {
    const [file, remove] = temporaryStoreFile();
    cleanUps.push(remove);
    const first = await runAt(() => {}, await openTestStore(file));
    await first.end('c1');
    await soon(() => expect(first.told()).toEqual(['c1']));
    const stopping = first.uplink.stop();
    await first.clock.advance(2_000);
    await stopping;
    expect(first.clock.waiting).toBe(0);
    await first.store.end();
    const next = await runAt(answering(200, '{}'), await openTestStore(file));
    await soon(() => expect(next.told()).toEqual(['c1']));
    await soon(() => expect(next.status()).toMatchObject({ state: 'working', waiting: 0, delivered: 1 }));
  });
});
