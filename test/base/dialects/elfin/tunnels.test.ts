import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../../base/system.js';
import { settle } from '../../../support/manual-clock.js';
import { temporaryFolder } from '../../config/temporary-folder.js';
import { makeCertificates } from '../../uplinks/certificates.js';
import { type ElfinPeer, ElfinRig, FAILED, MAC_A, MAC_B, MAC_C, type RigOptions, SUCCESS } from './elfin-rig.js';

const KIB = 1_024;
const S = 1_000;

let rig: ElfinRig;
const start = async (options: RigOptions = {}): Promise<void> => {
  rig = await ElfinRig.start({ users: ['u', 'v'], ...options });
};
afterEach(async () => {
  const faults = rig.faults();
  await rig.stop();
  expect(faults).toBe(0);
});

const units = (): string[] =>
  rig.elfin.tunnels().map(({ ends: [first, second] }) => `${name(first.unit)}${name(second.unit)}`);
const name = (unit: string | undefined): string => unit?.at(-1) ?? '-';

describe('a connection', () => {
  test('is the first end of one tunnel and the second of one; a new one replaces the old', async () => {
    await start();
    const peers = [await rig.device('u', MAC_A), await rig.device('u', MAC_B), await rig.device('u', MAC_C)];
    const [a, b, c] = peers as [ElfinPeer, ElfinPeer, ElfinPeer];
    await rig.ask(a, `connme;u;${MAC_B}`, SUCCESS);
    await rig.ask(b, `connme;u;${MAC_C}`, SUCCESS);
    await rig.ask(c, `connme;u;${MAC_A}`, SUCCESS);
    expect(units()).toEqual(['AB', 'BC', 'CA']);
    // The old one of the first end.
    await rig.ask(a, `connme;u;${MAC_C}`, SUCCESS);
    // That was also the one of the second end.
    expect(units()).toEqual(['CA', 'AC']);
    await rig.ask(b, `connme;u;${MAC_A}`, SUCCESS);
    expect(units()).toEqual(['AC', 'BA']);
    await rig.ask(b, `connme;u;${MAC_A}`, SUCCESS);
    expect(units()).toEqual(['AC', 'BA']);
    await rig.ask(a, `connme;u;${MAC_A}`, FAILED);
    expect([units(), rig.count('tunnels-opened'), rig.count('tunnels')]).toEqual([['AC', 'BA'], 6, 2]);
  });

  test('with two tunnels sends into the older one', async () => {
    await start();
    const [a, b, c] = [await rig.device('u', MAC_A), await rig.device('u', MAC_B), await rig.device('u', MAC_C)];
    await rig.ask(b, `connme;u;${MAC_A}`, SUCCESS);
    await rig.ask(a, `connme;u;${MAC_C}`, SUCCESS);
    a.say('data;u;x;x;1;older');
    expect((await b.read(5)).toString()).toBe('older');
    // Both send to it.
    c.say('data;u;x;x;1;c');
    expect((await a.read(1)).toString()).toBe('c');
    b.say('data;u;x;x;1;b');
    expect((await a.read(1)).toString()).toBe('b');
    b.socket.destroy();
    await rig.until('the older is gone', () => rig.count('tunnels') === 1);
    a.say('data;u;x;x;1;newer');
    expect((await c.read(5)).toString()).toBe('newer');
    expect(b.unread.length).toBe(0);
  });

  test('of two users sends into the tunnel of the one that data names', async () => {
    await start();
    const [a, b] = [await rig.device('u', MAC_A), await rig.device('v', MAC_B)];
    const program = await rig.device('u', MAC_C);
    await rig.ask(program, `connme;u;${MAC_A}`, SUCCESS);
    await rig.device('v', 'F0:FE:6B:00:00:0D', program);
    await rig.ask(b, 'connme;v;F0:FE:6B:00:00:0D', SUCCESS);
    program.say('data;v;x;x;1;to b');
    expect((await b.read(4)).toString()).toBe('to b');
    program.say('data;u;x;x;1;to a');
    expect((await a.read(4)).toString()).toBe('to a');
    expect(units()).toEqual(['CA', 'BD']);
  });

  test('that says it all at once has each payload where it was to go when it was said', async () => {
    await start();
    const [a, b, c] = [await rig.device('u', MAC_A), await rig.device('v', MAC_B), await rig.device('u', MAC_C)];
    const program = await rig.lines();
    await rig.ask(program, `connme;u;${MAC_A}\n`, SUCCESS);
    await rig.device('v', 'F0:FE:6B:00:00:0D', await rig.segments());
    program.say('beat;v;F0FE6B00000E;h;0\n');
    await rig.ask(b, 'connme;v;F0FE6B00000E', SUCCESS);
    const data = (user: string, payload: string): string => `data;${user};x;x;1;${payload.length};${payload}\n`;
    const large = 'l'.repeat(9_000);
    program.say(
      [
        ...[data('u', 'a1'), data('v', 'b1'), data('v', 'b2'), data('u', 'a2'), data('u', large), data('u', 'a3')],
        ...[`connme;u;${MAC_C}\n`, data('u', 'c1'), data('stranger', 'x'), data('v', 'b3'), data('u', 'c2')],
      ].join(''),
    );
    expect(await program.line()).toBe(SUCCESS);
    expect((await c.read(4)).toString()).toBe('c1c2');
    expect((await a.read(6 + large.length)).toString()).toBe(`a1a2${large}a3`);
    expect((await b.read(6)).toString()).toBe('b1b2b3');
    expect(rig.count('dropped-data')).toBe(1);
  });

  test('whose tunnel is replaced in the middle of a payload sends the rest of it to nobody', async () => {
    await start();
    const [a, b] = [await rig.device('u', MAC_A), await rig.device('u', MAC_B)];
    const sender = await rig.lines();
    sender.say(`beat;u;${MAC_C};h;0\nconnme;u;${MAC_A}\ndata;u;x;x;1;10;12345`);
    expect(await sender.line()).toBe(SUCCESS);
    expect((await a.read(5)).toString()).toBe('12345');
    await rig.ask(await rig.segments(), `connthem;u;${MAC_B};${MAC_C}`, SUCCESS);
    sender.say('67890\ndata;u;x;x;1;3;new\n');
    expect((await b.read(3)).toString()).toBe('new');
    expect([a.unread.length, b.unread.length, units()]).toEqual([0, 0, ['CB']]);
  });

  test('that is no more where a device is, is not that device in a tunnel', async () => {
    await start();
    await rig.elfin.putUser({ uuid: 's', secret: 'a right secret' });
    const first = await rig.device('u', MAC_A);
    await rig.device('u', MAC_B);
    await rig.device('s:a right secret', MAC_A);
    await rig.ask(first, `connme;u;${MAC_B}`, SUCCESS);
    expect(units()).toEqual(['-B']);
    expect(rig.presence().filter((line) => line.includes(`tunnel with ${MAC_A}`))).toEqual([]);
    // Nor is what it says that device's.
    first.say('hello');
    await rig.until('it is dropped', () => rig.count('malformed') === 1);
    expect(rig.router.get(MAC_A)!.counts.refused).toBe(0);
  });

  test.each(['end', 'destroy', 'resetAndDestroy'] as const)('that closes (%s) takes its tunnels along', async (how) => {
    await start();
    const [a, b] = await rig.tunnel();
    b.socket[how]();
    await rig.until('the tunnel is gone', () => rig.count('tunnels') === 0);
    const before = rig.count('dropped-data');
    a.say('data;u;x;x;1;lost');
    await rig.until('it is dropped', () => rig.count('dropped-data') === before + 1);
    await rig.ask(a, `connme;u;${MAC_B}`, FAILED);
    await rig.until('the connection is gone', () => rig.count('connections') === 1);
    expect(a.isClosed).toBe(false);
  });

  test('that says something and closes at once is answered', async () => {
    await start();
    const peer = await rig.segments();
    peer.socket.end('query;u');
    expect(await peer.line()).toBe('[]\n');
    await peer.closed;
  });
});

