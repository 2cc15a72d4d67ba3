import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ElfinRig, FAILED, MAC_A, MAC_B, MAC_C, SUCCESS } from './elfin-rig.js';

let rig: ElfinRig;
beforeEach(async () => {
  rig = await ElfinRig.start({ users: ['u', 'v'] });
});
afterEach(async () => {
  const faults = rig.faults();
  await rig.stop();
  expect(faults).toBe(0);
});

describe.each(['segments', 'lines'] as const)('in %s', (framing) => {
  const end = framing === 'lines' ? '\n' : '';
  const device = async (uuid: string, mac: string) => {
    const peer = await rig[framing]();
    const before = rig.count('control-messages');
    peer.say(`beat;${uuid};${mac};adapter;0${end}`);
    await rig.until('the beat', () => rig.count('control-messages') > before);
    return peer;
  };
  const data = (uuid: string, mac: string, type: string, payload: Uint8Array): Buffer =>
    framing === 'lines'
      ? Buffer.concat([Buffer.from(`data;${uuid};${mac};h;${type};${payload.length};`), payload, Buffer.from('\n')])
      : Buffer.concat([Buffer.from(`data;${uuid};${mac};h;${type};`), payload]);

  test('a beat has no answer, and the device is in the list', async () => {
    const a = await device('u', 'f0fe6b00000a');
    rig.manual.setNow(Date.UTC(2026, 10, 20, 13, 5, 9));
    const before = rig.count('control-messages');
    a.say(`beat;u;f0fe6b00000a;műhely;0${end}`);
    await rig.until('the second', () => rig.count('control-messages') > before);
    await rig.ask(
      a,
      `query;u${end}`,
      '[{"hostname":"műhely","macaddress":"f0fe6b00000a","lastseendate":"2026. 11. 20. 14:05:09","status":"online"}]\n',
    );
    expect(a.unread.length).toBe(0);
    expect(rig.router.get(MAC_A)).toMatchObject({ unit: MAC_A, state: 'online', dialect: 'elfin' });
  });

  test('query of a user without devices, of an unknown one and of a uuid that is none', async () => {
    const peer = await rig[framing]();
    for (const uuid of ['u', 'stranger']) await rig.ask(peer, `query;${uuid}${end}`, '[]\n');
    peer.say(`query;${end}`);
    await rig.until('it is dropped', () => rig.count('malformed') === 1);
    expect(peer.unread.length).toBe(0);
  });

  test('connme makes a tunnel of this connection and the device; both ways, every octet', async () => {
    const [program, a] = [await rig[framing](), await device('u', MAC_A)];
    await rig.ask(program, `connme;u;${MAC_A.toLowerCase().replaceAll(':', '-')}${end}`, SUCCESS);
    const every = Uint8Array.from({ length: 256 }, (_, octet) => octet);
    const awkward = Buffer.from(';;beat;u\n;\r\n;\0\r\n');
    for (const payload of [every, awkward, Uint8Array.of(0xff), Buffer.alloc(9_000, 0xe9)]) {
      program.say(data('u', 'T8080', 'T8080', payload));
      expect((await a.read(payload.length)).equals(payload)).toBe(true);
      a.say(data('u', MAC_A, '0', payload));
      expect((await program.read(payload.length)).equals(payload)).toBe(true);
    }
    expect(rig.elfin.tunnels()).toEqual([
      {
        user: 'u',
        openedAt: rig.manual.now(),
        ends: [
          { remoteAddress: expect.stringMatching(/^127\.0\.0\.1:\d+$/), octets: 9_273, messages: 4 },
          { unit: MAC_A, remoteAddress: expect.any(String), octets: 9_273, messages: 4 },
        ],
      },
    ]);
    expect([rig.count('relayed-messages'), rig.count('relayed-octets')]).toEqual([8, 18_546]);
  });

  test('connthem makes a tunnel of two devices, the second that is named its first end', async () => {
    const [a, b] = [await device('u', MAC_A), await device('u', MAC_B)];
    const program = await rig[framing]();
    await rig.ask(program, `connthem;u;${MAC_A};${MAC_B}${end}`, SUCCESS);
    expect(rig.elfin.tunnels()[0]!.ends.map(({ unit }) => unit)).toEqual([MAC_B, MAC_A]);
    a.say(data('u', MAC_A, '0', Buffer.from('to b')));
    expect((await b.read(4)).toString()).toBe('to b');
    b.say(data('u', MAC_B, '0', Buffer.from('to a')));
    expect((await a.read(4)).toString()).toBe('to a');
    expect(program.unread.length).toBe(0);
  });

  test.each([
    ['a device that is not known', `connme;u;${MAC_C}`],
    ['a device of another user', `connme;v;${MAC_A}`],
    ['an unknown user', `connme;stranger;${MAC_A}`],
    ['itself', `connme;u;${MAC_B}`],
    ['two devices of one connection', `connthem;u;${MAC_B};${MAC_B}`],
    ['two devices, one of them not known', `connthem;u;${MAC_A};${MAC_C}`],
    ['two devices, the other not known', `connthem;u;${MAC_C};${MAC_A}`],
    ['two devices, for another user', `connthem;v;${MAC_A};${MAC_B}`],
  ])('a tunnel to %s fails', async (_what, message) => {
    await device('u', MAC_A);
    const b = await device('u', MAC_B);
    await rig.ask(b, `${message}${end}`, FAILED);
    expect([rig.elfin.tunnels(), rig.count('tunnels-opened')]).toEqual([[], 0]);
  });

  test.each([
    'beat;u;F0FE6B00000A;h',
    'beat;u;F0FE6B00000A;h;0;',
    'beat;u;F0FE6B00000;h;0',
    'beat;u;F0:FE:6B:00:00-0A;h;0',
    'connme;u',
    'connme;u;F0FE6B00000A;',
    'connthem;u;F0FE6B00000A',
    'connthem;u;F0FE6B00000A;x',
    'query;u;',
    'query',
    'QUERY;u',
    'hello',
    '__proto__;u',
    '',
  ])('"%s" is dropped and counted, and the connection goes on', async (message) => {
    const peer = await rig[framing]();
    peer.say(`${message}${end === '' ? '\r\n' : end}`);
    await rig.until('it is counted', () => rig.count('malformed') === 1);
    await rig.ask(peer, `query;u${end}`, '[]\n');
    expect([rig.count('control-messages'), rig.elfin.devices()]).toEqual([1, []]);
  });

  test('data without a tunnel, and of another user than its tunnel, goes nowhere', async () => {
    const [a, program] = [await device('u', MAC_A), await rig[framing]()];
    program.say(data('u', 'x', '1', Buffer.from('early')));
    await rig.until('it is dropped', () => rig.count('dropped-data') === 1);
    await rig.ask(program, `connme;u;${MAC_A}${end}`, SUCCESS);
    program.say(data('v', 'x', '1', Buffer.from('not theirs')));
    await rig.until('it is dropped', () => rig.count('dropped-data') === 2);
    program.say(data('u', 'x', '1', Buffer.from('now')));
    expect((await a.read(3)).toString()).toBe('now');
    expect(a.unread.length).toBe(0);
  });

  test('data of type 0 puts the device on its connection, as a beat does; of another type not', async () => {
    const a = await rig[framing]();
    a.say(data('u', MAC_A, '1', Buffer.from('x')));
    await rig.until('it is dropped', () => rig.count('dropped-data') === 1);
    expect(rig.elfin.devices()).toEqual([]);
    a.say(data('u', MAC_A, '0', Buffer.from('x')));
    await rig.until('it is dropped', () => rig.count('dropped-data') === 2);
    expect(rig.elfin.devices()).toMatchObject([{ unit: MAC_A, user: 'u', host: 'h', isOnline: true }]);
    const program = await rig[framing]();
    await rig.ask(program, `connme;u;${MAC_A}${end}`, SUCCESS);
  });

  test('data of type 0 whose MAC is none goes nowhere', async () => {
    const [a, program] = [await device('u', MAC_A), await rig[framing]()];
    await rig.ask(program, `connme;u;${MAC_A}${end}`, SUCCESS);
    program.say(data('u', 'T8080', '0', Buffer.from('x')));
    await rig.until('it is dropped', () => rig.count('dropped-data') === 1);
    expect([rig.count('malformed'), a.unread.length]).toEqual([1, 0]);
  });
});

