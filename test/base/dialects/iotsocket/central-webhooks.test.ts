import type { ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FAILURES_TO_OPEN, PROBE_EVERY_MS } from '../../../../base/core/circuit-breaker.js';
import {
  CentralWebhooks,
  type CentralWebhooksOptions,
  MAX_REQUESTS,
  MAX_REQUESTS_PER_OBJECT,
  SAY_AGAIN_MS,
} from '../../../../base/dialects/iotsocket/central-webhooks.js';
import type { CentralWebhookOptions } from '../../../../base/dialects/iotsocket/iotsocket-options.js';
import {
  MAX_TELEMETRY_ITEMS,
  MAX_TELEMETRY_OCTETS,
  TELEMETRY_CONNECTIONS,
} from '../../../../base/dialects/iotsocket/telemetry-webhook.js';
import { type PayloadBlock, payloadFormats } from '../../../../protocol/iotsocket/transmission.js';
import { ManualClock, settle } from '../../../support/manual-clock.js';
import { QuietLog } from '../../../support/quiet-log.js';
import { makeCertificates } from '../../uplinks/certificates.js';
import { HttpReceiver, type Respond, status } from '../../uplinks/http-receiver.js';
import { soon } from '../../uplinks/soon.js';

const key = Uint8Array.from({ length: 16 }, (_, index) => 0xf0 + index);
const authorization = 'Bearer f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff';
const { binary, utf8, json: jsonFormat } = payloadFormats;
const octets = (text: string): Uint8Array => new TextEncoder().encode(text);
const block = (format: number, data: string): PayloadBlock => ({ format, options: 0, data: octets(data) });
const bonjour = block(utf8, 'BONJOUR');
const notValid = { code: 0x01, payload: block(binary, '') };
const noRoom = { code: 0xa0, payload: block(binary, '') };

async function receive(respond: Respond, tls?: { key: string; cert: string }): Promise<HttpReceiver> {
  const receiver = await HttpReceiver.start({ respond, ...(tls === undefined ? {} : { tls }) });
  onTestFinished(() => receiver.stop());
  return receiver;
}

function use(webhooks: Partial<CentralWebhookOptions>, given: Partial<CentralWebhooksOptions> = {}) {
  const [clock, log] = [new ManualClock(), new QuietLog()];
  const central = new CentralWebhooks({
    options: {
      request: undefined,
      telemetry: undefined,
      ca: undefined,
      allowPrivate: false,
      maxContentLength: 512 * 1024,
      maxWaitMs: 5_000,
      ...webhooks,
    },
    key,
    requestTimeoutMs: 10_000,
    clock,
    log,
    ...given,
  });
  onTestFinished(() => central.stop());
  const warnings = () => log.lines.filter(({ level }) => level === 'warn');
  return { central, clock, log, warnings };
}

async function toRequest(
  respond: Respond,
  webhooks: Partial<CentralWebhookOptions> = {},
  given: Partial<CentralWebhooksOptions> = {},
) {
  const receiver = await receive(respond);
  return { receiver, ...use({ request: `${receiver.url}/hooks/request`, ...webhooks }, given) };
}

async function toTelemetry(respond: Respond, given: Partial<CentralWebhooksOptions> = {}) {
  const receiver = await receive(respond);
  return { receiver, ...use({ telemetry: `${receiver.url}/hooks/telemetry` }, given) };
}

const text =
  (body: string | Uint8Array, code = 200): Respond =>
  (_, response) =>
    void response.writeHead(code, { 'content-type': 'application/json' }).end(body);
const json = (body: unknown, code = 200): Respond => text(JSON.stringify(body), code);
const right = { Code: 0, Payload: 'AU REVOIR', Format: 'UTF8' };

/** Keeps the responses; the test ends them. */
function holding() {
  const held: ServerResponse[] = [];
  const respond: Respond = (_, response) => void held.push(response);
  return { held, respond };
}

describe('which webhooks there are', () => {
  it.each([
    [undefined, undefined],
    ['http://localhost/r', undefined],
    [undefined, 'http://localhost/t'],
  ])('request %s, telemetry %s', async (request, telemetry) => {
    const { central } = use({ request, telemetry });
    expect([central.hasRequest, central.hasTelemetry]).toEqual([request !== undefined, telemetry !== undefined]);
    if (request === undefined) expect(await central.request('ObjTest', bonjour)).toEqual(noRoom);
    if (telemetry === undefined) central.telemetry('ObjTest', bonjour);
    expect(central.counts.telemetry.dropped).toBe(0);
  });
});

