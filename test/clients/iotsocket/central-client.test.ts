import { describe, expect, test } from 'vitest';
import { MAX_LIST_ENTRIES } from '../../../clients/iotsocket/central-client.js';
import type { CentralClientOptions, Payload } from '../../../clients/iotsocket/index.js';
import { fromHex } from '../../../protocol/octets.js';
import { type TestCentral, testCentral, testPlatform } from './support/clients.js';
import { CENTRAL_LOGIN, KEY, type PeerConnection, ScriptedPeer, UID } from './support/scripted-peer.js';

async function connected(
  options: Partial<CentralClientOptions> = {},
  platform = testPlatform(),
): Promise<TestCentral & { readonly connection: PeerConnection }> {
  const peer = await ScriptedPeer.start();
  const subject = testCentral({ host: '127.0.0.1', port: peer.port, ...options }, platform);
  const initiation = options.version === 0 ? '00000000' : undefined;
  const [connection] = await Promise.all([peer.opened(CENTRAL_LOGIN, initiation), subject.central.connect()]);
  return { ...subject, connection };
}

const OTHER = '00000000000000000000000000000041';
const entry = { group: 'Devices', uid: 'ObjTest', key: fromHex(KEY) };
const LIST = `0000000001${'000000000000000000'}44657669636573${UID}${KEY}`;

describe.each([0, 1] as const)('version %i', (version) => {
  test('asks an object, answers one, hears telemetry, as the vectors say', async () => {
    const { central, connection } = await connected({ version }, testPlatform(30_303));
    const asked: unknown[] = [];
    const telemetry: unknown[] = [];
    central.onRequest((uid, { value }) => {
      asked.push([uid, value]);
      return { payload: { format: 'json', value: { ok: 'true' } } };
    });
    central.onTelemetry((uid, { format, value }) => telemetry.push([uid, format, value]));
    const answered = central.request('ObjTest', { format: 'ascii', value: 'hello' });
    await connection.expects(`38${UID}765f10000568656c6c6f`);
    connection.send(`48${UID}765f0010000232310a`.slice(0, -2));
    expect(await answered).toMatchObject({ code: 0, payload: { format: 'ascii', value: '21' } });
    connection.send(`38${UID}765f000007424f4e4a4f5552`);
    await connection.expects(`48${UID}765f00a0000d7b226f6b223a2274727565227d`);
    expect(asked).toEqual([['ObjTest', [...new TextEncoder().encode('BONJOUR')]]]);
    connection.send(`68${UID}10000432312e35`);
    connection.send('10');
    await connection.expects('20');
    expect(telemetry).toEqual([['ObjTest', 'ascii', '21.5']]);
  });
});

describe('requests', () => {
  test('to several objects have numbers of their own; answers are told by both', async () => {
    const { central, connection } = await connected();
    const [first, second] = [central.request('ObjTest'), central.request('A')];
    await connection.expects(`38${UID}0000000000` + `38${OTHER}0001000000`);
    connection.send(`48${OTHER}000099000000` + `48${UID}000199000000`);
    connection.send(`48${OTHER}0001a0000000` + `48${UID}0000a2000000`);
    expect((await Promise.all([first, second])).map(({ code }) => code)).toEqual([0xa2, 0xa0]);
  });

  test('to no object, or one that cannot be, are refused at once', async () => {
    const { central } = await connected();
    for (const uid of ['', 'x'.repeat(17), 'é'.repeat(9), 'a\0b'])
      await expect(central.request(uid)).rejects.toMatchObject({ code: 'config-invalid' });
  });

  test('a handler of telemetry that throws ends nothing', async () => {
    const { central, connection, heard } = await connected();
    central.onTelemetry(() => {
      throw new Error('no');
    });
    connection.send(`68${UID}10000432312e35`);
    expect(await heard.event('handlerFailed')).toMatchObject({ error: { message: 'no' } });
    connection.send('10');
    await connection.expects('20');
  });

  test('answers without a UID are none', async () => {
    const { central, connection, heard } = await connected();
    const lost = expect(central.request('ObjTest')).rejects.toMatchObject({ code: 'frame-malformed' });
    await connection.expects(`38${UID}0000000000`);
    connection.send('40000000000000');
    await connection.expects('f000');
    connection.socket.end();
    await lost;
    expect(await heard.event('closed')).toMatchObject({ code: 0 });
  });
});

describe('the access list', () => {
  test('is taken when the ping behind it is answered', async () => {
    const { central, connection } = await connected();
    const taken = central.setAccessList([entry]);
    await connection.expects(`${LIST}10`);
    connection.send('20');
    await taken;
    const none = central.setAccessList([]);
    await connection.expects('000000000010');
    connection.send('20');
    await none;
  });

  test('that is refused ends the session, and it says so', async () => {
    const { central, connection } = await connected();
    const refused = expect(central.setAccessList([entry])).rejects.toMatchObject({ code: 'link-lost' });
    await connection.expects(`${LIST}10`);
    connection.send('f000');
    await refused;
  });

  test('that nobody answers is waited for 15 s', async () => {
    const { central, connection, clock } = await connected({ pingAfterMs: 60_000, deadAfterMs: 60_001 });
    const late = expect(central.setAccessList([entry])).rejects.toMatchObject({ code: 'command-timeout' });
    await connection.expects(`${LIST}10`);
    await clock.advance(15_000);
    await late;
    const other = central.setAccessList([], { timeoutMs: 1_000 });
    await connection.expects('000000000010');
    // The first pong answers the first ping.
    connection.send('2020');
    await other;
  });

  test('up to the bound; one entry more is refused', async () => {
    const { central, connection } = await connected();
    const most = Array.from({ length: MAX_LIST_ENTRIES }, (_, index) => ({ ...entry, uid: `o-${index}` }));
    const taken = central.setAccessList(most);
    expect((await connection.takes(5 + 48 * MAX_LIST_ENTRIES)).slice(0, 10)).toBe('0000010000');
    await connection.expects('10');
    connection.send('20');
    await taken;
    await expect(central.setAccessList([...most, entry])).rejects.toMatchObject({ code: 'config-invalid' });
  });

  test('with an entry that cannot be is refused at once', async () => {
    const { central } = await connected();
    for (const wrong of [{ uid: '' }, { uid: 'x'.repeat(17) }, { group: 'x'.repeat(17) }, { key: new Uint8Array(15) }])
      await expect(central.setAccessList([{ ...entry, ...wrong }])).rejects.toMatchObject({ code: 'config-invalid' });
  });

  test('needs a session', async () => {
    const { central } = testCentral({ host: '127.0.0.1', port: 1 });
    await expect(central.setAccessList([])).rejects.toMatchObject({ code: 'link-lost' });
    await expect(central.request('ObjTest', { format: 'json', value: 1 } satisfies Payload)).rejects.toMatchObject({
      code: 'link-lost',
    });
  });
});
