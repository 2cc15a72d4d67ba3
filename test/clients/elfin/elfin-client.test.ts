import { once } from 'node:events';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { AnswerReader, MAX_ANSWER_OCTETS } from '../../../clients/elfin/answers.js';
import { MAX_UNSENT_OCTETS } from '../../../clients/elfin/elfin-client.js';
import { ElfinClient, type ElfinClientOptions } from '../../../clients/elfin/index.js';
import { MAX_QUESTIONS } from '../../../clients/elfin/questions.js';
import { type Certificates, makeCertificates } from '../../base/uplinks/certificates.js';
import { ManualClock } from '../../support/manual-clock.js';
import { type ScriptedEnd, ScriptedGateway } from './support/scripted-gateway.js';

const MAC = 'f0fe6b010203';
const OTHER = 'F0:FE:6B:01:02:04';
const SUCCESS = '{"status":"success"}\n';
const FAILED = '{"status":"failed"}\n';
const DEVICE = { hostname: 'Lathe', macaddress: MAC, lastseendate: '2026. 11. 20. 14:05:09', status: 'online' };
const LISTED = { host: 'Lathe', mac: MAC, lastSeen: '2026. 11. 20. 14:05:09', isOnline: true };
/** What the client asks for a tunnel: with itself first, which is refused. */
const CONNECT = `connthem;shed;${MAC};${MAC}\nconnme;shed;${MAC}\n`;

interface Pair {
  readonly client: ElfinClient;
  readonly gateway: ScriptedEnd;
  readonly clock: ManualClock;
}

async function connected(options: Partial<ElfinClientOptions> = {}): Promise<Pair> {
  const server = await ScriptedGateway.start();
  const clock = new ManualClock();
  const client = await ElfinClient.connect({ host: '127.0.0.1', port: server.port, user: 'shed', clock, ...options });
  onTestFinished(() => client.close());
  return { client, gateway: await server.end(), clock };
}

/** With a tunnel. */
async function tunnelled(behindAnswer = '') {
  const pair = await connected();
  const asked = pair.client.connectMe(MAC);
  await pair.gateway.hears(CONNECT);
  pair.gateway.say(`${FAILED}${SUCCESS}${behindAnswer}`);
  return { ...pair, tunnel: await asked };
}

