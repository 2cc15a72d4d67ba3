import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { AccessListRefused } from '../../../../base/dialects/iotsocket/access-entry.js';
import { defaultIotsocketLimits } from '../../../../base/dialects/iotsocket/iotsocket-limits.js';
import type { Relay } from '../../../../base/dialects/iotsocket/relay.js';
import { Sessions } from '../../../../base/dialects/iotsocket/sessions.js';
import { TelemetryTokens } from '../../../../base/dialects/iotsocket/telemetry-tokens.js';
import { TICK_MS } from '../../../../base/dialects/iotsocket/ticks.js';
import { systemRandom } from '../../../../base/system.js';
import { StoreError } from '../../../../protocol/errors.js';
import { encodeAccessList } from '../../../../protocol/iotsocket/access-list.js';
import { toHex } from '../../../../protocol/octets.js';
import { ManualClock, settle } from '../../../support/manual-clock.js';
import { QuietLog } from '../../../support/quiet-log.js';
import { KEY, uidHex } from './octet-peer.js';
import { MemoryStream, openSession, peerOf, StubHost, type Taking } from './session-rig.js';

const OBJ = uidHex('ObjTest');
const KIB = 1_024;
const u16 = (number: number): string => number.toString(16).padStart(4, '0');
/** A request without a UID, with so many octets of data. */
const requestOf = (octets: number, tracking = 1): string => `30${u16(tracking)}00${u16(octets)}${'5a'.repeat(octets)}`;
const listOf = (...uids: string[]): string =>
  toHex(encodeAccessList(uids.map((uid) => ({ group: 'Devices', uid, key: KEY }))));
const octetsOf = (hex: string): number => hex.length / 2;

describe('octets become the same transmissions, however they are cut', () => {
  const ofObject = ['30765f000007424f4e4a4f5552', '40000700a0000d7b226f6b223a2274727565227d'];
  const ofCentral = [`38${OBJ}0001100003414243`, `48${OBJ}000200000000`, '30000300000178'];

  test.each([
    ['of an object', 'ObjTest', ofObject, ofObject],
    ['of the central', '', ofCentral, [...ofCentral.slice(0, 2), 'no UID 300003']],
  ])('%s: in three pieces, cut everywhere', (_, uid, transmissions, relayed) => {
    const sent = transmissions.join('');
    for (let first = 0; first <= sent.length; first += 2) {
      for (let second = first; second <= sent.length; second += 2) {
        const host = new StubHost();
        const { stream, session } = openSession(host, uid);
        for (const piece of [sent.slice(0, first), sent.slice(first, second), sent.slice(second)]) {
          if (piece !== '') stream.send(piece);
        }
        expect(host.relayed).toEqual(relayed);
        expect(host.said).toEqual([]);
        expect([session.kept, session.partialSince]).toEqual([0, 0]);
      }
    }
  });

  test.each([
    ['of an object', 'ObjTest', ofObject, ofObject],
    ['of the central', '', ofCentral, [...ofCentral.slice(0, 2), 'no UID 300003']],
  ])('%s: an octet at a time', (_, uid, transmissions, relayed) => {
    const host = new StubHost();
    const { stream } = openSession(host, uid);
    for (const octet of transmissions.join('').match(/../g)!) stream.send(octet);
    expect(host.relayed).toEqual(relayed);
  });

  test('the longest transmission, in pieces of every size', () => {
    const longest = requestOf(65_535);
    for (const octets of [1, 5, 6, 7, 63, 64, 65, 1_460, 16_384, 65_540, 65_541]) {
      const host = new StubHost();
      const { stream } = openSession(host, 'ObjTest');
      const sent = Buffer.from(`10${longest}20`, 'hex');
      for (let at = 0; at < sent.length; at += octets) stream.send(sent.subarray(at, at + octets));
      expect(host.relayed).toEqual([longest]);
      host.flush();
      expect(stream.written).toBe('20');
    }
  });

  test('what came with the opening is read first', () => {
    const host = new StubHost();
    const { stream } = openSession(host, 'ObjTest', { rest: `${ofObject[0]}4000` });
    stream.send(ofObject[1]!.slice(4));
    expect(host.relayed).toEqual([ofObject[0], `4000${ofObject[1]!.slice(4)}`]);
  });

  test('a close in two pieces is a close, and nothing behind it counts', () => {
    const host = new StubHost();
    const { stream } = openSession(host, 'ObjTest');
    stream.send('f0');
    expect(host.said).toEqual([]);
    stream.send(`a0${ofObject[0]}`);
    stream.send(ofObject[1]!);
    expect([host.said, host.relayed]).toEqual([['closed by peer a0'], []]);
  });

  test('an object that names a UID is refused at the first octet, and once', () => {
    for (const first of ['38', '48', '68', '50', '00', '31']) {
      const host = new StubHost();
      const { stream, session } = openSession(host, 'ObjTest');
      stream.send(first);
      stream.send(`${OBJ}0001000000`);
      expect([host.said, session.kept]).toEqual([['broken 0: frame-malformed'], 0]);
      expect(stream.written).toBe('f000');
    }
  });

  test('a fault of ours is close 03', () => {
    const host = new StubHost();
    const { stream } = openSession(host, 'ObjTest');
    host.relay.objectRequest = () => {
      throw new TypeError('a slip');
    };
    stream.send(ofObject[0]!);
    expect([host.said, stream.written]).toEqual([['broken 3: internal'], 'f003']);
  });
});

