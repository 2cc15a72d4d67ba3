import { afterEach, describe, expect, it } from 'vitest';
import { deferred } from '../../../base/core/deferred.js';
import type { Authorise } from '../../../base/uplinks/pusher/channel-authoriser.js';
import { Pusher } from '../../../base/uplinks/pusher/pusher-client.js';
import {
  NOT_CONNECTED_MS,
  REKEY_SPACING_MS,
  STABLE_MS,
  SUBSCRIBE_TIMEOUT_MS,
  Subscriber,
} from '../../../base/uplinks/pusher/subscriber.js';
import { RelayError } from '../../../protocol/errors.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { QuietLog } from '../../support/quiet-log.js';
import { fixedRandom } from './fixed-random.js';
import { type Script, ScriptedHub } from './scripted-hub.js';
import { soon } from './soon.js';

const channel = 'private-requests';
const FIVE_MIN = 300_000;
const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function startHub(script: Script = {}): Promise<ScriptedHub> {
  const hub = await ScriptedHub.start(script);
  cleanUps.push(() => hub.stop());
  return hub;
}

/** A subscriber of that hub; `authorise` signs anything unless told otherwise. */
function subscribe(hub: { port: number }, options: { authorise?: Authorise; channel?: string } = {}) {
  const clock = new ManualClock();
  const log = new QuietLog();
  const events: [string, unknown][] = [];
  const refusedClientEvents: string[] = [];
  const rig = { clock, log, events, refusedClientEvents, onEvent: (_name: string): void => {} };
  const subscriber = new Subscriber({
    options: { key: 'key', host: '127.0.0.1', port: hub.port, tls: false, channel: options.channel ?? channel },
    authorise: options.authorise ?? (async (socketId) => ({ auth: `key:${socketId}` })),
    clock,
    random: fixedRandom(0.5),
    log,
    onEvent: (name, data) => {
      events.push([name, data]);
      rig.onEvent(name);
    },
    onSubscribed: () => {},
    onClientEventRefused: (reason) => void refusedClientEvents.push(reason),
  });
  cleanUps.push(() => subscriber.stop());
  subscriber.start();
  const isSubscribed = (): Promise<void> => soon(() => expect(subscriber.phase).toBe('subscribed'));
  const isWaiting = (): Promise<void> => soon(() => expect(subscriber.phase).toBe('waiting'));
  const said = (level: string): string[] =>
    log.lines.filter((line) => line.level === level).map(({ message }) => message);
  return Object.assign(rig, { subscriber, isSubscribed, isWaiting, said });
}