describe('questions', () => {
  test('are asked as the wire document has them, with the secret where there is one', async () => {
    const { client, gateway } = await connected({ secret: 'long:enough' });
    const devices = client.query();
    await gateway.hears('query;shed:long:enough\n');
    gateway.say(`${JSON.stringify([DEVICE, { ...DEVICE, status: 'offline' }])}\n`);
    expect(await devices).toEqual([LISTED, { ...LISTED, isOnline: false }]);
    const them = client.connectThem(MAC, OTHER);
    await gateway.hears(`connthem;shed:long:enough;${MAC};${OTHER}\n`);
    gateway.say(SUCCESS);
    expect(await them).toBeUndefined();
    expect(client.tunnel).toBeUndefined();
  });

  test('are asked one after the other, and answers may be cut anywhere', async () => {
    const { client, gateway } = await connected();
    const asked = [client.query(), client.connectThem(MAC, OTHER), client.query()];
    const failed = expect(asked[1]).rejects.toMatchObject({
      code: 'connect-failed',
      message: expect.stringContaining(`no tunnel to ${MAC} and ${OTHER}`),
    });
    await gateway.hears('query;shed\n');
    for (const octet of Buffer.from(`${JSON.stringify([{ ...DEVICE, hostname: 'Fűrész' }])}\n`)) {
      expect(gateway.heard).toBe('');
      gateway.say(Uint8Array.of(octet));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await asked[0]).toEqual([{ ...LISTED, host: 'Fűrész' }]);
    await gateway.hears(`connthem;shed;${MAC};${OTHER}\n`);
    gateway.say(FAILED);
    await failed;
    await gateway.hears('query;shed\n');
    gateway.say('[]\n');
    expect(await asked[2]).toEqual([]);
  });

  test.each([
    ['a list for a status', FAILED, 'query', 'frame-malformed'],
    ['no JSON', 'hello\n', 'query', 'frame-malformed'],
    [
      'a device without a host',
      '[{"macaddress":"","lastseendate":"","status":"online"}]\n',
      'query',
      'frame-malformed',
    ],
    ['a status for a list', '[]\n', 'connectThem', 'frame-malformed'],
    ['another status', '{"status":"maybe"}\n', 'connectThem', 'frame-malformed'],
  ] as const)('%s is no answer, and ends the connection', async (_, said, question, code) => {
    const { client, gateway } = await connected();
    const asked = question === 'query' ? client.query() : client.connectThem(MAC, OTHER);
    const [first, second] = [expect(asked).rejects.toMatchObject({ code }), client.query()];
    const also = expect(second).rejects.toMatchObject({ code });
    gateway.say(said);
    await Promise.all([first, also, gateway.closed()]);
    expect(await client.closed).toMatchObject({ code });
    await expect(client.query()).rejects.toMatchObject({ code });
  });

  test('an answer that was not asked for ends the connection', async () => {
    const { client, gateway } = await connected();
    gateway.say(SUCCESS);
    await gateway.closed();
    expect(await client.closed).toMatchObject({ code: 'frame-malformed' });
  });

  test('without an answer in time nothing more is asked there', async () => {
    const { client, gateway, clock } = await connected({ answerTimeoutMs: 2_000 });
    const asked = client.query();
    const late = expect(asked).rejects.toMatchObject({
      code: 'command-timeout',
      message: 'the gateway did not answer within 2 s: is that its port with the framing "line"?',
    });
    await gateway.hears('query;shed\n');
    await clock.advance(1_999);
    expect(gateway.isClosed).toBe(false);
    await clock.advance(1);
    await late;
    await gateway.closed();
    expect(clock.waiting).toBe(0);
  });

  test(`wait for their turn, ${MAX_QUESTIONS} of them`, async () => {
    const { client, gateway } = await connected();
    const all = Array.from({ length: MAX_QUESTIONS + 1 }, () => client.query());
    await expect(client.query()).rejects.toMatchObject({ code: 'link-stalled' });
    gateway.socket.on('data', () => gateway.say('[]\n'));
    expect(await Promise.all(all)).toHaveLength(MAX_QUESTIONS + 1);
  });

  test('end with the connection', async () => {
    const { client, gateway, clock } = await connected();
    const asked = [client.query(), client.connectMe(MAC)].map((each) =>
      expect(each).rejects.toMatchObject({ code: 'link-lost' }),
    );
    await gateway.hears('query;shed\n');
    gateway.socket.destroy();
    await Promise.all(asked);
    expect(await client.closed).toMatchObject({ code: 'link-lost' });
    await expect(client.query()).rejects.toMatchObject({ code: 'link-lost' });
    expect(clock.waiting).toBe(0);
  });
});

test(`an answer has at most ${MAX_ANSWER_OCTETS} octets`, () => {
  const reader = new AnswerReader();
  const half = new Uint8Array(MAX_ANSWER_OCTETS / 2).fill(0x20);
  expect(reader.take(half)).toBeUndefined();
  expect(reader.take(Uint8Array.of(...[0x20, 0x0a], 0x5b))).toMatchObject({ rest: Uint8Array.of(0x5b) });
  for (const part of [half, half]) expect(reader.take(part)).toBeUndefined();
  expect(() => reader.take(Uint8Array.of(0x20))).toThrow(expect.objectContaining({ code: 'frame-too-long' }));
});