describe('what is kept of an unfinished transmission', () => {
  test('grows with what has come, not with what was announced', () => {
    for (const octets of [1, 10, 100, 1_460]) {
      const { stream, session } = openSession(new StubHost(), 'ObjTest');
      const sent = Buffer.from(requestOf(65_535), 'hex').subarray(0, -1);
      const wrong: number[] = [];
      for (let at = 0; at < sent.length; at += octets) {
        stream.send(sent.subarray(at, at + octets));
        const come = Math.min(at + octets, sent.length);
        if (session.kept < come || session.kept > Math.min(65_541, Math.max(64, 2 * come))) wrong.push(come);
      }
      expect(wrong).toEqual([]);
      stream.send('5a');
      expect(session.kept).toBe(0);
    }
  });

  test('of ten thousand that announce 65 535 octets and send 10 is little', () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const host = new StubHost();
    const opened = Array.from({ length: 10_000 }, () => openSession(host, 'ObjTest'));
    const sent = Buffer.from(requestOf(65_535).slice(0, 20), 'hex');
    gc();
    const before = process.memoryUsage();
    for (const { stream } of opened) stream.send(sent);
    gc();
    const after = process.memoryUsage();
    const kept = opened.reduce((sum, { session }) => sum + session.kept, 0);
    expect(kept).toBe(10_000 * 64);
    const used = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers;
    expect(used).toBeLessThan(6 * KIB * KIB);
  });

  test('is let go when the connection is gone', () => {
    const host = new StubHost();
    const { stream, session } = openSession(host, 'ObjTest');
    stream.send(requestOf(1_000).slice(0, -2));
    expect(session.kept).toBeGreaterThan(1_000);
    session.closed();
    expect([session.kept, host.said]).toEqual([0, ['closed']]);
  });

  test('is let go when goodbye is said', () => {
    for (const [uid, begun] of [
      ['ObjTest', requestOf(1_000).slice(0, -2)],
      ['', listOf('a', 'b').slice(0, -2)],
    ] as const) {
      const { stream, session } = openSession(new StubHost(), uid);
      stream.send(begun);
      expect(session.kept).toBeGreaterThan(0);
      session.close(1);
      expect([session.kept, session.partialSince]).toEqual([0, 0]);
    }
  });

  test('has a clock from its first octet to its last', () => {
    const host = new StubHost();
    const { stream, session } = openSession(host, 'ObjTest');
    host.now = 7;
    stream.send('10300001');
    host.now = 9;
    stream.send('000001');
    expect(session.partialSince).toBe(7);
    stream.send('0030');
    expect(session.partialSince).toBe(9);
  });
});