describe('a slow end', () => {
  const head = (length: number): Buffer => Buffer.from(`data;u;x;x;1;${length};`);
  const end = Buffer.from('\n');

  /** Says it as long as somebody takes it; gives how much that was. */
  async function fill(peer: ElfinPeer, octets: Buffer, isFull: () => boolean): Promise<number> {
    let said = 0;
    while (!isFull()) {
      if (!peer.socket.write(octets)) {
        // Until it takes more, or nothing moves.
        for (let turn = 0; turn < 50 && peer.socket.writableNeedDrain; turn += 1) await settle(1);
        if (peer.socket.writableNeedDrain) return said + octets.length;
      }
      said += octets.length;
    }
    return said;
  }

  test('slows its own sender, and nobody else; then all of it comes', async () => {
    await start();
    const [fast, slow] = [await rig.device('u', MAC_A), await rig.device('u', MAC_B)];
    const [busy, other] = [await rig.lines(), await rig.lines()];
    await rig.ask(busy, `connme;u;${MAC_B}\n`, SUCCESS);
    await rig.ask(other, `connme;u;${MAC_A}\n`, SUCCESS);
    slow.socket.pause();
    const octets = Buffer.alloc(64 * KIB, 0x55);
    busy.socket.write(head(64 * KIB * 4_096));
    const said = await fill(busy, octets, () => false);
    const { bufferedOctets } = rig.connections.of(MAC_B)!;
    expect(bufferedOctets).toBeGreaterThan(0);
    expect(bufferedOctets).toBeLessThanOrEqual(32 * KIB);
    for (let number = 0; number < 100; number += 1) {
      other.say(Buffer.concat([head(4), Buffer.from('fast'), end]));
      expect((await fast.read(4)).toString()).toBe('fast');
    }
    expect(slow.isClosed).toBe(false);
    // It takes again, and its sender has gone meanwhile.
    busy.socket.end();
    let came = 0;
    slow.socket.removeAllListeners('data');
    slow.socket.on('data', (chunk: Buffer) => {
      came += chunk.length;
    });
    slow.socket.resume();
    await rig.until('all of it has come', () => came === said);
    await rig.until('the tunnel is gone', () => rig.count('tunnels') === 1);
  });

  test('that takes nothing for stalledMs is cut, and its sender goes on', async () => {
    await start({ limits: { stalledMs: 30_000 } });
    const [slow, busy] = [await rig.device('u', MAC_B), await rig.lines()];
    await rig.ask(busy, `connme;u;${MAC_B}\n`, SUCCESS);
    slow.socket.pause();
    const message = Buffer.concat([head(60_000), Buffer.alloc(60_000, 0xaa), end]);
    await fill(busy, message, () => false);
    await rig.manual.advance(29 * S);
    expect(rig.count('connections')).toBe(2);
    await rig.manual.advance(2 * S);
    await rig.until('it is cut', () => rig.count('connections') === 1);
    expect(rig.presence().at(-1)).toMatch(/^F0:FE:6B:00:00:0B offline: .*does not take/);
    await rig.until('its sender is read on', () => !busy.socket.writableNeedDrain);
    await rig.ask(busy, 'query;v\n', '[]\n');
    expect(rig.count('dropped-data')).toBeGreaterThan(0);
  });

  test('that asked for the tunnel holds nobody up either, when another takes its place', async () => {
    await start();
    const [slow, busy] = [await rig.lines(), await rig.lines()];
    busy.say(`beat;u;${MAC_B};h;0\n`);
    await rig.until('the beat', () => rig.count('devices') === 1);
    await rig.ask(slow, `connme;u;${MAC_B}\n`, SUCCESS);
    slow.socket.pause();
    await fill(busy, Buffer.concat([head(60_000), Buffer.alloc(60_000, 0xaa), end]), () => false);
    await rig.ask(await rig.segments(), `connme;u;${MAC_B}`, SUCCESS);
    await rig.until('its sender is read on', () => !busy.socket.writableNeedDrain);
  });

  test('that was its own sender’s no more holds nobody up', async () => {
    await start();
    const [slow, busy] = [await rig.device('u', MAC_B), await rig.lines()];
    await rig.device('u', MAC_C);
    await rig.ask(busy, `connme;u;${MAC_B}\n`, SUCCESS);
    slow.socket.pause();
    await fill(busy, Buffer.concat([head(60_000), Buffer.alloc(60_000, 0xaa), end]), () => false);
    // Somebody else's tunnel to that device replaces it.
    await rig.ask(await rig.segments(), `connme;u;${MAC_B}`, SUCCESS);
    await rig.until('its sender is read on', () => !busy.socket.writableNeedDrain);
    await rig.ask(busy, `connme;u;${MAC_C}\n`, SUCCESS);
    expect(rig.count('tunnels')).toBe(2);
  });

  test('that many senders left something for, one after the other, is cut as well', async () => {
    await start();
    const [slow, first] = [await rig.device('u', MAC_B), await rig.lines()];
    await rig.ask(first, `connme;u;${MAC_B}\n`, SUCCESS);
    slow.socket.pause();
    const message = Buffer.concat([head(60_000), Buffer.alloc(60_000, 0xaa), end]);
    await fill(first, message, () => false);
    // Each takes the place of the one before, whose octets wait still.
    let senders = 1;
    for (let answer = SUCCESS; answer === SUCCESS && senders < 50; senders += 1) {
      const next = await rig.lines();
      next.say(`connme;u;${MAC_B}\n`);
      answer = await next.line();
      if (answer === SUCCESS) await fill(next, message, () => rig.count('tunnels') === 0);
    }
    // A read may bring less than the 64 KiB that it brings at most.
    expect(senders).toBeGreaterThan(3);
    expect(senders).toBeLessThan(50);
    expect(rig.presence().at(-1)).toBe(`${MAC_B} offline: its connection was cut: it does not take what is sent to it`);
    await rig.ask(first, 'query;v\n', '[]\n');
  });

  test('does not take the answer to its query either, however long: nothing is lost, and no more is read', async () => {
    await start({ limits: { messageBurst: 100_000, messagesPerS: 100_000 } });
    const [first, asker] = [await rig.lines(), await rig.lines()];
    for (let number = 0; number < 1_000; number += 1)
      first.say(`beat;u;F0FE6B01${number.toString(16).padStart(4, '0')};${'ő'.repeat(64)};0\n`);
    await rig.until('they are known', () => rig.elfin.devices().length === 1_000);
    asker.socket.pause();
    await fill(asker, Buffer.from('query;u\n'.repeat(1_000)), () => false);
    const answered = rig.count('control-messages') - 1_000;
    expect(answered).toBeLessThan(200);
    let lines = 0;
    asker.socket.removeAllListeners('data');
    asker.socket.on('data', (chunk: Buffer) => {
      for (const octet of chunk) if (octet === 0x0a) lines += 1;
    });
    asker.socket.resume();
    await rig.until('it is read on', () => lines > answered + 3);
  });
});