describe('a tunnel', () => {
  test('begins right behind its answer: all that follows is payload, what looks like an answer too', async () => {
    const { client, gateway, tunnel } = await tunnelled(`${FAILED}\xff`);
    expect(client.tunnel).toBe(tunnel);
    const read: Buffer[] = [];
    tunnel.on('data', (payload: Buffer) => read.push(payload));
    gateway.say(Uint8Array.of(0x0a, 0, 0x80));
    await expect.poll(() => Buffer.concat(read).toString('latin1')).toBe(`${FAILED}\xc3\xbf\n\0\x80`);
  });

  test('takes payload as messages that say their length', async () => {
    const { gateway, tunnel } = await tunnelled();
    tunnel.write(Uint8Array.of(0, 0x0a, 0xff));
    await gateway.hears('data;shed;-;-;1;3;\x00\n\xff\n');
    tunnel.cork();
    for (const text of ['a;', '\n', '', 'b']) tunnel.write(text);
    tunnel.uncork();
    await gateway.hears('data;shed;-;-;1;4;a;\nb\n');
    expect(gateway.heard).toBe('');
  });

  test('is asked for so that a listener in segments does not answer', async () => {
    const { client, gateway } = await connected();
    const asked = expect(client.connectMe(MAC)).rejects.toMatchObject({ code: 'connect-failed' });
    await gateway.hears(CONNECT);
    gateway.say(FAILED);
    gateway.say(FAILED);
    await asked;
    // The connection is as it was.
    const devices = client.query();
    await gateway.hears('query;shed\n');
    gateway.say('[]\n');
    expect(await devices).toEqual([]);
  });

  test('is the end of questions, of those that wait too', async () => {
    const { client, gateway } = await connected();
    const [asked, waiting] = [client.connectMe(MAC), client.query()];
    const refused = { code: 'config-invalid', message: expect.stringContaining('connect once more') };
    const also = expect(waiting).rejects.toMatchObject(refused);
    await gateway.hears(CONNECT);
    gateway.say(FAILED + SUCCESS);
    await asked;
    await also;
    await expect(client.connectMe(MAC)).rejects.toMatchObject(refused);
    expect(gateway.heard).toBe('');
  });

  test('slows down who sends: what is not read stays in the sockets', async () => {
    const { gateway, tunnel } = await tunnelled();
    const total = 32 * 1024 * 1024;
    const chunk = Buffer.alloc(64 * 1024, 7);
    for (let sent = 0; sent < total; sent += chunk.length) gateway.socket.write(chunk);
    await expect.poll(() => tunnel.readableLength).toBeGreaterThan(0);
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(tunnel.readableLength).toBeLessThan(256 * 1024);
    expect(gateway.socket.writableLength).toBeGreaterThan(total / 4);
    let read = 0;
    for await (const payload of tunnel) {
      read += (payload as Buffer).length;
      if (read === total) break;
    }
    expect(read).toBe(total);
  });

  test('is slowed down: what is written waits until the gateway takes it', async () => {
    const { gateway, tunnel } = await tunnelled();
    gateway.socket.pause();
    const chunk = Buffer.alloc(64 * 1024);
    for (let written = 0; tunnel.write(chunk) || written < 256; written += 1);
    expect(tunnel.writableLength).toBeGreaterThan(0);
    gateway.socket.resume();
    await once(tunnel, 'drain');
  });

  test.each([
    ['closes', (end: ScriptedEnd): unknown => end.socket.end(), 'link-lost'],
    ['breaks off', (end: ScriptedEnd): unknown => end.socket.resetAndDestroy(), 'link-lost'],
  ] as const)('ends when the gateway %s', async (_, act, code) => {
    const { client, gateway, tunnel } = await tunnelled();
    const gone = new Promise((resolve) => void tunnel.once('close', resolve));
    tunnel.resume();
    act(gateway);
    await gone;
    expect(await client.closed).toMatchObject({ code });
    expect(client.data(Uint8Array.of(1))).toBe(false);
  });

  test('ends the connection when it is ended, behind what was written', async () => {
    const { client, gateway, tunnel } = await tunnelled();
    tunnel.end('last');
    await gateway.hears('data;shed;-;-;1;4;last\n');
    await gateway.closed();
    await client.closed;
  });
});

describe('a device', () => {
  const adapter = { mac: MAC, host: 'Lathe' };

  test('beats, and has payload both ways; its data is life', async () => {
    const { client, gateway } = await connected();
    expect(client.tunnel).toBeUndefined();
    expect(client.beat(adapter)).toBe(true);
    await gateway.hears(`beat;shed;${MAC};Lathe;0\n`);
    gateway.say(SUCCESS);
    const [payload] = (await once(client.tunnel!, 'data')) as [Buffer];
    expect(payload.toString()).toBe(SUCCESS);
    client.tunnel!.write('x');
    await gateway.hears(`data;shed;${MAC};Lathe;0;1;x\n`);
    expect(client.data(Buffer.from('yz'))).toBe(true);
    expect(client.data(Buffer.from(''), { ...adapter, host: 'Saw' })).toBe(true);
    await gateway.hears(`data;shed;${MAC};Lathe;0;2;yz\ndata;shed;${MAC};Saw;0;0;\n`);
    await expect(client.query()).rejects.toMatchObject({ code: 'config-invalid' });
  });

  test('does not begin while an answer is to come, and needs a MAC and a host that fit', async () => {
    const { client, gateway } = await connected();
    const asked = client.query();
    expect(() => client.beat(adapter)).toThrow(expect.objectContaining({ code: 'config-invalid' }));
    gateway.say('[]\n');
    await asked;
    const unfit = [
      { mac: 'f0fe6b01020', host: '' },
      { mac: MAC, host: 'a;b' },
      { mac: MAC, host: 'h'.repeat(500) },
    ];
    for (const wrong of unfit) {
      expect(() => client.beat(wrong)).toThrow(expect.objectContaining({ code: 'config-invalid' }));
      expect(() => client.data(Buffer.from('x'), wrong)).toThrow(expect.objectContaining({ code: 'config-invalid' }));
    }
    expect(client.tunnel).toBeUndefined();
    expect(() => client.data(Buffer.from('x'))).toThrow(/needs a tunnel/);
    await gateway.hears('query;shed\n');
    expect(gateway.heard).toBe('');
  });

  test(`sends nothing on top of ${MAX_UNSENT_OCTETS} octets that wait`, async () => {
    const { client, gateway } = await connected();
    client.beat(adapter);
    gateway.socket.pause();
    const chunk = Buffer.alloc(256 * 1024);
    let sent = 0;
    while (client.data(chunk) && sent < 1_024) sent += 1;
    expect(sent).toBeGreaterThan(MAX_UNSENT_OCTETS / chunk.length);
    expect(sent).toBeLessThan(1_024);
    expect(client.beat(adapter)).toBe(false);
    gateway.socket.resume();
    await expect.poll(() => client.beat(adapter)).toBe(true);
  });
});