describe('an access list', () => {
  test('stops the reading until it is in force; then what came behind it counts, in order', async () => {
    const host = new StubHost();
    const { stream, session } = openSession(host, '');
    stream.send(`10${listOf('ObjTest')}${requestOf(1)}`);
    stream.send(`38${OBJ}0002000000`);
    await settle();
    expect([host.lists.length, host.relayed, session.kept]).toEqual([1, [], octetsOf(requestOf(1))]);
    host.settleList();
    await settle();
    expect(host.relayed).toEqual(['no UID 300001', `38${OBJ}0002000000`]);
  });

  test('may come with the opening: nothing of what follows is lost', async () => {
    const host = new StubHost();
    const { stream } = openSession(host, '', { rest: `${listOf('ObjTest')}${requestOf(0, 1)}` });
    stream.send(requestOf(0, 2));
    await settle();
    expect(host.relayed).toEqual([]);
    host.settleList();
    await settle();
    expect(host.relayed).toEqual(['no UID 300001', 'no UID 300002']);
  });

  test('may follow another: one at a time', async () => {
    const host = new StubHost();
    const { stream } = openSession(host, '');
    stream.send(`${listOf('a')}${listOf('b', 'c')}${requestOf(0)}`);
    host.settleList();
    await settle();
    expect([host.lists.map((list) => list.length), host.relayed]).toEqual([[1, 2], []]);
    host.settleList();
    await settle();
    expect(host.relayed).toEqual(['no UID 300001']);
  });

  test('cut everywhere it is the same list', async () => {
    const sent = `${listOf('a', 'b')}10`;
    for (let cut = 2; cut < sent.length; cut += 2) {
      const host = new StubHost();
      const { stream } = openSession(host, '');
      stream.send(sent.slice(0, cut));
      stream.send(sent.slice(cut));
      host.settleList();
      await settle(1);
      host.flush();
      expect([host.lists.map((list) => list.map(({ uid }) => uid)), stream.written]).toEqual([[['a', 'b']], '20']);
    }
  });

  test.each([
    ['refused', new AccessListRefused('no such group'), 'broken 0: undefined'],
    ['not taken by the disk', new StoreError('store-failed', 'the disk is full'), 'broken 3: store-failed'],
  ])('that is %s ends the session, and what was behind it is forgotten', async (_, error, said) => {
    const host = new StubHost();
    const { stream, session } = openSession(host, '');
    stream.send(`${listOf('a')}${requestOf(0)}`);
    host.settleList(error);
    await settle();
    expect([host.said, host.relayed, session.kept]).toEqual([[said], [], 0]);
  });

  test.each([undefined, new AccessListRefused('no such group')])(
    'that settles when the connection is gone changes nothing (%s)',
    async (error) => {
      const host = new StubHost();
      const { stream } = openSession(host, '');
      stream.send(`${listOf('a')}${requestOf(0)}`);
      stream.destroy();
      await settle();
      host.settleList(error);
      await settle();
      expect([host.said, host.relayed]).toEqual([['closed'], []]);
    },
  );

  test('too long is refused before an entry has come', () => {
    const host = new StubHost({ accessListEntries: 2 });
    const { stream, session } = openSession(host, '');
    stream.send('0000000003');
    expect([host.said, session.kept]).toEqual([['broken 0: frame-too-long'], 0]);
  });
});

describe('pings', () => {
  test('are answered, in one write, and are signs of life', () => {
    const host = new StubHost();
    const { stream, session } = openSession(host, 'ObjTest');
    session.isPinged = true;
    host.now = 50;
    stream.send('101020' + '10');
    expect(stream.writes).toEqual([]);
    host.flush();
    expect(stream.writes).toEqual(['202020']);
    expect([session.heard, session.isPinged]).toEqual([50, false]);
  });

  test('of ours go out at once, or with what goes out anyway', () => {
    const host = new StubHost();
    const { stream, session } = openSession(host, 'ObjTest');
    session.ping();
    expect(stream.writes).toEqual(['10']);
    session.send(Buffer.from('3000', 'hex'));
    session.ping();
    expect(stream.writes).toEqual(['10']);
    host.flush();
    expect(stream.writes).toEqual(['10', '300010']);
  });
});