describe('a subscriber', () => {
  it('subscribes with the authorisation of its socket, and hands over what is not of the protocol', async () => {
    const hub = await startHub();
    const rig = subscribe(hub);
    await rig.isSubscribed();
    expect(hub.frames('pusher:subscribe').map(({ data }) => data)).toEqual([
      { auth: `key:${hub.last.socketId}`, channel },
    ]);
    expect(rig.subscriber.socketId).toBe(hub.last.socketId);
    hub.last.send('update.request', '{"ip":"10.0.0.1","payload":"red"}', channel);
    hub.last.send('odd', '123', channel);
    hub.last.send('elsewhere', '{}', 'private-other');
    hub.last.send('pusher:something', '{}', channel);
    hub.last.send('last', '{}', channel);
    await soon(() => expect(rig.events.at(-1)?.[0]).toBe('last'));
    expect(rig.events.slice(0, -1)).toEqual([
      ['update.request', { ip: '10.0.0.1', payload: 'red' }],
      ['odd', 123],
    ]);
  });

  it('connects anew with its own back-off when the server refuses the subscription, stuck in the library or not', async () => {
    const hub = await startHub({
      subscribe: (connection, name) => {
        if (connection.index === 0)
          connection.send('pusher:subscription_error', { type: 'LimitReached', error: 'too many', status: 500 }, name);
        else connection.send('pusher_internal:subscription_succeeded', '{}', name);
      },
    });
    const rig = subscribe(hub);
    await rig.isWaiting();
    await rig.clock.advance(499);
    expect(hub.connections.length).toBe(1);
    await rig.clock.advance(1);
    await rig.isSubscribed();
    expect(hub.connections.length).toBe(2);
  });

  it.each([
    [
      'soketi',
      'pusher:subscription_error',
      { type: 'AuthError', error: 'The connection is unauthorized.', status: 401 },
      channel,
    ],
    ['Reverb', 'pusher:error', { code: 4009, message: 'Connection is unauthorized' }, undefined],
    [
      'Pusher',
      'pusher:error',
      { code: null, message: 'Invalid signature: Expected HMAC SHA256 hex digest of x' },
      undefined,
    ],
  ])(
    'waits 5 min, without a connection, when %s says that the signature is wrong',
    async (_, event, data, onChannel) => {
      const hub = await startHub({
        subscribe: (connection, name) => {
          if (connection.index < 2) connection.send(event, data, onChannel);
          else connection.send('pusher_internal:subscription_succeeded', '{}', name);
        },
      });
      const rig = subscribe(hub);
      await rig.isWaiting();
      await soon(() => expect(hub.open).toBe(0));
      await rig.clock.advance(FIVE_MIN - 1);
      expect(hub.connections.length).toBe(1);
      await rig.clock.advance(1);
      await soon(() => expect(hub.frames('pusher:subscribe').length).toBe(2));
      await rig.isWaiting();
      await rig.clock.advance(FIVE_MIN);
      await rig.isSubscribed();
      expect(rig.said('warn').length).toBe(1);
      expect(rig.said('warn')[0]).toContain('pusher.auth');
    },
  );

  it('makes a subscription again that gets no answer', async () => {
    const hub = await startHub({
      subscribe: (connection, name) => {
        if (connection.index > 0) connection.send('pusher_internal:subscription_succeeded', '{}', name);
      },
    });
    const rig = subscribe(hub);
    await soon(() => expect(hub.frames('pusher:subscribe').length).toBe(1));
    await rig.clock.advance(SUBSCRIBE_TIMEOUT_MS - 1);
    expect(rig.subscriber.phase).toBe('subscribing');
    await rig.clock.advance(1);
    expect(rig.subscriber.phase).toBe('waiting');
    await rig.clock.advance(500);
    await rig.isSubscribed();
  });

  it('asks again on the same connection when the authoriser fails for a moment, with a growing wait', async () => {
    const hub = await startHub();
    let asked = 0;
    const rig = subscribe(hub, {
      authorise: async () => {
        asked += 1;
        if (asked < 4) throw new RelayError('uplink-refused', 'the authorisation endpoint answered 500');
        return { auth: 'key:sig' };
      },
    });
    for (const [index, delayMs] of [500, 1_000, 2_000].entries()) {
      await soon(() => expect(asked).toBe(index + 1));
      await rig.isWaiting();
      await rig.clock.advance(delayMs - 1);
      expect(asked).toBe(index + 1);
      await rig.clock.advance(1);
    }
    await rig.isSubscribed();
    expect(hub.connections.length).toBe(1);
    expect(rig.said('warn').length).toBe(1);
  });

  it('waits 5 min when the authoriser refuses', async () => {
    const hub = await startHub();
    let asked = 0;
    const rig = subscribe(hub, {
      authorise: async () => {
        asked += 1;
        if (asked === 1) throw new RelayError('uplink-unauthorised', 'the authorisation endpoint answered 401');
        return { auth: 'key:sig' };
      },
    });
    await rig.isWaiting();
    await rig.clock.advance(FIVE_MIN - 1);
    expect(asked).toBe(1);
    await rig.clock.advance(1);
    await rig.isSubscribed();
  });

  it('drops an authorisation that comes after its socket is gone', async () => {
    const hub = await startHub({ subscribe: () => {} });
    const answers = [deferred<{ auth: string }>(), deferred<{ auth: string }>()];
    const asked: string[] = [];
    const rig = subscribe(hub, {
      authorise: (socketId) => {
        asked.push(socketId);
        return answers[asked.length - 1]!.promise;
      },
    });
    await soon(() => expect(asked.length).toBe(1));
    await rig.clock.advance(SUBSCRIBE_TIMEOUT_MS);
    await rig.clock.advance(500);
    await soon(() => expect(asked.length).toBe(2));
    answers[0]!.resolve({ auth: 'key:old' });
    await settle();
    answers[1]!.resolve({ auth: 'key:new' });
    await soon(() => expect(hub.frames('pusher:subscribe').map(({ data }) => data?.auth)).toEqual(['key:new']));
  });

  it.each([
    [4001, 'pusher.key'],
    [4004, 'quota'],
    [4301, 'log'],
  ])('waits 5 min after close code %i, and says once what to do', async (code, advice) => {
    const hub = await startHub({ connected: ({ socket }) => socket.close(code, 'no') });
    const rig = subscribe(hub);
    await rig.isWaiting();
    expect(rig.said('error')).toEqual([expect.stringContaining(advice)]);
    await rig.clock.advance(FIVE_MIN - 1);
    expect(hub.connections.length).toBe(1);
    await rig.clock.advance(1);
    await soon(() => expect(hub.connections.length).toBe(2));
    await rig.isWaiting();
    expect(rig.said('error').length).toBe(1);
    hub.script = {};
    await rig.clock.advance(FIVE_MIN);
    await rig.isSubscribed();
  });

  it('comes back 5 min after being closed as unauthorised while subscribed', async () => {
    const hub = await startHub();
    const rig = subscribe(hub);
    await rig.isSubscribed();
    hub.last.socket.close(4009, 'terminated');
    await rig.isWaiting();
    await rig.clock.advance(FIVE_MIN);
    await rig.isSubscribed();
    expect(hub.connections.length).toBe(2);
  });

  it('does not storm a server that refuses with 4200, for which the library has no delay', async () => {
    const hub = await startHub({ connected: ({ socket }) => socket.close(4200, 'draining') });
    const rig = subscribe(hub);
    for (const [index, delayMs] of [500, 1_000, 2_000, 4_000].entries()) {
      await soon(() => expect(hub.connections.length).toBe(index + 1));
      await rig.isWaiting();
      await soon(() => expect(hub.open).toBe(0));
      await rig.clock.advance(delayMs - 1);
      expect(hub.connections.length).toBe(index + 1);
      await rig.clock.advance(1);
    }
    hub.script = {};
    await soon(() => expect(hub.connections.length).toBe(5));
  });

  it('follows a server to TLS when that closes with 4000, and says so once', async () => {
    const hub = await startHub({ connected: ({ socket }) => socket.close(4000, 'TLS only') });
    const rig = subscribe(hub);
    await soon(() => expect(rig.said('warn')).toEqual([expect.stringContaining('pusher.tls')]));
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await rig.clock.advance(NOT_CONNECTED_MS + 60_000);
      await settle(20);
    }
    // the attempts over TLS never become WebSockets on this plain server
    expect(hub.connections.length).toBe(1);
    expect(rig.said('warn').filter((message) => message.includes('pusher.tls')).length).toBe(1);
  });

  it('tries anew 3 s and its back-off after a server that is silent', async () => {
    const hub = await startHub({ connected: () => {} });
    const rig = subscribe(hub);
    await soon(() => expect(hub.connections.length).toBe(1));
    await rig.clock.advance(NOT_CONNECTED_MS + 499);
    expect(hub.connections.length).toBe(1);
    await rig.clock.advance(1);
    await soon(() => expect(hub.connections.length).toBe(2));
    hub.script = {};
    await rig.clock.advance(NOT_CONNECTED_MS + 1_000);
    await rig.isSubscribed();
  });

  it('starts its back-off over only after a minute of being subscribed', async () => {
    const hub = await startHub();
    const rig = subscribe(hub);
    const loseAndWait = async (delayMs: number): Promise<void> => {
      await rig.isSubscribed();
      const before = hub.connections.length;
      hub.last.socket.close(4100, 'busy');
      await rig.isWaiting();
      await rig.clock.advance(delayMs - 1);
      expect(hub.connections.length).toBe(before);
      await rig.clock.advance(1);
      await soon(() => expect(hub.connections.length).toBe(before + 1));
    };
    await loseAndWait(500);
    await loseAndWait(1_000);
    await rig.isSubscribed();
    await rig.clock.advance(STABLE_MS);
    await loseAndWait(500);
  });

  it('tells of a refused client event and stays', async () => {
    const hub = await startHub();
    const rig = subscribe(hub);
    await rig.isSubscribed();
    expect(rig.subscriber.triggerClientEvent('client-outcome', { id: '1' })).toBe(true);
    await soon(() => expect(hub.frames('client-outcome').length).toBe(1));
    hub.last.send('pusher:error', { code: 4301, message: 'client events are off' }, channel);
    await soon(() => expect(rig.refusedClientEvents).toEqual(['client events are off']));
    expect(rig.subscriber.phase).toBe('subscribed');
  });

  it('survives its own handlers and every frame that makes the library throw', async () => {
    const hub = await startHub();
    const rig = subscribe(hub);
    rig.onEvent = (name) => {
      if (name === 'boom') throw new Error('ours');
    };
    await rig.isSubscribed();
    const raw = [
      'null',
      '5',
      '[]',
      '{}',
      '{"event":5}',
      'not JSON',
      '{"event":"pusher_internal:watchlist_events"}',
      '{"event":"pusher:signin_success"}',
      '{"event":"pusher:error"}',
      '{"event":"pusher:error","data":{"code":"x","message":5}}',
      `{"event":"pusher_internal:subscription_count","channel":"${channel}"}`,
      '{"event":"x","channel":"__proto__"}',
      '{"event":"x","channel":"constructor"}',
    ];
    for (const text of raw) hub.last.socket.send(text);
    hub.last.send('boom', '{}', channel);
    hub.last.send('after', '{}', channel);
    await soon(() => expect(rig.events.map(([name]) => name)).toEqual(['boom', 'after']));
    expect(rig.subscriber.phase).toBe('subscribed');
    expect(rig.log.lines.filter(({ fields }) => fields.kind === 'fault').length).toBe(1);
  });

  it.each([
    '{"event":"pusher:error","data":{"code":null,"message":"no"}}',
    '{"event":"pusher:error"}',
    '{"event":"pusher:connection_established","data":"{\\"socket_id\\":\\"1.1\\"}"}',
    '{"event":"pusher:connection_established"}',
    '{"event":"surprise"}',
    'not JSON',
  ])('survives %s as the first frame', async (text) => {
    const hub = await startHub({ connected: ({ socket }) => socket.send(text) });
    const rig = subscribe(hub);
    await soon(() => expect(hub.connections.length).toBeGreaterThan(0));
    await settle(20);
    hub.script = {};
    await soon(async () => {
      await rig.clock.advance(NOT_CONNECTED_MS + 60_000);
      await settle(20);
      expect(rig.subscriber.phase).toBe('subscribed');
    });
  });

  it('survives encrypted events that are none, and does not ask for the key at each', async () => {
    const encrypted = 'private-encrypted-requests';
    const hub = await startHub();
    let asked = 0;
    const rig = subscribe(hub, {
      channel: encrypted,
      authorise: async () => {
        asked += 1;
        return { auth: 'key:sig', shared_secret: Buffer.alloc(32, asked).toString('base64') };
      },
    });
    await rig.isSubscribed();
    for (const data of [undefined, 'null', '5', '{"ciphertext":"*","nonce":"*"}', '{"ciphertext":5,"nonce":5}'])
      hub.last.send('command', data, encrypted);
    const undecipherable = JSON.stringify({
      nonce: Buffer.alloc(24).toString('base64'),
      ciphertext: Buffer.alloc(40).toString('base64'),
    });
    for (let count = 0; count < 10; count += 1) hub.last.send('command', undecipherable, encrypted);
    await soon(() => expect(asked).toBe(2));
    await settle(20);
    await rig.clock.advance(REKEY_SPACING_MS);
    expect(asked).toBe(2);
    hub.last.send('command', undecipherable, encrypted);
    await soon(() => expect(asked).toBe(3));
    expect([rig.events, rig.subscriber.phase]).toEqual([[], 'subscribed']);
    expect(rig.subscriber.triggerClientEvent('client-outcome', {})).toBe(false);
  });

  it('does not ping without end because a server asks for it', async () => {
    const hub = await startHub({ connected: (connection) => connection.establish(0.001) });
    const rig = subscribe(hub);
    await rig.isSubscribed();
    hub.last.send('one', '{}', channel);
    await soon(() => expect(rig.events.length).toBe(1));
    await settle(200);
    expect(hub.pings).toBeLessThanOrEqual(1);
  });

  it('leaves no timer, no connection and no instance behind when stopped, twice', async () => {
    const hub = await startHub();
    const before = Pusher.instances.length;
    const rig = subscribe(hub);
    await rig.isSubscribed();
    expect(Pusher.instances.length).toBe(before + 1);
    rig.subscriber.stop();
    rig.subscriber.stop();
    await soon(() => expect(hub.open).toBe(0));
    expect([rig.clock.waiting, Pusher.instances.length]).toEqual([0, before]);
    await rig.clock.advance(FIVE_MIN);
    expect(hub.connections.length).toBe(1);
  });

  it('may be stopped while the authoriser is asked', async () => {
    const hub = await startHub();
    let signal: AbortSignal | undefined;
    const answer = deferred<{ auth: string }>();
    const rig = subscribe(hub, {
      authorise: (_socketId, _channel, given) => {
        signal = given;
        return answer.promise;
      },
    });
    await soon(() => expect(signal).toBeDefined());
    rig.subscriber.stop();
    expect(signal!.aborted).toBe(true);
    answer.resolve({ auth: 'key:late' });
    await settle();
    expect(hub.frames('pusher:subscribe')).toEqual([]);
  });
});