describe('closing', () => {
  test('sends what is written, ends what is asked, and may be done twice', async () => {
    const { client, gateway, clock } = await connected();
    const asked = expect(client.query()).rejects.toMatchObject({ code: 'stopped' });
    await Promise.all([client.close(), client.close(), asked]);
    await gateway.hears('query;shed\n');
    await gateway.closed();
    expect(await client.closed).toMatchObject({ code: 'stopped' });
    expect(clock.waiting).toBe(0);
    await expect(client.query()).rejects.toMatchObject({ code: 'stopped' });
  });

  test('does not wait for ever for a gateway that takes nothing', async () => {
    const { client, gateway, clock } = await connected();
    client.beat({ mac: MAC, host: '' });
    gateway.socket.pause();
    const written = client.tunnel!;
    for (let chunks = 0; chunks < 512; chunks += 1) written.write(Buffer.alloc(64 * 1024));
    let isClosed = false;
    const closed = client.close().then(() => {
      isClosed = true;
    });
    await clock.advance(4_999);
    expect(isClosed).toBe(false);
    await clock.advance(1);
    await closed;
  });
});

describe('options', () => {
  const fine = { host: '127.0.0.1', user: 'shed' };
  test.each<[string, Partial<ElfinClientOptions>, string]>([
    ['no host', { host: '' }, 'host is empty'],
    ['a port of 0', { port: 0 }, 'port must be'],
    ['a user with a colon', { user: 'a:b' }, 'user is none'],
    ['a short secret', { secret: '1234567' }, 'secret is none'],
    ['an empty authority', { tls: { ca: '' } }, 'tls.ca is empty'],
    ['no time for an answer', { answerTimeoutMs: 0 }, 'answerTimeoutMs must be'],
    ['no time to connect', { connectTimeoutMs: 2 ** 31 }, 'connectTimeoutMs must be'],
  ])('%s is refused', async (_, options, message) => {
    const connecting = ElfinClient.connect({ ...fine, ...options });
    await expect(connecting).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining(message),
    });
    await expect(connecting).rejects.not.toMatchObject({ message: expect.stringContaining('1234567') });
  });

  test('nobody at that port, or nobody who may be waited for', async () => {
    await expect(ElfinClient.connect({ ...fine, port: 1 })).rejects.toMatchObject({ code: 'connect-failed' });
    const stopped = new Error('stopped');
    await expect(ElfinClient.connect(fine, AbortSignal.abort(stopped))).rejects.toBe(stopped);
  });
});

describe('TLS', () => {
  let certificates: Certificates;
  beforeAll(() => {
    certificates = makeCertificates();
  });

  test('carries questions and payload', async () => {
    const server = await ScriptedGateway.start(certificates);
    const tls = { ca: certificates.ca };
    const client = await ElfinClient.connect({ host: 'localhost', port: server.port, user: 'shed', tls });
    onTestFinished(() => client.close());
    const gateway = await server.end();
    const asked = client.connectMe(MAC);
    await gateway.hears(CONNECT);
    gateway.say(FAILED + SUCCESS);
    const tunnel = await asked;
    gateway.say('payload');
    expect(String((await once(tunnel, 'data'))[0])).toBe('payload');
  });

  test('is refused with a certificate of a stranger, or for another name', async () => {
    const { port } = await ScriptedGateway.start(certificates);
    const wrong = [{ ca: certificates.strangerCa }, {}, { ca: certificates.ca, servername: 'other.example' }];
    for (const tls of wrong)
      await expect(ElfinClient.connect({ host: '127.0.0.1', port, user: 'shed', tls })).rejects.toMatchObject({
        code: 'connect-failed',
      });
  });
});