describe('a peer that sends more than it may', () => {
  test('is not read until its rate allows it', async () => {
    const host = new StubHost({ transmissionsPerS: 50, transmissionBurst: 20 });
    const { stream, session } = openSession(host, 'ObjTest');
    stream.send('10'.repeat(20));
    expect(host.said).toEqual([]);
    stream.send('10');
    expect(host.said).toEqual(['throttled until 2']);
    stream.send(requestOf(0));
    await settle();
    expect(host.relayed).toEqual([]);
    host.now = 2;
    session.unthrottle(2);
    await settle();
    expect(host.relayed).toEqual([requestOf(0)]);
  });

  test('is not read on after its opening either', async () => {
    const host = new StubHost({ transmissionsPerS: 50, transmissionBurst: 20 });
    const { stream, session } = openSession(host, 'ObjTest', { rest: '10'.repeat(71) });
    expect(host.said).toEqual(['throttled until 12']);
    stream.send(requestOf(0));
    await settle();
    expect(host.relayed).toEqual([]);
    session.unthrottle(12);
    await settle();
    expect(host.relayed).toEqual([requestOf(0)]);
  });

  test('is who sends many transmissions, not who sends one in many pieces', () => {
    const host = new StubHost({ transmissionsPerS: 50, transmissionBurst: 3 });
    const { stream } = openSession(host, 'ObjTest');
    for (const octet of Buffer.from(requestOf(1_000), 'hex')) stream.send(Uint8Array.of(octet));
    stream.send('1010');
    expect([host.relayed.length, host.said]).toEqual([1, []]);
    stream.send('10');
    expect(host.said).toEqual(['throttled until 2']);
  });

  test('has as much time for a transmission as another, since nobody reads it', () => {
    const host = new StubHost({ transmissionsPerS: 50, transmissionBurst: 20 });
    const { stream, session } = openSession(host, 'ObjTest');
    stream.send(`${'10'.repeat(21)}3000`);
    expect([session.isThrottled, session.partialSince]).toEqual([true, 0]);
    session.unthrottle(9);
    expect(session.partialSince).toBe(9);
  });

  test('is never the central', () => {
    const host = new StubHost({ transmissionsPerS: 50, transmissionBurst: 20 });
    const { stream } = openSession(host, '');
    stream.send('10'.repeat(1_000));
    expect(host.said).toEqual([]);
  });
});