describe('a request', () => {
  it('is posted with the key, and answered with what the central says', async () => {
    const { central, receiver, clock } = await toRequest(json(right));
    expect(await central.request('ObjTest', bonjour)).toEqual({ code: 0, payload: block(utf8, 'AU REVOIR') });
    expect(receiver.received).toMatchObject([
      {
        method: 'POST',
        path: '/hooks/request',
        headers: { authorization, 'content-type': 'application/json' },
        body: '{"UID":"ObjTest","Payload":"BONJOUR","Format":"UTF8"}',
      },
    ]);
    expect(central.counts.requests).toMatchObject({ answered: 1, noRoom: 0 });
    expect([central.waiting, clock.waiting]).toEqual([0, 0]);
  });

  it.each<[string, Respond, { code: number; payload: PayloadBlock }]>([
    ['another 2xx', json(right, 201), { code: 0, payload: block(utf8, 'AU REVOIR') }],
    ['another code', json({ ...right, Code: 255 }), { code: 255, payload: block(utf8, 'AU REVOIR') }],
    ['octets', json({ Code: 1, Payload: [66], Format: 'BINARY' }), { code: 1, payload: block(binary, 'B') }],
    [
      'long numbers',
      text('{"Code":0,"Payload":{"n": 12345678901234567890},"Format":"JSON"}'),
      { code: 0, payload: block(jsonFormat, '{"n":12345678901234567890}') },
    ],
    ['nothing', json({ Code: 1, Payload: null, Format: 'JSON' }), { code: 1, payload: block(jsonFormat, 'null') }],
  ])('may be answered with %s', async (_, respond, expected) => {
    const { central } = await toRequest(respond);
    expect(await central.request('ObjTest', bonjour)).toEqual(expected);
  });

  it.each<[string, Respond, string]>([
    ['204', status(204), 'notJson'],
    ['302', status(302, { location: '/elsewhere' }), 'status'],
    ['400', json(right, 400), 'status'],
    ['401', json(right, 401), 'status'],
    ['500', json(right, 500), 'status'],
    ['no JSON', text('<html>'), 'notJson'],
    ['broken JSON', text('{"Code":0'), 'notJson'],
    ['text that is not UTF-8', text(Uint8Array.of(0x22, 0xff, 0x22)), 'notJson'],
    ['JSON nested 65 deep', text(`{"Code":0,"Format":"JSON","Payload":${'['.repeat(64)}${']'.repeat(64)}}`), 'notJson'],
    ['__proto__', text('{"Code":0,"Format":"JSON","Payload":{"__proto__":1}}'), 'notJson'],
    ['a list', json([right]), 'notValid'],
    ['null', json(null), 'notValid'],
    ['no code', json({ ...right, Code: undefined }), 'notValid'],
    ['a code that is a text', json({ ...right, Code: '0' }), 'notValid'],
    ['a code past 255', json({ ...right, Code: 256 }), 'notValid'],
    ['a negative code', json({ ...right, Code: -1 }), 'notValid'],
    ['half a code', json({ ...right, Code: 0.5 }), 'notValid'],
    ['no payload', json({ ...right, Payload: undefined }), 'notValid'],
    ['a wrong payload', json({ ...right, Format: 'ASCII', Payload: 'é' }), 'notValid'],
    ['no format', json({ ...right, Format: undefined }), 'notValid'],
    ['a payload past 65 535 octets', json({ ...right, Payload: 'x'.repeat(65_536) }), 'notValid'],
    [
      'half an answer',
      (_, response) => void response.writeHead(200, { 'content-length': 10 }).write('{', () => response.destroy()),
      'unreachable',
    ],
    ['nothing, and closes', (_, response) => void response.socket!.destroy(), 'unreachable'],
  ])('that is answered with %s is 01, counted, and said once', async (_, respond, failure) => {
    const { central, warnings } = await toRequest(respond);
    for (let times = 0; times < 2; times += 1) expect(await central.request('ObjTest', bonjour)).toEqual(notValid);
    expect(central.counts.requests.failed).toEqual({
      ...{ unreachable: 0, status: 0, tooLong: 0, notJson: 0, notValid: 0, payload: 0 },
      [failure]: 2,
    });
    expect(warnings()).toHaveLength(1);
    expect(central.waiting).toBe(0);
  });

  it('is read up to as many octets as are configured', async () => {
    const padded = (count: number): Respond => text(JSON.stringify(right).padEnd(count));
    const { central, receiver } = await toRequest(padded(1_000), { maxContentLength: 1_000 });
    expect(await central.request('ObjTest', bonjour)).toMatchObject({ code: 0 });
    receiver.respond = padded(1_001);
    expect(await central.request('ObjTest', bonjour)).toEqual(notValid);
    expect(central.counts.requests.failed.tooLong).toBe(1);
  });

  it('takes an answer as long as the bound of the original', async () => {
    const { central } = await toRequest(text(JSON.stringify(right).padEnd(512 * 1024)));
    expect(await central.request('ObjTest', bonjour)).toMatchObject({ code: 0 });
  });

  it.each<[string, number, number, Respond]>([
    ['an answer may take', 5_000, 10_000, () => {}],
    ['a request may take', 10_000, 5_000, () => {}],
    ['both, to the last octet', 5_000, 5_000, (_, response) => void response.writeHead(200).write('{')],
  ])('is given up after what %s', async (_, maxWaitMs, requestTimeoutMs, respond) => {
    const { central, clock, receiver } = await toRequest(respond, { maxWaitMs }, { requestTimeoutMs });
    let answer: unknown;
    void central.request('ObjTest', bonjour).then((given) => {
      answer = given;
    });
    await soon(() => expect(receiver.received).toHaveLength(1));
    await clock.advance(4_999);
    expect(answer).toBeUndefined();
    await clock.advance(1);
    await soon(() => expect(answer).toEqual(notValid));
    expect(central.counts.requests.failed.unreachable).toBe(1);
    expect(clock.waiting).toBe(0);
  });

  it('to nobody is 01', async () => {
    const gone = await HttpReceiver.start();
    const { url } = gone;
    await gone.stop();
    const { central, warnings } = use({ request: url });
    expect(await central.request('ObjTest', bonjour)).toEqual(notValid);
    expect(warnings()).toMatchObject([
      { fields: { kind: 'unreachable', reason: expect.stringContaining('ECONNREFUSED') } },
    ]);
  });

  it('that is not what its format says is 01 without asking', async () => {
    const { central, receiver, warnings } = await toRequest(json(right));
    expect(await central.request('Obj\nTest', block(jsonFormat, '{'))).toEqual(notValid);
    expect(receiver.received).toEqual([]);
    expect(central.counts.requests.failed.payload).toBe(1);
    expect(warnings()).toMatchObject([{ fields: { uid: 'Obj·Test' } }]);
  });

  it('is said to fail again when it went well in between, but not more often than once a minute', async () => {
    const { central, clock, receiver, warnings } = await toRequest(status(500));
    const fail = async (): Promise<number> => {
      receiver.respond = status(500);
      await central.request('ObjTest', bonjour);
      receiver.respond = json(right);
      await central.request('ObjTest', bonjour);
      return warnings().length;
    };
    await clock.advance(SAY_AGAIN_MS - 1);
    expect(await fail()).toBe(1);
    expect(await fail()).toBe(1);
    await clock.advance(1);
    expect(await fail()).toBe(1);
    expect(await fail()).toBe(2);
    expect(await fail()).toBe(2);
  });

  it('of which 64 may be under way, 8 of one object: one more is A0, and there is room again', async () => {
    expect([MAX_REQUESTS, MAX_REQUESTS_PER_OBJECT]).toEqual([64, 8]);
    const leaks: Error[] = [];
    const note = (warning: Error): void => void leaks.push(warning);
    process.on('warning', note);
    onTestFinished(() => void process.off('warning', note));
    const { held, respond } = holding();
    const { central, receiver, warnings } = await toRequest(respond);
    const under: Promise<unknown>[] = [];
    const ask = (object: number): void => void under.push(central.request(`object ${object}`, bonjour));
    for (let each = 0; each < MAX_REQUESTS_PER_OBJECT; each += 1) ask(0);
    expect(await central.request('object 0', bonjour)).toEqual(noRoom);
    for (let each = MAX_REQUESTS_PER_OBJECT; each < MAX_REQUESTS; each += 1) ask(each);
    expect(await central.request('one more', bonjour)).toEqual(noRoom);
    expect(central.waiting).toBe(MAX_REQUESTS);
    await soon(() => expect(held).toHaveLength(MAX_REQUESTS));
    expect(central.counts.requests.noRoom).toBe(2);
    expect(warnings()).toHaveLength(1);
    receiver.respond = json(right);
    for (const response of held) response.end(JSON.stringify(right));
    for (const answer of await Promise.all(under)) expect(answer).toMatchObject({ code: 0 });
    expect(await central.request('object 0', bonjour)).toMatchObject({ code: 0 });
    expect(central.waiting).toBe(0);
    await settle();
    expect(leaks).toEqual([]);
  });

  it('under way at a stop is 01, and one after it A0; a stop may be asked for twice', async () => {
    const { held, respond } = holding();
    const { central, clock, warnings } = await toRequest(respond);
    const under = central.request('ObjTest', bonjour);
    await soon(() => expect(held).toHaveLength(1));
    await Promise.all([central.stop(), central.stop()]);
    await central.stop();
    expect(await under).toEqual(notValid);
    expect(await central.request('ObjTest', bonjour)).toEqual(noRoom);
    expect([central.waiting, clock.waiting, warnings().length]).toEqual([0, 0, 0]);
  });
});