describe('100 MB', () => {
  test('through a tunnel keep memory flat, whatever takes them', async () => {
    await start({ clock: systemClock });
    const [a, busy] = [await rig.device('u', MAC_A), await rig.lines()];
    await rig.ask(busy, `connme;u;${MAC_A}\n`, SUCCESS);
    let [came, sum] = [0, 0];
    a.socket.removeAllListeners('data');
    a.socket.on('data', (chunk: Buffer) => {
      came += chunk.length;
      sum += chunk[0]!;
    });
    const total = 100_000_000;
    const octets = Buffer.alloc(64 * KIB, 0x01);
    busy.say(`data;u;x;x;1;${total};`);
    const before = heldOctets();
    let most = 0;
    for (let said = 0; said < total; said += octets.length) {
      const part = octets.subarray(0, Math.min(octets.length, total - said));
      if (!busy.socket.write(part)) await new Promise((resolve) => busy.socket.once('drain', resolve));
      if (said % (320 * 64 * KIB) === 0) most = Math.max(most, heldOctets());
    }
    busy.say('\n');
    await rig.until('all of it has come', () => came === total);
    expect(sum).toBeGreaterThan(0);
    expect(most - before).toBeLessThan(32 * KIB * KIB);
    await rig.ask(busy, 'query;v\n', '[]\n');
  });
});