describe('what is written', () => {
  test('in one turn goes out in one piece', () => {
    for (const uid of ['ObjTest', '']) {
      const host = new StubHost();
      const { stream, session } = openSession(host, uid);
      for (let index = 0; index < 100; index += 1) session.send(Uint8Array.of(0x30, index));
      expect(stream.writes).toEqual([]);
      host.flush();
      expect(stream.writes).toEqual([Array.from({ length: 100 }, (_, index) => `30${u16(index).slice(2)}`).join('')]);
      host.flush();
      expect(stream.writes).toHaveLength(1);
    }
  });

  test('is at most 64 KiB at once, or one transmission', () => {
    for (const uid of ['ObjTest', '']) {
      const host = new StubHost();
      const { stream, session } = openSession(host, uid);
      const sent: string[] = [];
      for (const octets of [1_000, 64 * KIB - 1_006, 65_535, 10, 40_000, 40_000]) {
        sent.push(requestOf(octets));
        session.send(Buffer.from(sent.at(-1)!, 'hex'));
      }
      host.flush();
      expect(stream.written).toBe(sent.join(''));
      expect(Math.max(...stream.writes.map(octetsOf))).toBe(65_541);
      expect(stream.writes.length).toBeLessThanOrEqual(5);
    }
  });

  test.each<Taking>(['at once', 'later'])('stays as it was, whatever is written next (taken %s)', (taking) => {
    for (const uid of ['ObjTest', '']) {
      const host = new StubHost();
      const { stream, session } = openSession(host, uid, { taking });
      const sent: string[] = [];
      for (let turn = 0; turn < 300; turn += 1) {
        sent.push(requestOf(turn, turn));
        session.send(Buffer.from(sent.at(-1)!, 'hex'));
        host.flush();
        if (turn % 7 === 0) stream.accept();
      }
      while (octetsOf(stream.written) < octetsOf(sent.join(''))) stream.accept();
      expect(stream.written).toBe(sent.join(''));
    }
  });

  test('after goodbye is nothing', async () => {
    const host = new StubHost();
    const { stream, session } = openSession(host, 'ObjTest');
    session.send(Uint8Array.of(0x20));
    session.close(1);
    expect(stream.written).toBe('20f001');
    session.send(Uint8Array.of(0x20));
    session.ping();
    session.close(2);
    stream.send(`10${requestOf(0)}`);
    host.flush();
    await settle();
    expect(stream.written).toBe('20f001');
    expect([host.relayed, session.goodbyeAt]).toEqual([[], 21]);
  });

  test("after the peer's goodbye is what was for it before", async () => {
    const host = new StubHost();
    const { stream, session } = openSession(host, 'ObjTest');
    stream.send('10f0a0');
    session.close(1);
    host.flush();
    await settle();
    expect([stream.written, host.said[0]]).toEqual(['20', 'closed by peer a0']);
  });

  test('to a connection that is gone is nowhere', () => {
    const host = new StubHost();
    const { stream, session } = openSession(host, 'ObjTest');
    stream.destroy();
    session.send(Uint8Array.of(0x20));
    session.close(1);
    host.flush();
    expect(stream.written).toBe('');
  });
});

