import type { LookupAddress } from 'node:dns';
import { connect, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guardedLookup, type Resolve } from '../../../base/links/guarded-lookup.js';

const option = 'webhooks[0].allowPrivate';
const addressOf = (address: string): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 });

/** Answers with these addresses, the next of the lists each time, and counts. */
function resolver(...answers: readonly (readonly string[])[]) {
  const asked: string[] = [];
  const resolve: Resolve = async (hostname) => {
    asked.push(hostname);
    return answers[Math.min(asked.length, answers.length) - 1]!.map(addressOf);
  };
  return { asked, resolve };
}

type Lookup = ReturnType<typeof guardedLookup>;

/** What a socket gets that asks for all addresses. */
function lookUpAll(lookup: Lookup, hostname: string): Promise<unknown> {
  return new Promise((done, fail) =>
    lookup(hostname, { all: true }, (error, all) => (error ? fail(error) : done(all))),
  );
}

/** What a socket gets that asks for one. */
function lookUpOne(lookup: Lookup, hostname: string): Promise<unknown> {
  return new Promise((done, fail) =>
    lookup(hostname, {}, (error, address, family) => (error ? fail(error) : done([address, family]))),
  );
}

const refusal = (address: string) => ({
  name: 'RelayError',
  code: 'uplink-unreachable',
  message: `hook.example resolves to ${address}, a private address; set ${option} if that is meant`,
});

describe('a guarded lookup', () => {
  it('hands out all public addresses, or the first, as the socket asks', async () => {
    const { resolve, asked } = resolver(['2606:4700::1111', '1.1.1.1']);
    const lookup = guardedLookup({ option, resolve });
    expect(await lookUpAll(lookup, 'hook.example')).toEqual([addressOf('2606:4700::1111'), addressOf('1.1.1.1')]);
    expect(await lookUpOne(lookup, 'hook.example')).toEqual(['2606:4700::1111', 6]);
    expect(asked).toEqual(['hook.example', 'hook.example']);
  });

  it.each([
    [['10.0.0.5'], '10.0.0.5'],
    [['1.1.1.1', '192.168.1.5'], '192.168.1.5'],
    [['::1', '1.1.1.1'], '::1'],
    [['1.1.1.1', '1.0.0.1', '::ffff:127.0.0.1'], '::ffff:127.0.0.1'],
    [['fe80::1%eth0'], 'fe80::1%eth0'],
  ])('refuses %j whole, in both forms', async (addresses, named) => {
    const lookup = guardedLookup({ option, resolve: resolver(addresses).resolve });
    await expect(lookUpAll(lookup, 'hook.example')).rejects.toMatchObject(refusal(named));
    await expect(lookUpOne(lookup, 'hook.example')).rejects.toMatchObject(refusal(named));
  });

  it('judges anew for each connection: a name that turns inward is refused from then on', async () => {
    const lookup = guardedLookup({ option, resolve: resolver(['1.1.1.1'], ['127.0.0.1']).resolve });
    expect(await lookUpAll(lookup, 'hook.example')).toEqual([addressOf('1.1.1.1')]);
    await expect(lookUpAll(lookup, 'hook.example')).rejects.toMatchObject(refusal('127.0.0.1'));
  });

  it('lets private addresses pass where the configuration allows them', async () => {
    const { resolve } = resolver(['10.0.0.5', '1.1.1.1']);
    const lookup = guardedLookup({ option, resolve, allowPrivate: true });
    expect(await lookUpAll(lookup, 'hook.example')).toEqual([addressOf('10.0.0.5'), addressOf('1.1.1.1')]);
  });

  it('takes localhost as written, and no name that only looks like it', async () => {
    const lookup = guardedLookup({ option, resolve: resolver(['127.0.0.1']).resolve });
    expect(await lookUpOne(lookup, 'localhost')).toEqual(['127.0.0.1', 4]);
    for (const name of ['localhost.example', 'a.localhost', 'localhost.localdomain'])
      await expect(lookUpOne(lookup, name), name).rejects.toMatchObject({ code: 'uplink-unreachable' });
  });

  it('fails as the resolver fails, and when a name has no address', async () => {
    const missing = Object.assign(new Error('getaddrinfo ENOTFOUND hook.example'), { code: 'ENOTFOUND' });
    const failing = guardedLookup({ option, resolve: () => Promise.reject(missing) });
    await expect(lookUpAll(failing, 'hook.example')).rejects.toBe(missing);
    const empty = guardedLookup({ option, resolve: resolver([]).resolve, allowPrivate: true });
    await expect(lookUpAll(empty, 'hook.example')).rejects.toMatchObject({
      code: 'uplink-unreachable',
      message: 'hook.example has no address',
    });
  });

  it('asks the system when no resolver is given', async () => {
    const all = (await lookUpAll(guardedLookup({ option }), 'localhost')) as LookupAddress[];
    expect(all.map(({ address }) => address)).toSatisfy((found: string[]) =>
      found.every((address) => ['127.0.0.1', '::1'].includes(address)),
    );
    expect(all.length).toBeGreaterThan(0);
  });
});

describe('a socket with a guarded lookup', () => {
  let server: Server;
  let port: number;

  beforeEach(async () => {
    server = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as { port: number });
  });

  afterEach(() => new Promise((resolve) => server.close(resolve)));

  /** Where a socket ends up; rejects when nowhere. */
  function reach(host: string, lookup: Lookup, autoSelectFamily: boolean): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, lookup, autoSelectFamily });
      socket.on('error', reject);
      socket.on('connect', () => {
        const { remoteAddress } = socket;
        socket.destroy();
        resolve(remoteAddress);
      });
    });
  }

  it.each([true, false])('connects to what was resolved, once (autoSelectFamily %s)', async (autoSelectFamily) => {
    const { resolve, asked } = resolver(['127.0.0.1']);
    const lookup = guardedLookup({ option, resolve, allowPrivate: true });
    expect(await reach('hook.example', lookup, autoSelectFamily)).toBe('127.0.0.1');
    expect(asked).toEqual(['hook.example']);
  });

  it('tries one address after the other, where nobody listens at the first', async () => {
    const { resolve, asked } = resolver(['::1', '127.0.0.1']);
    const lookup = guardedLookup({ option, resolve, allowPrivate: true });
    expect(await reach('hook.example', lookup, true)).toBe('127.0.0.1');
    expect(asked).toEqual(['hook.example']);
  });

  it.each([true, false])('goes nowhere when refused (autoSelectFamily %s)', async (autoSelectFamily) => {
    let connections = 0;
    server.on('connection', () => {
      connections += 1;
    });
    const lookup = guardedLookup({ option, resolve: resolver(['127.0.0.1', '1.1.1.1']).resolve });
    await expect(reach('hook.example', lookup, autoSelectFamily)).rejects.toMatchObject(refusal('127.0.0.1'));
    expect(connections).toBe(0);
  });

  it('does not ask for a literal address: the configuration names it itself', async () => {
    const { resolve, asked } = resolver(['1.1.1.1']);
    expect(await reach('127.0.0.1', guardedLookup({ option, resolve }), true)).toBe('127.0.0.1');
    expect(asked).toEqual([]);
  });
});