describe('the key', () => {
  const certificates = makeCertificates();

  it('does not go along a redirect, to either webhook', async () => {
    const other = await receive(json(right));
    for (const code of [301, 302, 307, 308]) {
      const redirecting = await receive(status(code, { location: `${other.url}/taken` }));
      const { central } = use({ request: redirecting.url, telemetry: redirecting.url });
      expect(await central.request('ObjTest', bonjour)).toEqual(notValid);
      central.telemetry('ObjTest', bonjour);
      await soon(() => expect(central.counts.telemetry.failed).toBe(1));
    }
    expect(other.received).toEqual([]);
  });

  it('goes to a peer with the right certificate', async () => {
    const { key: tlsKey, cert, ca } = certificates;
    const receiver = await receive(json(right), { key: tlsKey, cert });
    const { central } = use({ request: receiver.url, telemetry: receiver.url, ca });
    expect(await central.request('ObjTest', bonjour)).toMatchObject({ code: 0 });
    central.telemetry('ObjTest', bonjour);
    await soon(() => expect(receiver.received).toHaveLength(2));
    for (const { headers } of receiver.received) expect(headers.authorization).toBe(authorization);
  });

  it.each([
    ['signed by nobody known', certificates.cert, undefined],
    ['signed by another authority', certificates.cert, certificates.strangerCa],
    ['that is over', certificates.expired, certificates.ca],
  ])('never goes to a peer with a certificate %s', async (_, cert, ca) => {
    const receiver = await receive(json(right), { key: certificates.key, cert });
    const { central } = use({ request: receiver.url, telemetry: receiver.url, ca });
    expect(await central.request('ObjTest', bonjour)).toEqual(notValid);
    central.telemetry('ObjTest', bonjour);
    await soon(() => expect(central.counts.telemetry.failed).toBe(1));
    expect(receiver.received).toEqual([]);
  });

  it('never goes to a private address that a name was turned to, unless that is meant', async () => {
    const receiver = await receive(json(right));
    const request = `http://central.example:${receiver.port}/`;
    const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
    const guarded = use({ request }, { resolve });
    expect(await guarded.central.request('ObjTest', bonjour)).toEqual(notValid);
    expect(receiver.received).toEqual([]);
    expect(guarded.warnings()).toMatchObject([
      { fields: { reason: expect.stringContaining('set iotsocket.central.webhooks.allowPrivate') } },
    ]);
    const meant = use({ request, allowPrivate: true }, { resolve });
    expect(await meant.central.request('ObjTest', bonjour)).toMatchObject({ code: 0 });
  });

  it('gets into no log line', async () => {
    const { central, log } = await toRequest(text(`{"Code":"${authorization}"`));
    await central.request('ObjTest', bonjour);
    expect(log.lines).toHaveLength(1);
    expect(JSON.stringify(log.lines)).not.toContain('f0f1f2');
  });
});