describe('a peer that takes too little', () => {
  test.each(['ObjTest', ''])('is cut one octet past the bound, once (%j)', (uid) => {
    const host = new StubHost({ unsentOctets: 100 * KIB });
    const { stream, session } = openSession(host, uid, { taking: 'never' });
    for (let kib = 0; kib < 100; kib += 10) {
      session.send(Buffer.alloc(10 * KIB));
      host.flush();
    }
    expect([session.unsent, host.said]).toEqual([100 * KIB, []]);
    session.send(Uint8Array.of(0x20));
    expect(session.unsent).toBe(100 * KIB + 1);
    host.flush();
    expect(host.said).toEqual(['too slow']);
    expect(stream.destroyed).toBe(true);
  });

  test('holds about what counts as unsent, not a buffer for each turn', () => {
    for (const uid of ['ObjTest', '']) {
      const host = new StubHost();
      const { stream, session } = openSession(host, uid, { taking: 'never' });
      let held = 0;
      const { write } = stream;
      stream.write = ((chunk: Buffer) => {
        held += chunk.buffer.byteLength;
        return write.call(stream, chunk, undefined as never);
      }) as typeof write;
      for (let turn = 0; turn < 1_000; turn += 1) {
        session.send(Buffer.alloc(31));
        host.flush();
      }
      expect(session.unsent).toBe(31_000);
      expect(held).toBeLessThan(31_000 + 2 * 64 * KIB);
    }
  });

  test('lets those who wait for it be read again when it has taken all', async () => {
    const host = new StubHost();
    const slow = openSession(host, '', { taking: 'later' });
    const source = openSession(host, 'ObjTest');
    slow.session.send(Buffer.alloc(20 * KIB));
    host.flush();
    source.session.pauseFor(slow.session);
    source.session.pauseFor(slow.session);
    source.stream.send(requestOf(0));
    await settle();
    expect([host.relayed, source.session.isPaused]).toEqual([[], true]);
    host.now = 90;
    slow.stream.accept();
    await settle();
    expect([host.relayed, source.session.isPaused]).toEqual([[requestOf(0)], false]);
    expect([slow.session.stalledSince, source.session.heard]).toEqual([0, 90]);
  });

  test('lets them be read again when it is gone', async () => {
    const host = new StubHost();
    const slow = openSession(host, '', { taking: 'never' });
    const source = openSession(host, 'ObjTest');
    slow.session.send(Buffer.alloc(20 * KIB));
    host.flush();
    source.session.pauseFor(slow.session);
    source.stream.send(requestOf(0));
    slow.stream.destroy();
    await settle();
    expect([host.relayed, host.said]).toEqual([[requestOf(0)], ['closed']]);
  });

  test('leaves alone what is gone, or still has too high a rate', async () => {
    const host = new StubHost({ transmissionsPerS: 50, transmissionBurst: 2 });
    const slow = openSession(host, '', { taking: 'later' });
    slow.session.send(Buffer.alloc(20 * KIB));
    host.flush();
    const [fast, gone] = [openSession(host, 'fast'), openSession(host, 'gone')];
    for (const { session } of [fast, gone]) session.pauseFor(slow.session);
    // It was throttled by what it had sent before.
    fast.session.isThrottled = true;
    gone.stream.destroy();
    slow.stream.accept();
    fast.stream.send(requestOf(0));
    await settle();
    expect(host.relayed).toEqual([]);
    fast.session.unthrottle(5);
    await settle();
    expect(host.relayed).toEqual([requestOf(0)]);
  });

  test("a source's unfinished transmission has its time when it is read again", async () => {
    const host = new StubHost();
    const slow = openSession(host, '', { taking: 'later' });
    slow.session.send(Buffer.alloc(20 * KIB));
    host.flush();
    const source = openSession(host, 'ObjTest');
    host.relay.objectRequest = (session) => session.pauseFor(slow.session);
    source.stream.send(`${requestOf(0)}3000`);
    expect([source.session.isPaused, source.session.partialSince]).toEqual([true, 0]);
    host.now = 200;
    slow.stream.accept();
    await settle();
    expect([source.session.isPaused, source.session.partialSince]).toEqual([false, 200]);
  });
});

