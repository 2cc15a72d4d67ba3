import Pusher from 'pusher';
import { afterEach, describe, expect, it } from 'vitest';
import { createAgent, MAX_ANSWER_OCTETS } from '../../../base/links/http-exchange.js';
import {
  AUTHORISE_TIMEOUT_MS,
  type Authorise,
  httpAuthoriser,
  localAuthoriser,
} from '../../../base/uplinks/pusher/channel-authoriser.js';
import { ManualClock } from '../../support/manual-clock.js';
import { HttpReceiver, type Respond, status } from './http-receiver.js';
import { soon } from './soon.js';

const channel = 'private-requests';
const encrypted = 'private-encrypted-requests';
const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function ask(respond: Respond, name = channel) {
  const receiver = await HttpReceiver.start({ respond });
  const agent = createAgent({ ca: undefined, connections: 1 });
  cleanUps.push(
    () => receiver.stop(),
    () => agent.destroy(),
  );
  const clock = new ManualClock();
  const stop = new AbortController();
  const authorise: Authorise = httpAuthoriser({
    endpoint: `${receiver.url}/api/broadcasting/auth`,
    token: 't0ken',
    agent,
    clock,
  });
  const answer = authorise('123.456', name, stop.signal);
  answer.catch(() => {});
  return { receiver, clock, answer, stop };
}

const json =
  (body: unknown): Respond =>
  (_, response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));

/** An answer of exactly so many octets. */
const ofOctets = (octets: number): object => {
  const empty = { auth: 'key:sig', padding: '' };
  return { ...empty, padding: 'x'.repeat(octets - JSON.stringify(empty).length) };
};

describe('authorisation by the central', () => {
  it('is asked for as the original does', async () => {
    const { receiver, answer } = await ask(json({ auth: 'key:sig', channel_data: null, extra: 1 }));
    expect(await answer).toEqual({ auth: 'key:sig' });
    expect(receiver.received).toMatchObject([
      {
        method: 'POST',
        path: '/api/broadcasting/auth',
        body: 'socket_id=123.456&channel_name=private-requests',
        headers: { authorization: 'Bearer t0ken', 'content-type': 'application/x-www-form-urlencoded' },
      },
    ]);
  });

  it('is read up to 64 KiB', async () => {
    const { answer } = await ask(json(ofOctets(MAX_ANSWER_OCTETS)));
    expect(await answer).toEqual({ auth: 'key:sig' });
  });

  it.each([401, 403])('is refused for good by %i', async (code) => {
    const { answer } = await ask(status(code));
    await expect(answer).rejects.toMatchObject({ code: 'uplink-unauthorised' });
  });

  it.each<[string, Respond]>([
    ['500', status(500)],
    ['204', status(204)],
    ['no JSON', (_, response) => void response.end('<html>')],
    ['JSON without auth', json({ ok: true })],
    ['JSON that is no object', json(null)],
    ['an auth past its bound', json({ auth: 'x'.repeat(1_025) })],
    ['more than 64 KiB', json(ofOctets(MAX_ANSWER_OCTETS + 1))],
  ])('is of no use with %s', async (_, respond) => {
    const { answer } = await ask(respond);
    await expect(answer).rejects.toMatchObject({ code: 'uplink-refused' });
  });

  it('does not take the token along a redirect, nor fall over one that leads nowhere', async () => {
    const other = await HttpReceiver.start();
    cleanUps.push(() => other.stop());
    for (const headers of [{ location: other.url }, {}]) {
      const { answer } = await ask(status(302, headers as Record<string, string>));
      await expect(answer).rejects.toMatchObject({
        code: 'uplink-refused',
        message: expect.stringContaining('redirect'),
      });
    }
    expect(other.received).toEqual([]);
  });

  it.each<[string, Respond]>([
    ['never answers', () => {}],
    ['never ends its answer', (_, response) => void response.writeHead(200).write('{')],
  ])('is given up after 10 s when the endpoint %s', async (_, respond) => {
    const { receiver, clock, answer } = await ask(respond);
    await soon(() => expect(receiver.received.length).toBe(1));
    let isOver = false;
    answer.catch(() => {
      isOver = true;
    });
    await clock.advance(AUTHORISE_TIMEOUT_MS - 1);
    expect(isOver).toBe(false);
    await clock.advance(1);
    await expect(answer).rejects.toMatchObject({ code: 'uplink-unreachable' });
  });

  it('ends at once when the base stops, and leaves no timer', async () => {
    const { receiver, clock, answer, stop } = await ask(() => {});
    await soon(() => expect(receiver.received.length).toBe(1));
    stop.abort();
    await expect(answer).rejects.toMatchObject({ code: 'uplink-unreachable' });
    expect(clock.waiting).toBe(0);
  });

  it('needs a shared secret of 32 octets for an encrypted channel', async () => {
    const secretOf = (octets: number): string => Buffer.alloc(octets, 1).toString('base64');
    const right = { auth: 'key:sig', shared_secret: secretOf(32) };
    expect(await (await ask(json(right), encrypted)).answer).toEqual(right);
    for (const shared_secret of [undefined, secretOf(31), secretOf(33), '*'])
      await expect((await ask(json({ auth: 'key:sig', shared_secret }), encrypted)).answer).rejects.toMatchObject({
        code: 'uplink-refused',
      });
  });
});

describe('authorisation by the base itself', () => {
  // the vector of reference/pusher.md, 1.3
  const server = new Pusher({
    appId: '3',
    key: '278d425bdf160c739803',
    secret: '7ad3773142a6692b25b8',
    host: 'localhost',
  });

  it('signs as the vector does', async () => {
    const { auth } = await localAuthoriser(server)('1234.1234', 'private-foobar', new AbortController().signal);
    expect(auth).toBe('278d425bdf160c739803:58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4');
  });

  it('refuses a socket id that is none', async () => {
    const signing = localAuthoriser(server)(undefined as unknown as string, channel, new AbortController().signal);
    await expect(signing).rejects.toMatchObject({ code: 'uplink-refused' });
  });
});