describe('telemetry', () => {
  const numberOf = ({ body }: { body: string }): number => Number(JSON.parse(body).Payload);
  const value = (number: number): PayloadBlock => block(utf8, `${number}`);

  it('is posted with the key; what the answer says does not matter', async () => {
    const { central, receiver } = await toTelemetry(text('<html>'.repeat(20_000), 202));
    const data = octets('21.5');
    central.telemetry('ObjTest', { format: 1, options: 0, data });
    central.telemetry('ObjTest', { format: 1, options: 0, data });
    data.fill(0);
    await soon(() => expect(central.counts.telemetry.delivered).toBe(2));
    expect(receiver.received[1]).toMatchObject({
      method: 'POST',
      path: '/hooks/telemetry',
      headers: { authorization, 'content-type': 'application/json' },
      body: '{"UID":"ObjTest","Payload":"21.5","Format":"ASCII"}',
    });
  });

  it('keeps the order of each object, and waits for no other', async () => {
    const { held, respond } = holding();
    const { central, receiver } = await toTelemetry(respond);
    central.telemetry('slow', value(0));
    central.telemetry('slow', value(1));
    await soon(() => expect(held).toHaveLength(1));
    receiver.respond = status(200);
    const uids = ['a', 'b', 'c', 'd', 'e'];
    for (let number = 0; number < 20; number += 1) for (const uid of uids) central.telemetry(uid, value(number));
    await soon(() => expect(central.counts.telemetry.delivered).toBe(100));
    const of = (uid: string) => receiver.received.filter(({ body }) => JSON.parse(body).UID === uid).map(numberOf);
    for (const uid of uids) expect(of(uid)).toEqual(Array.from({ length: 20 }, (_, number) => number));
    expect(of('slow')).toEqual([0]);
    held[0]!.end();
    await soon(() => expect(of('slow')).toEqual([0, 1]));
  });

  it('goes over 4 connections at most', async () => {
    const { held, respond } = holding();
    const { central } = await toTelemetry(respond);
    for (let object = 0; object <= TELEMETRY_CONNECTIONS; object += 1) central.telemetry(`${object}`, value(object));
    await soon(() => expect(held).toHaveLength(TELEMETRY_CONNECTIONS));
    await settle(20);
    expect(held).toHaveLength(4);
    held[0]!.end();
    await soon(() => expect(held).toHaveLength(5));
  });

  it('waits in 1 000 items at most: past it the oldest goes, and that is counted and said once', async () => {
    expect(MAX_TELEMETRY_ITEMS).toBe(1_000);
    const { held, respond } = holding();
    const { central, receiver, warnings } = await toTelemetry(respond);
    central.telemetry('ObjTest', value(0));
    await soon(() => expect(held).toHaveLength(1));
    for (let number = 1; number <= MAX_TELEMETRY_ITEMS; number += 1) central.telemetry('ObjTest', value(number));
    expect(central.counts.telemetry.dropped).toBe(0);
    central.telemetry('ObjTest', value(1_001));
    central.telemetry('ObjTest', value(1_002));
    expect(central.counts.telemetry.dropped).toBe(2);
    expect(warnings()).toHaveLength(1);
    receiver.respond = status(200);
    held[0]!.end();
    await soon(() => expect(receiver.received.length).toBeGreaterThan(5));
    expect(receiver.received.slice(0, 6).map(numberOf)).toEqual([0, 3, 4, 5, 6, 7]);
  });

  it('waits in 4 MiB at most', async () => {
    expect(MAX_TELEMETRY_OCTETS).toBe(4 * 1024 * 1024);
    const { held, respond } = holding();
    const { central } = await toTelemetry(respond);
    const big = (size: number): PayloadBlock => block(utf8, 'x'.repeat(size));
    central.telemetry('ObjTest', big(1));
    await soon(() => expect(held).toHaveLength(1));
    for (let each = 0; each < 128; each += 1) central.telemetry('ObjTest', big(32 * 1024));
    expect(central.counts.telemetry.dropped).toBe(0);
    // The oldest of 32 KiB went: there is room for as much, and no more.
    central.telemetry('ObjTest', big(1));
    central.telemetry('ObjTest', big(32 * 1024 - 1));
    expect(central.counts.telemetry.dropped).toBe(1);
    central.telemetry('ObjTest', big(1));
    expect(central.counts.telemetry.dropped).toBe(2);
  });

  it('is not tried again; what the central refuses costs only that', async () => {
    const { central, receiver, warnings } = await toTelemetry(
      (received, response) => void response.writeHead(numberOf(received) % 2 === 0 ? 422 : 500).end(),
    );
    for (let number = 0; number < 20; number += 1) central.telemetry('ObjTest', value(number));
    await soon(() => expect(central.counts.telemetry.refused).toBe(20));
    expect(receiver.received.map(numberOf)).toEqual(Array.from({ length: 20 }, (_, number) => number));
    expect(central.counts.telemetry).toMatchObject({ delivered: 0, failed: 0, dropped: 0 });
    expect(warnings()).toHaveLength(2);
  });

  it.each<[string, Respond]>([
    ['that closes', (_, response) => void response.socket!.destroy()],
    ['that refuses the key', status(401)],
    ['with too much to do', status(503)],
  ])('to a central %s 5 times in a row is dropped, but for a probe in a minute', async (_, respond) => {
    const { central, receiver, clock, log } = await toTelemetry(respond);
    const failed = () => central.counts.telemetry.failed;
    for (let number = 0; number < FAILURES_TO_OPEN - 1; number += 1) {
      central.telemetry('ObjTest', value(number));
      await soon(() => expect(failed()).toBe(number + 1));
    }
    // A fifth, and one behind it that shares its fate.
    central.telemetry('ObjTest', value(4));
    central.telemetry('ObjTest', value(5));
    await soon(() => expect(central.counts.telemetry).toMatchObject({ failed: 5, dropped: 1 }));
    await clock.advance(PROBE_EVERY_MS - 1);
    central.telemetry('ObjTest', value(6));
    expect(central.counts.telemetry.dropped).toBe(2);
    await clock.advance(1);
    central.telemetry('ObjTest', value(7));
    central.telemetry('other', value(8));
    await soon(() => expect(failed()).toBe(6));
    expect(central.counts.telemetry.dropped).toBe(3);
    central.telemetry('ObjTest', value(9));
    expect(central.counts.telemetry.dropped).toBe(4);
    receiver.respond = status(200);
    await clock.advance(PROBE_EVERY_MS);
    central.telemetry('ObjTest', value(10));
    await soon(() => expect(central.counts.telemetry.delivered).toBe(1));
    central.telemetry('ObjTest', value(11));
    central.telemetry('other', value(12));
    await soon(() => expect(central.counts.telemetry.delivered).toBe(3));
    expect(receiver.received.map(numberOf)).toEqual([0, 1, 2, 3, 4, 7, 10, expect.any(Number), expect.any(Number)]);
    expect(log.lines.map(({ level }) => level)).toEqual(['warn', 'info']);
    expect(clock.waiting).toBe(0);
  });

  it('is not dropped when a failure follows a success', async () => {
    const { central, receiver } = await toTelemetry(status(503));
    for (let number = 0; number < 12; number += 1) {
      receiver.respond = status(number % FAILURES_TO_OPEN === 0 ? 200 : 503);
      central.telemetry('ObjTest', value(number));
      await soon(() => expect(receiver.received).toHaveLength(number + 1));
      await soon(() => expect(central.counts.telemetry.delivered + central.counts.telemetry.failed).toBe(number + 1));
    }
    expect(central.counts.telemetry).toMatchObject({ dropped: 0, delivered: 3, failed: 9 });
  });

  it('to a central that does not answer is given up after what an answer may take', async () => {
    const { held, respond } = holding();
    const { central, clock } = await toTelemetry(respond);
    central.telemetry('ObjTest', value(0));
    await soon(() => expect(held).toHaveLength(1));
    await clock.advance(4_999);
    expect(central.counts.telemetry.failed).toBe(0);
    await clock.advance(1);
    await soon(() => expect(central.counts.telemetry.failed).toBe(1));
  });

  it('that is not what its format says is not sent, and holds nothing up', async () => {
    const { central, receiver, warnings } = await toTelemetry(status(200));
    central.telemetry('ObjTest', block(jsonFormat, '{'));
    central.telemetry('ObjTest', block(7, 'x'));
    central.telemetry('ObjTest', value(1));
    await soon(() => expect(central.counts.telemetry.delivered).toBe(1));
    expect(receiver.received.map(numberOf)).toEqual([1]);
    expect(central.counts.telemetry.notValid).toBe(2);
    expect(warnings()).toHaveLength(1);
  });

  it('that waits at a stop is dropped, what is under way is cut', async () => {
    const { held, respond } = holding();
    const { central, clock, warnings } = await toTelemetry(respond);
    central.telemetry('ObjTest', value(0));
    central.telemetry('ObjTest', value(1));
    await soon(() => expect(held).toHaveLength(1));
    await central.stop();
    central.telemetry('ObjTest', value(2));
    await soon(() => expect(central.counts.telemetry).toMatchObject({ failed: 1, dropped: 2, delivered: 0 }));
    expect([clock.waiting, warnings().length]).toEqual([0, 0]);
  });

  it('and requests do not take each other their connections', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as { port: number };
    const receiver = await receive(json(right));
    const { central } = use({ request: receiver.url, telemetry: `http://127.0.0.1:${port}/` });
    for (let object = 0; object < 10; object += 1) central.telemetry(`${object}`, value(object));
    expect(await central.request('ObjTest', bonjour)).toMatchObject({ code: 0 });
  });
});