/** Octets that the process holds, in JavaScript's heap and beside it, after the collector went through. */
function heldOctets(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe('bounds', () => {
  test('control messages past the burst are read more slowly, in segments and in lines', async () => {
    await start({ limits: { messagesPerS: 10, messageBurst: 3 } });
    for (const [peer, end] of [
      [await rig.lines(), '\n'],
      [await rig.segments(), ''],
    ] as const) {
      for (let times = 0; times < 4; times += 1) await rig.ask(peer, `query;u${end}`, '[]\n');
      const before = rig.count('control-messages');
      peer.say(`query;u${end}`);
      await settle(20);
      await rig.manual.advance(99);
      await settle(20);
      expect(rig.count('control-messages')).toBe(before);
      await rig.manual.advance(1);
      expect(await peer.line()).toBe('[]\n');
      await rig.manual.advance(10 * S);
    }
  });

  test('lines that came together are read one after the other, none is lost', async () => {
    await start({ limits: { messagesPerS: 10, messageBurst: 3 } });
    const peer = await rig.lines();
    peer.say('query;u\n'.repeat(10));
    await rig.until('the burst', () => peer.unread.length === 4 * 3);
    for (let more = 5; more <= 10; more += 1) {
      await rig.manual.advance(100);
      await rig.until('one more', () => peer.unread.length === more * 3);
    }
    expect(rig.count('control-messages')).toBe(10);
  });

  test.each([
    ['of a user with a wrong secret', 'data;u:wrong one;x;x;1;x'],
    ['of type 0 of a device that is another’s', `data;v;${MAC_A};h;0;x`],
  ])('so is data %s', async (_what, message) => {
    await start({ limits: { messagesPerS: 10, messageBurst: 3 } });
    await rig.elfin.putUser({ uuid: 'u', secret: 'a right secret' });
    await rig.device('u:a right secret', MAC_A);
    const peer = await rig.segments();
    for (let times = 1; times <= 4; times += 1) {
      peer.say(message);
      await rig.until('it is dropped', () => rig.count('dropped-data') === times);
    }
    peer.say(message);
    await settle(20);
    await rig.manual.advance(99);
    await settle(20);
    expect(rig.count('dropped-data')).toBe(4);
    await rig.manual.advance(1);
    await rig.until('it is dropped', () => rig.count('dropped-data') === 5);
  });

  test('data through a tunnel is not', async () => {
    await start({ limits: { messagesPerS: 1, messageBurst: 2 } });
    const [a, b] = await rig.tunnel();
    for (let number = 0; number < 100; number += 1) {
      a.say('data;u;x;x;1;x');
      await b.read(1);
    }
  });

  test('a control message has so many octets at most: in segments a longer one is dropped', async () => {
    await start({ limits: { controlOctets: 40 } });
    const peer = await rig.segments();
    const beat = (length: number): string => `beat;u;${MAC_A};;0`.padEnd(length, '0');
    peer.say(beat(41));
    await rig.until('it is dropped', () => rig.count('malformed') === 1);
    peer.say(beat(40));
    await rig.until('it is taken', () => rig.count('control-messages') === 1);
    peer.say(`data;u;${'x'.repeat(30)};x;1;${'y'.repeat(100)}`);
    await rig.until('it is dropped', () => rig.count('malformed') === 2);
    expect(peer.isClosed).toBe(false);
  });

  test('in lines it ends the connection', async () => {
    await start({ limits: { controlOctets: 40 } });
    const peer = await rig.lines();
    peer.say(`${`beat;u;${MAC_A};;0`.padEnd(40, '0')}\n`);
    await rig.until('it is taken', () => rig.count('control-messages') === 1);
    peer.say('x'.repeat(41));
    await peer.closed;
  });

  test('there are so many connections at a time, over all listeners', async () => {
    await start({ limits: { connections: 2 } });
    const peers = [await rig.lines(), await rig.segments()];
    for (const peer of peers.slice(0, 1)) await rig.ask(peer, 'query;u\n', '[]\n');
    await rig.ask(peers[1]!, 'query;u', '[]\n');
    await (await rig.segments()).closed;
    expect([rig.count('connections'), rig.count('refused-connections')]).toEqual([2, 1]);
    peers[0]!.socket.destroy();
    await rig.until('there is room', () => rig.count('connections') === 1);
    await rig.ask(await rig.segments(), 'query;u', '[]\n');
  });

  test('of those that said nothing that counts the oldest of an address goes', async () => {
    await start({ limits: { unprovedPerAddress: 2 } });
    const proved = await rig.segments();
    await rig.ask(proved, 'query;u', '[]\n');
    const [first, second] = [await rig.segments(), await rig.segments()];
    await rig.ask(first, 'query;stranger', '[]\n');
    await rig.segments();
    await first.closed;
    expect([proved.isClosed, second.isClosed]).toEqual([false, false]);
  });

  test('one that says nothing that counts is closed after 75 s', async () => {
    await start();
    const [silent, late] = [await rig.segments(), await rig.segments()];
    await rig.until('they are here', () => rig.count('connections') === 2);
    await rig.manual.advance(74 * S);
    await rig.ask(silent, 'query;stranger', '[]\n');
    await rig.device('u', MAC_A, late);
    await rig.manual.advance(1 * S);
    await silent.closed;
    await rig.manual.advance(600 * S);
    expect(late.isClosed).toBe(false);
  });
});

test('a program may speak over TLS, ask without an end of line, and read one line', async () => {
  const folder = temporaryFolder();
  const tls = { cert: join(folder, 'server.crt'), key: join(folder, 'server.key') };
  const pem = makeCertificates();
  writeFileSync(tls.cert, pem.cert);
  writeFileSync(tls.key, pem.key);
  await start({ tls });
  const a = await rig.device('u', MAC_A);
  const program = await rig.secure(pem.ca);
  program.say('query;u');
  expect(JSON.parse(await program.line())).toMatchObject([{ macaddress: MAC_A, status: 'online' }]);
  await rig.ask(program, `connme;u;${MAC_A}`, SUCCESS);
  const payload = Buffer.from(Array.from({ length: 10_000 }, (_, index) => index & 0xff));
  program.say(Buffer.concat([Buffer.from('data;u;T8080;T8080;1;'), payload]));
  expect((await a.read(payload.length)).equals(payload)).toBe(true);
  a.say(Buffer.concat([Buffer.from(`data;u;${MAC_A};h;0;`), payload]));
  expect((await program.read(payload.length)).equals(payload)).toBe(true);
});
