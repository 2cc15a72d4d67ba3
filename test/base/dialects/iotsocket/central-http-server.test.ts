import { once } from 'node:events';
import { type Agent, Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { createServer } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Deferred, deferred } from '../../../../base/core/deferred.js';
import { type AccessEntry, AccessListRefused } from '../../../../base/dialects/iotsocket/access-entry.js';
import {
  CentralHttpServer,
  type CentralHttpServerOptions,
} from '../../../../base/dialects/iotsocket/central-http-server.js';
import { defaultIotsocketLimits } from '../../../../base/dialects/iotsocket/iotsocket-limits.js';
import type { OwnAnswer, OwnRequest } from '../../../../base/dialects/iotsocket/own-request.js';
import { defaultHttpBounds } from '../../../../base/links/http-bounds.js';
import { REFUSED_BODY_OCTETS } from '../../../../base/links/http-errors.js';
import type { HttpCertificates } from '../../../../base/links/http-listener.js';
import { payloadFormats } from '../../../../protocol/iotsocket/transmission.js';
import { ManualClock, settle } from '../../../support/manual-clock.js';
import { QuietLog } from '../../../support/quiet-log.js';
import { RawClient } from '../../api/running-api.js';
import { makeCertificates } from '../../uplinks/certificates.js';
import { soon } from '../../uplinks/soon.js';

const key = Uint8Array.from({ length: 16 }, (_, index) => index * 16 + 10);
const hex = Buffer.from(key).toString('hex');
const bearer = { authorization: `Bearer ${hex}` };
const head = `Host: x\r\nAuthorization: Bearer ${hex}\r\n`;
const json = { 'content-type': 'application/json' };
const octets = (text: string): Uint8Array => new TextEncoder().encode(text);
const answer = (code: number, format: number, data: string | Uint8Array): OwnAnswer => ({
  code,
  payload: { format, options: 0, data: typeof data === 'string' ? octets(data) : data },
});
const { ascii, binary, utf8 } = payloadFormats;
const nothing = (code: number): OwnAnswer => answer(code, binary, '');
const asked = { UID: 'ObjTest', Payload: 'BONJOUR', Format: 'UTF8' };

interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