test('a segment may end in any end of line, and data keeps its own', async () => {
  const a = await rig.device('u', MAC_A);
  for (const end of ['', '\n', '\r\n', '\r']) await rig.ask(a, `query;v${end}`, '[]\n');
  const program = await rig.segments();
  await rig.ask(program, `connme;u;${MAC_A}\r\n`, SUCCESS);
  program.say('data;u;x;x;1;ends\r\n');
  expect((await a.read(6)).toString()).toBe('ends\r\n');
});

test('a line may end in \\r\\n, and messages may be cut and joined', async () => {
  const [a, program] = [await rig.device('u', MAC_A, undefined), await rig.lines()];
  program.say(`query;v\r\nconnme;u;${MAC_A}\ndata;u;x;x;1;2;`);
  expect(await program.line()).toBe('[]\n');
  expect(await program.line()).toBe(SUCCESS);
  program.say('a');
  expect((await a.read(1)).toString()).toBe('a');
  program.say('b\ndata;u;x;x;1;1;c\ndata;u;x;x;1;0;\ndata;u;x;x;1;3;d;e\nquery;v\n');
  expect((await a.read(5)).toString()).toBe('bcd;e');
  expect(await program.line()).toBe('[]\n');
});

test.each([
  ['a length that is no number', 'data;u;x;x;1;2x;ab\n'],
  ['a length that is too large', 'data;u;x;x;1;4294967296;ab\n'],
  ['no end of line behind the data', 'data;u;x;x;1;2;abc'],
  ['data with too few fields', 'data;u;x;x;1\n'],
  ['a head that is too long', `query;${'u'.repeat(600)}`],
])('%s ends a connection in lines; what came before is answered', async (_what, octets) => {
  const peer = await rig.lines();
  peer.say(`query;v\n${octets}`);
  expect(await peer.line()).toBe('[]\n');
  await peer.closed;
  expect(rig.count('malformed')).toBe(1);
});

test('commands to a device end as refused', async () => {
  await rig.device('u', MAC_A);
  const outcome = await rig.router.command({ id: 'c1', unit: MAC_A, command: 'request', payload: 1, source: 'test' });
  expect(outcome).toMatchObject({ outcome: 'refused', reason: expect.stringContaining('through a tunnel') });
});

test('a device has its messages counted in the list of connections, every second', async () => {
  const [a, b] = await rig.tunnel();
  a.say(`data;u;${MAC_A};h;0;x`);
  expect((await b.read(1)).toString()).toBe('x');
  await rig.manual.advance(1_000);
  expect(rig.connections.of(MAC_A)).toMatchObject({
    handler: 'elfin',
    name: 'adapter',
    receivedMessages: 3,
    sentMessages: 1,
  });
  expect(rig.connections.of(MAC_B)).toMatchObject({ receivedMessages: 1, sentMessages: 1 });
  a.socket.destroy();
  await rig.until('it is gone', () => rig.connections.of(MAC_A) === undefined);
});