describe('sessions of streams', () => {
  function start() {
    const clock = new ManualClock();
    const log = new QuietLog();
    const presence: string[] = [];
    const stub = new StubHost();
    const relay = Object.assign(stub.relay, { resume: () => Promise.resolve(), end: () => {}, remove: () => {} });
    const sessions = new Sessions({
      relay: relay as Relay,
      tokens: new TelemetryTokens(systemRandom),
      central: undefined,
      hasTelemetry: false,
      keepSessionMs: 60_000,
      limits: defaultIotsocketLimits,
      replaceAccessList: () => Promise.resolve(),
      presence: ({ uid }, { state, reason }) => void presence.push(`${uid} ${state} ${reason ?? ''}`.trim()),
      refused: () => {},
      clock,
      log,
    });
    sessions.start();
    const open = (uid: string, taking: Taking) => {
      const stream = new MemoryStream();
      stream.taking = taking;
      stream.pause();
      const peer = peerOf(uid);
      const nothing = Buffer.alloc(0);
      sessions.open(peer, { stream, address: '127.0.0.1', maxTransmission: 0, verdict: nothing, rest: nothing });
      stream.read(0);
      return { stream, peer, session: peer.session! };
    };
    /** Lets time pass, with a sign of life every 5 s and, if asked for, what is written taken. */
    const pass = async (ms: number, { stream }: { stream: MemoryStream }): Promise<void> => {
      for (let passed = 0; passed < ms; passed += 500) {
        if (passed % 5_000 === 0) stream.send('20');
        await clock.advance(500);
      }
    };
    /** Who does not close is cut after 2 s. */
    const stop = async (): Promise<void> => {
      const stopped = sessions.stop();
      await clock.advance(2_000);
      await stopped;
    };
    return { clock, log, presence, relay: stub.relay, stop, open, pass };
  }
  const { stalledMs, unsentOctets, transmissionMs } = defaultIotsocketLimits;

  test('one that takes nothing for 30 s is cut then, not before', async () => {
    for (const octets of [10, 20 * KIB, 100 * KIB]) {
      const { open, pass, presence, stop } = start();
      const slow = open('slow', 'never');
      slow.session.send(Buffer.alloc(octets));
      await pass(stalledMs - 500, slow);
      expect(slow.stream.destroyed).toBe(false);
      await pass(1_000, slow);
      expect(slow.stream.destroyed).toBe(true);
      expect(presence.at(-1)).toBe('slow offline it did not take what was sent to it');
      await stop();
    }
  });

  test('one that takes everything a little later, as TLS and WebSockets do, is not stalled', async () => {
    const { open, pass, stop } = start();
    const tls = open('tls', 'later');
    for (let second = 0; second < 120; second += 1) {
      tls.session.send(Buffer.alloc(31));
      await settle(1);
      expect(tls.stream.writableLength).toBe(31);
      tls.stream.accept();
      await pass(1_000, tls);
    }
    // Nothing more is written, so that nobody is told that it was taken.
    await pass(2 * stalledMs, tls);
    expect(tls.stream.destroyed).toBe(false);
    // Also where there is always something on its way.
    for (let second = 0; second < 120; second += 1) {
      tls.session.send(Buffer.alloc(31));
      await settle(1);
      await pass(1_000, tls);
      tls.stream.accept();
    }
    expect(tls.stream.destroyed).toBe(false);
    await stop();
  });

  test('one that takes slowly, but takes, is not stalled', async () => {
    const { open, pass, stop } = start();
    const slow = open('slow', 'later');
    slow.session.send(Buffer.alloc(30_000));
    await settle(1);
    for (let minute = 0; minute < 4; minute += 1) {
      slow.session.send(Buffer.alloc(30_000));
      await settle(1);
      await pass(25_000, slow);
      slow.stream.accept();
    }
    expect(slow.stream.destroyed).toBe(false);
    await stop();
  });

  test('one past the bound of unsent octets is told so, cut, and its session is over', async () => {
    for (const uid of ['slow', '']) {
      const { open, stop, log } = start();
      const slow = open(uid, 'never');
      for (let sent = 0; sent <= unsentOctets; sent += 16 * KIB) slow.session.send(Buffer.alloc(16 * KIB));
      await settle();
      expect(slow.stream.destroyed).toBe(true);
      expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
      expect(slow.peer.hasSession).toBe(false);
      await stop();
    }
  });

  test('one that says goodbye while much waits for it is let go without more words', async () => {
    const { open, stop, clock } = start();
    const slow = open('slow', 'never');
    slow.session.send(Buffer.alloc(unsentOctets));
    await settle(1);
    slow.session.send(Buffer.alloc(10));
    slow.stream.send('f0a0');
    await settle();
    expect(slow.session.unsent).toBe(unsentOctets + 10);
    await clock.advance(3_000);
    expect(slow.stream.destroyed).toBe(true);
    expect(slow.peer.keptUntil).toBeGreaterThan(0);
    await stop();
  });

  test('an unfinished transmission has 10 s, and none of them while nobody reads it', async () => {
    const { open, stop, clock, relay } = start();
    const slow = open('slow', 'later');
    slow.session.send(Buffer.alloc(20 * KIB));
    await settle(1);
    const source = open('source', 'at once');
    relay.objectRequest = (session) => session.pauseFor(slow.session);
    source.stream.send(`${requestOf(0)}3000`);
    await clock.advance(transmissionMs + 1_000);
    expect(source.stream.writableEnded).toBe(false);
    slow.stream.accept();
    await clock.advance(transmissionMs - 500);
    expect(source.stream.writableEnded).toBe(false);
    await clock.advance(500 + TICK_MS);
    expect(source.stream.written).toBe('f000');
    await stop();
  });
});