async function start(given: Partial<CentralHttpServerOptions> = {}) {
  const [clock, log] = [new ManualClock(), new QuietLog()];
  const requests: OwnRequest[] = [];
  const lists: (readonly AccessEntry[])[] = [];
  const objects = { answer: async (_: OwnRequest): Promise<OwnAnswer> => answer(0, utf8, 'AU REVOIR') };
  const list = { replace: async (): Promise<void> => {} };
  const server = new CentralHttpServer({
    listen: { host: '127.0.0.1', port: 0 },
    key,
    certificates: undefined,
    ask: (request) => {
      requests.push(request);
      return objects.answer(request);
    },
    replaceAccessList: (entries, source) => {
      expect(source).toBe('http');
      lists.push(entries);
      return list.replace();
    },
    requestTimeoutMs: 10_000,
    limits: defaultIotsocketLimits,
    clock,
    log,
    ...given,
  });
  onTestFinished(() => server.stop());
  const { port } = await server.start();
  const call = async (path: string, init: RequestInit = {}): Promise<Answered> => {
    const headers = { ...bearer, ...(init.headers as Record<string, string> | undefined) };
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', ...init, headers });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  const post = (path: string, body: unknown, headers: Record<string, string> = json): Promise<Answered> =>
    call(path, {
      body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
      headers,
    });
  return { server, port, clock, log, requests, lists, objects, list, call, post };
}

const errorOf = ({ text }: Answered): string => JSON.parse(text).error;

/** Objects that answer when the test says so; a withdrawn request is answered as the router does. */
function silent(objects: { answer: (request: OwnRequest) => Promise<OwnAnswer> }): Deferred<OwnAnswer>[] {
  const waiting: Deferred<OwnAnswer>[] = [];
  objects.answer = ({ signal }) => {
    const one = deferred<OwnAnswer>();
    waiting.push(one);
    signal?.addEventListener('abort', () => one.resolve(nothing(0xa1)));
    return one.promise;
  };
  return waiting;
}

const rawPost = (path: string, body: string, more = ''): string =>
  `POST ${path} HTTP/1.1\r\n${head}${more}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

describe('starting', () => {
  it('at a port that is taken is refused with what to do', async () => {
    const { port } = await start();
    await expect(start({ listen: { host: '127.0.0.1', port } })).rejects.toMatchObject({
      code: 'port-in-use',
      message: expect.stringContaining(`iotsocket.http 127.0.0.1:${port} is in use`),
    });
  });

  it('at an address of another machine is refused', async () => {
    // TEST-NET-3 (RFC 5737): nobody has it.
    await expect(start({ listen: { host: '203.0.113.1', port: 0 } })).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining('no address of this machine'),
    });
  });

  it('with a certificate that is none is refused', async () => {
    const certificates = { pem: { cert: 'x', key: 'y' }, onChange: () => () => {} };
    await expect(start({ certificates })).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining('iotsocket.tls'),
    });
  });

  it('in clear, to be reached by other machines, is said', async () => {
    const said = ({ log }: { log: QuietLog }) => log.lines.filter(({ message }) => message.includes('in clear')).length;
    expect(said(await start())).toBe(0);
    expect(said(await start({ listen: { host: 'localhost', port: 0 } }))).toBe(0);
    expect(said(await start({ listen: { host: '0.0.0.0', port: 0 } }))).toBe(1);
  });

  it('may be stopped before it is done', async () => {
    const { server } = await start();
    await server.stop();
    const other = new CentralHttpServer({
      listen: { host: '127.0.0.1', port: 0 },
      key,
      certificates: undefined,
      ask: async () => nothing(0),
      replaceAccessList: async () => {},
      requestTimeoutMs: 1,
      limits: defaultIotsocketLimits,
      clock: new ManualClock(),
      log: new QuietLog(),
    });
    const started = other.start();
    await other.stop();
    await expect(started).rejects.toMatchObject({ code: 'stopped' });
  });
});

describe('who asks', () => {
  it.each([
    ['nobody', undefined],
    ['another key', `Bearer ${'ab'.repeat(16)}`],
    ['a longer key', `Bearer ${hex}00`],
    ['a part of the key', `Bearer ${hex.slice(2)}`],
    ['no hex', `Bearer ${hex.replace('a', 'g')}`],
    ['two keys', `Bearer ${hex} ${hex}`],
    ['another scheme', `Basic ${hex}`],
    ['the key alone', hex],
  ])('is 401 for %s, on every path, and nothing is asked', async (_, authorization) => {
    const { port, requests, lists, log, server } = await start();
    for (const [method, path] of [
      ['POST', '/request'],
      ['POST', '/acl'],
      ['GET', '/acl'],
      ['POST', '/other'],
    ] as const) {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        headers: { ...json, ...(authorization === undefined ? {} : { authorization }) },
        ...(method === 'POST' ? { body: path === '/acl' ? '[]' : JSON.stringify(asked) } : {}),
      });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer realm="iotsocket"');
      expect(await response.json()).toEqual({ error: expect.stringContaining('Authorization: Bearer') });
    }
    expect([requests, lists]).toEqual([[], []]);
    expect(server.counts.unauthorised).toBe(4);
    const warnings = log.lines.filter(({ level }) => level === 'warn');
    expect(warnings).toHaveLength(1);
    expect(JSON.stringify(log.lines)).not.toContain(hex.slice(2, 20));
  });

  it.each([`Bearer ${hex}`, `Bearer ${hex.toUpperCase()}`, `bearer  ${hex} `])(
    'is the central: %s',
    async (authorization) => {
      const { post } = await start();
      expect((await post('/request', asked, { ...json, authorization })).status).toBe(200);
    },
  );

  it('a stranger is answered without its body, and closed when there is much of it', async () => {
    const { port, call } = await start();
    const stranger = async (lines: string, body = ''): Promise<RawClient> => {
      const client = await new RawClient(port).connected();
      client.socket.write(`POST /acl HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${lines}\r\n\r\n${body}`);
      return client;
    };
    for (const lines of [
      `Content-Length: ${512 * 1024}`,
      `Content-Length: ${REFUSED_BODY_OCTETS + 1}`,
      'Transfer-Encoding: chunked',
      'Content-Length: 5\r\nExpect: 100-continue',
    ]) {
      const received = await (await stranger(lines)).closed();
      expect(received).toMatch(/^HTTP\/1\.1 401 /);
      expect(received).not.toContain('100 Continue');
      expect(received).toMatch(/^connection: close\r$/im);
    }
    const kept = await stranger(`Content-Length: ${REFUSED_BODY_OCTETS}`, 'x'.repeat(REFUSED_BODY_OCTETS));
    await kept.until(/^HTTP\/1\.1 401 /);
    kept.socket.write(`GET /acl HTTP/1.1\r\n${head}\r\n`);
    await kept.until('HTTP/1.1 405 ');
    expect((await call('/acl', { body: '[]', headers: json })).status).toBe(200);
  });

  it('the central may ask first whether to send its body', async () => {
    const { port } = await start();
    const client = await new RawClient(port).connected();
    client.socket.write(
      `POST /acl HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n`,
    );
    await client.until('HTTP/1.1 100 Continue\r\n\r\n');
    client.socket.write('[]');
    await client.until('HTTP/1.1 200 OK');
    client.socket.write(`POST /nowhere HTTP/1.1\r\n${head}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n`);
    expect((await client.closed()).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 100', 'HTTP/1.1 200', 'HTTP/1.1 404']);
  });
});

describe('a path', () => {
  it.each(['/request', '/REQUEST', '/Request?x=1'])('in any case: %s', async (path) => {
    const { post } = await start();
    expect((await post(path, asked)).status).toBe(200);
    expect((await post(path.replace(/request/i, 'aCl'), [])).status).toBe(200);
  });

  it.each(['/', '/acl/', '/acls', '/request/ObjTest', '/api/v1/units', '//'])(
    'that is not there is 404: %s',
    async (path) => {
      const { post, requests, lists } = await start();
      for (const type of [json, { 'content-type': 'text/plain' }]) {
        const answered = await post(path, '[]', type);
        expect(answered.status).toBe(404);
        expect(errorOf(answered)).toBe('there are POST /acl and POST /request');
      }
      expect([requests, lists]).toEqual([[], []]);
    },
  );

  it('that cannot be read is 400', async () => {
    const { port } = await start();
    const client = new RawClient(port);
    client.socket.write(`POST /%zz HTTP/1.1\r\n${head}Connection: close\r\nContent-Length: 0\r\n\r\n`);
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 400 [\s\S]*\{"error":"the path cannot be read"\}$/);
  });

  it.each(['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'])('takes POST only, not %s', async (method) => {
    const { call } = await start();
    for (const path of ['/acl', '/Request?a']) {
      const answered = await call(path, { method });
      expect(answered.status).toBe(405);
      expect(answered.headers.get('allow')).toBe('POST');
    }
  });
});

describe('a body', () => {
  const nested = (depth: number): object => ({
    ...asked,
    Format: 'JSON',
    Payload: JSON.parse('['.repeat(depth) + ']'.repeat(depth)),
  });

  it.each([
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['application/json; charset=UTF-8', 200],
    ['Application/JSON', 200],
  ])('is JSON: %s', async (type, status) => {
    const { post } = await start();
    const answered = await post('/request', asked, { 'content-type': type });
    expect(answered.status).toBe(status);
    if (status === 415) expect(errorOf(answered)).toContain('Content-Type: application/json');
  });

  it.each([
    ['that is broken', '{"UID":', 'not JSON'],
    ['that is empty', '', 'empty'],
    ['with __proto__', '{"UID":"a","Payload":{"__proto__":{"a":1}},"Format":"JSON"}', '__proto__'],
    ['nested 100 000 deep', '['.repeat(100_000), 'nested deeper than 64'],
    ['that is not UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 'UTF-8'],
  ])('%s is 400, and the next is served', async (_, body, error) => {
    const { post, requests, lists, server } = await start();
    for (const path of ['/acl', '/request']) {
      const answered = await post(path, body);
      expect(answered.status).toBe(400);
      expect(answered.headers.get('content-type')).toMatch(/^application\/json/);
      expect(errorOf(answered)).toContain(error);
    }
    expect([requests, lists]).toEqual([[], []]);
    expect(server.counts.bad).toBe(2);
    expect((await post('/request', asked)).status).toBe(200);
  });

  it('that is not there is 400', async () => {
    const { call } = await start();
    for (const path of ['/acl', '/request']) expect((await call(path)).status).toBe(400);
  });

  it('may be nested 64 deep', async () => {
    const { post } = await start();
    expect((await post('/request', nested(63))).status).toBe(200);
    expect(errorOf(await post('/request', nested(64)))).toContain('deeper than 64');
  });

  it.each([defaultIotsocketLimits.httpBodyOctets, 1_000])('has at most so many octets: %i', async (bound) => {
    const { post, port } = await start({ limits: { ...defaultIotsocketLimits, httpBodyOctets: bound } });
    const padded = (count: number): string => JSON.stringify(asked).padEnd(count);
    expect((await post('/request', padded(bound))).status).toBe(200);
    const past = await post('/request', padded(bound + 1));
    expect(past.status).toBe(413);
    expect(errorOf(past)).toContain(`${bound} octets`);
    // Said beforehand, none of it is read.
    const announced = new RawClient(port);
    announced.socket.write(
      `POST /acl HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: ${bound + 1}\r\n\r\n`,
    );
    expect(await announced.closed()).toMatch(/^HTTP\/1\.1 413 /);
    const chunk = (count: number): string => `${count.toString(16)}\r\n${' '.repeat(count)}\r\n`;
    const chunked = new RawClient(port);
    chunked.socket.write(
      `POST /acl HTTP/1.1\r\n${head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunk(bound)}${chunk(1)}`,
    );
    await chunked.until(/^HTTP\/1\.1 413 /);
  });
});

describe('POST /request', () => {
  it('asks the object and gives its answer', async () => {
    const { post, requests, server } = await start();
    const answered = await post('/request', asked);
    expect(answered.status).toBe(200);
    expect(answered.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answered.text).toBe('{"Code":0,"Payload":"AU REVOIR","Format":"UTF8"}');
    expect(requests).toEqual([
      {
        uid: 'ObjTest',
        payload: { format: utf8, options: 0, data: octets('BONJOUR') },
        timeoutMs: 10_000,
        signal: expect.any(AbortSignal),
      },
    ]);
    expect(server.counts).toMatchObject({ requests: 1, bad: 0, notValid: 0 });
    expect(server.waiting).toBe(0);
  });

  it.each<[string, OwnAnswer, string]>([
    ['no such object', nothing(0xa0), '{"Code":160,"Payload":null,"Format":"JSON"}'],
    ['time-out', nothing(0xa1), '{"Code":161,"Payload":null,"Format":"JSON"}'],
    ['empty text', answer(0, ascii, ''), '{"Code":0,"Payload":"","Format":"ASCII"}'],
    ['octets', answer(7, binary, Uint8Array.of(1, 200)), '{"Code":7,"Payload":[1,200],"Format":"BINARY"}'],
    [
      'JSON',
      answer(1, payloadFormats.json, '{"n":12345678901234567890}'),
      '{"Code":1,"Payload":{"n":12345678901234567890},"Format":"JSON"}',
    ],
  ])('gives the code of the answer: %s', async (_, given, text) => {
    const { post, objects } = await start();
    objects.answer = async () => given;
    expect(await post('/request', asked)).toMatchObject({ status: 200, text });
  });

  it('gives 01 for an answer that is not what its format says, counts it, and says it once', async () => {
    const { post, objects, server, log } = await start();
    objects.answer = async () => answer(0, payloadFormats.json, '{"a":');
    for (let times = 0; times < 3; times += 1)
      expect((await post('/request', asked)).text).toBe('{"Code":1,"Payload":null,"Format":"JSON"}');
    expect(server.counts.notValid).toBe(3);
    expect(log.lines.filter(({ level }) => level === 'warn')).toMatchObject([{ fields: { uid: 'ObjTest' } }]);
  });

  it.each([
    [undefined, 10_000],
    [0.25, 250],
    [0.000_1, 1],
    [300, 300_000],
    [300.1, 300_000],
    [1e300, 300_000],
  ])('with Timeout %s waits %i ms', async (Timeout, timeoutMs) => {
    const { post, requests } = await start();
    expect((await post('/request', { ...asked, Timeout })).status).toBe(200);
    expect(requests).toMatchObject([{ timeoutMs }]);
  });

  it.each([
    ['no object', [], 'the body must be an object'],
    ['null', null, 'the body must be an object'],
    ['a text', '"x"', 'the body must be an object'],
    ['no UID', { ...asked, UID: undefined }, 'UID is missing'],
    ['an empty UID', { ...asked, UID: '' }, 'UID must be'],
    ['a UID that is a number', { ...asked, UID: 7 }, 'UID must be'],
    ['a UID with 00', { ...asked, UID: 'a\0b' }, 'UID must be'],
    ['a UID of half a character', { ...asked, UID: '\ud800' }, 'UID must be'],
    ['a UID of 17 octets', { ...asked, UID: `é${'x'.repeat(15)}` }, 'UID has 17 octets; at most 16 fit'],
    ['no format', { ...asked, Format: undefined }, 'Format must be'],
    ['a wrong payload', { ...asked, Payload: 1 }, 'Payload must be a string'],
    ['no payload', { ...asked, Payload: undefined }, 'Payload is missing'],
    ['no time', { ...asked, Timeout: 0 }, 'Timeout must be'],
    ['a negative time', { ...asked, Timeout: -1 }, 'Timeout must be'],
    ['a time that is a text', { ...asked, Timeout: '5' }, 'Timeout must be'],
    ['a time that is null', { ...asked, Timeout: null }, 'Timeout must be'],
  ])('with %s is 400, in words', async (_, body, error) => {
    const { post, requests } = await start();
    const answered = await post('/request', body);
    expect(answered.status).toBe(400);
    expect(errorOf(answered)).toContain(error);
    expect(requests).toEqual([]);
  });

  it('takes a UID of 16 octets', async () => {
    const { post, requests } = await start();
    const UID = `é${'x'.repeat(14)}`;
    expect((await post('/request', { ...asked, UID, Unknown: 1 })).status).toBe(200);
    expect(requests).toMatchObject([{ uid: UID }]);
  });

  it('is withdrawn when the client hangs up, and only then', async () => {
    const { port, objects, requests, server, post } = await start();
    silent(objects);
    const gone = new RawClient(port);
    gone.socket.write(rawPost('/request', JSON.stringify(asked)));
    const stays = post('/request', { ...asked, UID: 'other' });
    await soon(() => expect(requests).toHaveLength(2));
    expect(server.waiting).toBe(2);
    gone.socket.destroy();
    const signalOf = (uid: string) => requests.find((each) => each.uid === uid)?.signal;
    await soon(() => expect(signalOf('ObjTest')?.aborted).toBe(true));
    expect(signalOf('other')?.aborted).toBe(false);
    await soon(() => expect(server.waiting).toBe(1));
    await server.stop();
    await stays;
  });

  it('is 503 when as many wait as may, and taken again when one has its answer', async () => {
    const { objects, server, post } = await start({ limits: { ...defaultIotsocketLimits, httpRequests: 2 } });
    const waiting = silent(objects);
    const held = [post('/request', asked), post('/request', asked)];
    await soon(() => expect(server.waiting).toBe(2));
    const past = await post('/request', asked);
    expect(past.status).toBe(503);
    expect(past.headers.get('retry-after')).toBe('1');
    expect(errorOf(past)).toContain('2 requests wait');
    expect(server.counts.busy).toBe(1);
    expect((await post('/acl', [])).status).toBe(200);
    waiting[0]!.resolve(nothing(0));
    await held[0];
    const next = post('/request', asked);
    await soon(() => expect(waiting).toHaveLength(3));
    for (const each of waiting) each.resolve(nothing(0));
    for (const each of await Promise.all([...held, next])) expect(each.status).toBe(200);
    expect(server.waiting).toBe(0);
  });

  it('of which 512 may wait', () => {
    expect(defaultIotsocketLimits.httpRequests).toBe(512);
  });
});

describe('POST /acl', () => {
  const entry = { GroupName: 'Devices', UID: 'ObjTest', AuthKey: '43'.repeat(16) };

  it('replaces the list, and is answered when the new one is in force', async () => {
    const { post, list, lists, server } = await start();
    const stored = deferred<void>();
    list.replace = () => stored.promise;
    let isAnswered = false;
    const answered = post('/acl', [entry, { ...entry, UID: 'é', AuthKey: 'aB'.repeat(16), More: 1 }]).finally(() => {
      isAnswered = true;
    });
    await soon(() => expect(lists).toHaveLength(1));
    await settle(20);
    expect(isAnswered).toBe(false);
    stored.resolve();
    expect(await answered).toMatchObject({ status: 200, text: '' });
    expect(lists[0]).toEqual([
      { group: 'Devices', uid: 'ObjTest', key: new Uint8Array(16).fill(0x43) },
      { group: 'Devices', uid: 'é', key: new Uint8Array(16).fill(0xab) },
    ]);
    expect(server.counts.accessLists).toBe(1);
  });

  it('may be of nobody', async () => {
    const { post, lists } = await start();
    expect((await post('/acl', [])).status).toBe(200);
    expect(lists).toEqual([[]]);
  });

  it.each([
    ['no list', { ...entry }, 'the body must be an array'],
    ['no entry', [entry, null], 'entry 2: GroupName is missing'],
    ['no group', [{ ...entry, GroupName: undefined }], 'entry 1: GroupName is missing'],
    ['a group of 17 octets', [{ ...entry, GroupName: 'x'.repeat(17) }], 'entry 1: GroupName has 17 octets'],
    ['an empty UID', [entry, entry, { ...entry, UID: '' }], 'entry 3: UID must be'],
    ['a UID of 17 octets', [{ ...entry, UID: 'x'.repeat(17) }], 'entry 1: UID has 17 octets'],
    ['no key', [{ ...entry, AuthKey: undefined }], 'entry 1: AuthKey is missing'],
    ['a short key', [{ ...entry, AuthKey: '43'.repeat(15) }], 'entry 1: AuthKey must be 32 hexadecimal digits'],
    ['a long key', [{ ...entry, AuthKey: '43'.repeat(17) }], 'entry 1: AuthKey must be'],
    ['a key that is no hex', [{ ...entry, AuthKey: 'zz'.repeat(16) }], 'entry 1: AuthKey must be'],
    ['a key in octets', [{ ...entry, AuthKey: Array(32).fill(1) }], 'entry 1: AuthKey must be'],
  ])('with %s is 400, and no list is replaced', async (_, body, error) => {
    const { post, lists } = await start();
    const answered = await post('/acl', body);
    expect(answered.status).toBe(400);
    expect(errorOf(answered)).toContain(error);
    expect(lists).toEqual([]);
  });

  it('takes names of 16 octets', async () => {
    const { post } = await start();
    expect((await post('/acl', [{ ...entry, UID: 'x'.repeat(16), GroupName: 'y'.repeat(16) }])).status).toBe(200);
  });

  it('that is refused as a whole is 400 with why', async () => {
    const { post, list, server } = await start();
    list.replace = async () => {
      throw new AccessListRefused('entry 1 ("ObjTest"): there is no group "Devcies"');
    };
    const answered = await post('/acl', [entry]);
    expect(answered.status).toBe(400);
    expect(errorOf(answered)).toBe('entry 1 ("ObjTest"): there is no group "Devcies"');
    expect(server.counts).toMatchObject({ accessLists: 0, bad: 1 });
  });

  it('that meets a fault of ours is 500 without what it was, and logged', async () => {
    const { post, list, log } = await start();
    list.replace = async () => {
      throw new Error('inner secret');
    };
    const answered = await post('/acl', [entry]);
    expect(answered.status).toBe(500);
    expect(answered.text).not.toContain('inner');
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(JSON.stringify(log.lines)).not.toContain(entry.AuthKey);
  });
});

describe('bounds', () => {
  it('are those of the API', () => {
    expect(defaultHttpBounds).toEqual({
      headersTimeoutMs: 10_000,
      requestTimeoutMs: 20_000,
      checkIntervalMs: 2_000,
      keepAliveMs: 5_000,
      headerOctets: 8_192,
      headers: 50,
      sockets: 512,
      pipelined: 16,
      stalledMs: 30_000,
      stopGraceMs: 1_500,
    });
  });

  it('50 headers', async () => {
    const { port } = await start();
    const withHeaders = async (count: number): Promise<string> => {
      const client = new RawClient(port);
      const more = Array.from({ length: count - 3 }, (_, index) => `x-${index}: 1\r\n`).join('');
      client.socket.write(`GET /acl HTTP/1.1\r\n${head}Connection: close\r\n${more}\r\n`);
      return client.closed();
    };
    expect(await withHeaders(50)).toMatch(/^HTTP\/1\.1 405 /);
    expect(await withHeaders(51)).toMatch(/^HTTP\/1\.1 431 /);
    expect(await withHeaders(200)).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('8 KiB of headers', async () => {
    const { port } = await start();
    const withOctets = async (count: number): Promise<string> => {
      const client = new RawClient(port);
      client.socket.write(`GET /acl HTTP/1.1\r\n${head}Connection: close\r\nx: ${'y'.repeat(count)}\r\n\r\n`);
      return client.closed();
    };
    expect(await withOctets(7_900)).toMatch(/^HTTP\/1\.1 405 /);
    expect(await withOctets(8_192)).toMatch(
      /^HTTP\/1\.1 431 [\s\S]*\{"error":"the headers are longer than 8192 octets"\}$/,
    );
  });

  it('headers and bodies that come too slowly are answered 408 and closed; a slow answer is not', async () => {
    const httpLimits = { headersTimeoutMs: 100, requestTimeoutMs: 200, checkIntervalMs: 20 };
    const { port, objects } = await start({ httpLimits });
    const waiting = silent(objects);
    const held = new RawClient(port);
    held.socket.write(rawPost('/request', JSON.stringify(asked)));
    const headers = new RawClient(port);
    headers.socket.write('POST /acl HTTP/1.1\r\nHost: loc');
    const body = new RawClient(port);
    body.socket.write(`POST /acl HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: 18\r\n\r\n[`);
    for (const received of await Promise.all([headers.closed(), body.closed()]))
      expect(received).toMatch(/^HTTP\/1\.1 408 [\s\S]*\{"error":"the request did not arrive/);
    waiting[0]!.resolve(nothing(0));
    await held.until('"Code":0');
  });

  it('an idle connection is closed', async () => {
    const { port } = await start({ httpLimits: { keepAliveMs: 50 } });
    const client = new RawClient(port);
    client.socket.write(rawPost('/acl', '[]'));
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('512 sockets; the next one is closed', async () => {
    const { port } = await start();
    const clients = await Promise.all(Array.from({ length: 512 }, () => new RawClient(port).connected()));
    clients[511]!.socket.write(rawPost('/acl', '[]'));
    await clients[511]!.until('HTTP/1.1 200');
    expect(await new RawClient(port).closed()).toBe('');
  });

  it('what is not HTTP is answered and closed; the next is served', async () => {
    const { port, post } = await start();
    const client = new RawClient(port);
    client.socket.write('\u0016\u0003\u0001 hello\r\n\r\n');
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 400 [\s\S]*\{"error":/);
    expect((await post('/request', asked)).status).toBe(200);
  });
});

describe('stopping', () => {
  it('answers 503 to what waits, withdraws it, frees the port, and may be asked for twice', async () => {
    const { server, objects, requests, post, port, clock } = await start();
    silent(objects);
    const held = post('/request', asked);
    await soon(() => expect(server.waiting).toBe(1));
    const idle = await new RawClient(port).connected();
    await Promise.all([server.stop(), server.stop()]);
    const answered = await held;
    expect(answered.status).toBe(503);
    expect(errorOf(answered)).toContain('the base stopped before the object answered');
    expect(requests[0]!.signal?.aborted).toBe(true);
    await idle.closed();
    expect([server.waiting, clock.waiting]).toEqual([0, 0]);
    const other = createServer().listen(port, '127.0.0.1');
    await once(other, 'listening');
    other.close();
    await once(other, 'close');
  });

  it('takes nothing new meanwhile, lets a list be stored, and waits for that no longer than it may', async () => {
    const { server, list, lists, post, port, clock, requests } = await start();
    list.replace = () => new Promise(() => {});
    const never = new RawClient(port);
    never.socket.write(rawPost('/acl', '[]'));
    await soon(() => expect(lists).toHaveLength(1));
    let isStopped = false;
    const stopped = server.stop().then(() => {
      isStopped = true;
    });
    for (const path of ['/request', '/acl']) {
      const refused = await post(path, path === '/acl' ? [] : asked);
      expect(refused.status).toBe(503);
      expect(errorOf(refused)).toContain('the base is stopping');
    }
    expect([requests.length, lists.length]).toEqual([0, 1]);
    await clock.advance(defaultHttpBounds.stopGraceMs - 1);
    expect(isStopped).toBe(false);
    await clock.advance(1);
    await stopped;
    expect(await never.closed()).toBe('');
  });
});

describe('HTTPS', () => {
  const [first, second] = [makeCertificates(), makeCertificates()];

  class Changing implements HttpCertificates {
    pem = { cert: first.cert, key: first.key };
    readonly calls = new Set<() => void>();

    onChange(call: () => void): () => void {
      this.calls.add(call);
      return () => void this.calls.delete(call);
    }

    change(pem: { cert: string; key: string }): void {
      this.pem = pem;
      for (const call of this.calls) call();
    }
  }

  const secure = async (given: Partial<CentralHttpServerOptions> = {}) => {
    const certificates = new Changing();
    return { certificates, ...(await start({ certificates, ...given })) };
  };

  const agentOf = (ca: string): Agent => {
    const agent = new HttpsAgent({ ca, keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    return agent;
  };

  /** Status of a list of nobody, posted. */
  const put = (port: number, agent: Agent): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const asking = httpsRequest(
        { agent, host: '127.0.0.1', port, path: '/acl', method: 'POST', headers: { ...bearer, ...json } },
        (response) => {
          response.resume();
          response.on('end', () => resolve(response.statusCode));
        },
      );
      asking.on('error', reject);
      asking.end('[]');
    });

  it('serves who trusts its certificate', async () => {
    const { port, lists } = await secure();
    expect(await put(port, agentOf(first.ca))).toBe(200);
    await expect(put(port, agentOf(first.strangerCa))).rejects.toThrow();
    expect(lists).toHaveLength(1);
  });

  it('uses a new certificate for new connections, and goes on with the old ones', async () => {
    const { port, certificates } = await secure();
    const old = agentOf(first.ca);
    expect(await put(port, old)).toBe(200);
    certificates.change(second);
    expect(await put(port, old)).toBe(200);
    expect(await put(port, agentOf(second.ca))).toBe(200);
    await expect(put(port, agentOf(first.ca))).rejects.toThrow();
  });

  it('keeps the old certificate when the new one is none, and says so', async () => {
    const { port, certificates, log } = await secure();
    certificates.change({ cert: 'x', key: 'y' });
    expect(await put(port, agentOf(first.ca))).toBe(200);
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  it('listens for changes no more when it has stopped', async () => {
    const { certificates, server } = await secure();
    expect(certificates.calls.size).toBe(1);
    await server.stop();
    expect(certificates.calls.size).toBe(0);
  });

  it('closes who speaks no TLS, and who is silent within it', async () => {
    const { port } = await secure({ limits: { ...defaultIotsocketLimits, tlsHandshakeMs: 100 } });
    const plain = new RawClient(port);
    plain.socket.write(rawPost('/acl', '[]'));
    expect(await plain.closed()).not.toContain('HTTP/1.1 200');
    const silentOne = await new RawClient(port).connected();
    expect(await silentOne.closed()).toBe('');
    expect(await put(port, agentOf(first.ca))).toBe(200);
  });

  it('gives TLS alone 15 s', () => {
    expect(defaultIotsocketLimits.tlsHandshakeMs).toBe(15_000);
  });

  it('stops at once with clients in the middle of TLS', async () => {
    const { server, port } = await secure({ limits: { ...defaultIotsocketLimits, tlsHandshakeMs: 60_000 } });
    const silentOne = await new RawClient(port).connected();
    const done = tlsConnect({ port, host: '127.0.0.1', ca: first.ca });
    done.on('error', () => {});
    await once(done, 'secureConnect');
    await server.stop();
    await silentOne.closed();
    if (!done.closed) await once(done, 'close');
  });
});
