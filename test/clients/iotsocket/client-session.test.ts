import { describe, expect, test } from 'vitest';
import {
  ClientSession,
  HIGH_WATER_OCTETS,
  MAX_UNSENT_OCTETS,
  OPENING_MS,
  type Received,
  type SessionEnd,
  type SessionSettings,
  STALLED_MS,
  STEP_MS,
  TLS_MS,
  TRANSMISSION_MS,
} from '../../../clients/iotsocket/client-session.js';
import type { ErrorCode } from '../../../protocol/errors.js';
import { noPayload } from '../../../protocol/iotsocket/transmission.js';
import { fromHex } from '../../../protocol/octets.js';
import { countingCrypto } from '../../protocol/crypto.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { MemoryStream } from './support/memory-stream.js';
import { CENTRAL_LOGIN, CHALLENGE, KEY, OBJECT_LOGIN, UID } from './support/scripted-peer.js';

const PING_MS = 15_000;
const DEAD_MS = 45_000;
const settings: SessionSettings = {
  uid: 'ObjTest',
  key: fromHex(KEY),
  version: 1,
  asksTls: false,
  maxTransmission: 0,
  pingAfterMs: PING_MS,
  deadAfterMs: DEAD_MS,
};

class Subject {
  readonly clock = new ManualClock();
  readonly stream = new MemoryStream();
  readonly received: Received[] = [];
  readonly session: ClientSession;
  opened = 0;
  drained = 0;
  ends: SessionEnd[] = [];
  redirection: object | undefined;

  constructor(more: Partial<SessionSettings> = {}) {
    this.session = new ClientSession({
      ...settings,
      ...more,
      stream: this.stream,
      platform: { clock: this.clock, fraction: () => 0, crypto: countingCrypto(0) },
      events: {
        opened: () => {
          this.opened += 1;
        },
        redirected: ({ host, port }) => {
          this.redirection = { host, port };
        },
        received: (transmission) => this.received.push(transmission),
        drained: () => {
          this.drained += 1;
        },
        closed: (end) => this.ends.push(end),
      },
    });
    this.session.start();
  }

  /** Opens the session; forgets what was written for it. */
  static open(more: Partial<SessionSettings> = {}): Subject {
    const subject = new Subject(more);
    subject.stream.push(`8000${CHALLENGE}`);
    subject.stream.push('01');
    expect(subject.opened).toBe(1);
    subject.stream.writes.length = 0;
    return subject;
  }

  /** How it ended: the error's code, if it has. */
  get failure(): ErrorCode | undefined {
    expect(this.ends).toHaveLength(1);
    return (this.ends[0]!.error as { readonly code?: ErrorCode } | undefined)?.code;
  }

  /** Nothing is left behind. */
  isGone(): void {
    expect(this.stream.isDestroyed).toBe(true);
    expect(this.clock.waiting).toBe(0);
  }
}

const request = (tracking: number, length = 0) => ({
  kind: 'request' as const,
  tracking,
  payload: { ...noPayload, data: new Uint8Array(length) },
});

describe('the opening', () => {
  test('v1.01 is open with the verdict, and what came behind it follows', () => {
    const subject = new Subject();
    expect(subject.stream.writes).toEqual(['01000000']);
    subject.stream.push(`8000${CHALLENGE}`);
    expect(subject.stream.writes[1]).toBe(OBJECT_LOGIN);
    subject.stream.push('01500102030405060708');
    expect(subject.opened).toBe(1);
    expect(subject.received).toEqual([{ kind: 'telemetryToken', token: fromHex('0102030405060708') }]);
  });

  test('draft v0.07 is open when the ping behind the login is answered', () => {
    const subject = new Subject({ version: 0 });
    subject.stream.push(`8000${CHALLENGE}`);
    expect(subject.stream.writes).toEqual(['00000000', `${OBJECT_LOGIN}10`]);
    expect(subject.opened).toBe(0);
    subject.stream.push('20');
    expect(subject.opened).toBe(1);
  });

  test('draft v0.07 is open with any transmission, which is not lost', () => {
    const subject = new Subject({ version: 0 });
    subject.stream.push(`8000${CHALLENGE}`);
    subject.stream.push('5001020304');
    expect(subject.opened).toBe(0);
    subject.stream.push('0506070820');
    expect(subject.opened).toBe(1);
    expect(subject.received).toHaveLength(1);
  });

  test('draft v0.07: a connection that ends after the login is a refusal, a close is not', () => {
    const dropped = new Subject({ version: 0 });
    dropped.stream.push(`8000${CHALLENGE}`);
    dropped.stream.destroy();
    expect(dropped.failure).toBe('proof-refused');
    const closed = new Subject({ version: 0 });
    closed.stream.push(`8000${CHALLENGE}`);
    closed.stream.push('f002');
    closed.stream.destroy();
    expect(closed.failure).toBe('connect-failed');
    expect(closed.ends[0]!.code).toBe(2);
    expect(closed.opened).toBe(0);
  });

  test('the central logs in with sixteen 00', () => {
    const subject = new Subject({ uid: '' });
    subject.stream.push(`8000${CHALLENGE}`);
    expect(subject.stream.writes[1]).toBe(CENTRAL_LOGIN);
  });

  test.each([
    ['refused', ['0000'], 'proof-refused'],
    ['a wrong verdict', [`8000${CHALLENGE}`, '00'], 'proof-refused'],
    ['a rule nobody knows', ['8200'], 'opening-malformed'],
  ])('%s', (_, pushed, code) => {
    const subject = new Subject();
    for (const hex of pushed) subject.stream.push(hex);
    expect(subject.failure).toBe(code);
    expect(subject.opened).toBe(0);
    subject.isGone();
  });

  test('a redirection comes out, and the connection closes', () => {
    const subject = new Subject();
    subject.stream.push('81000d6e6f6465322e6578616d706c65c549');
    expect(subject.redirection).toEqual({ host: 'node2.example', port: 50_505 });
    expect(subject.failure).toBeUndefined();
    subject.isGone();
  });

  test('TLS begins behind the answer; the challenge is awaited when it is there', () => {
    const subject = new Subject({ asksTls: true });
    expect(subject.stream.writes).toEqual(['81000000']);
    subject.stream.push('8000');
    expect(subject.stream.isTls).toBe(true);
    subject.stream.sink.secured();
    subject.stream.push(CHALLENGE);
    subject.stream.push('01');
    expect(subject.opened).toBe(1);
  });

  test.each([
    ['the answer', []],
    ['the challenge', ['8000']],
    ['the verdict', ['8000', CHALLENGE]],
  ])('%s is waited for 5 s', async (_, pushed) => {
    const subject = new Subject();
    for (const hex of pushed) {
      await subject.clock.advance(STEP_MS - 1);
      subject.stream.push(hex);
    }
    await subject.clock.advance(STEP_MS - 1);
    expect(subject.ends).toEqual([]);
    await subject.clock.advance(1);
    expect(subject.failure).toBe('opening-timeout');
    subject.isGone();
  });

  test('draft v0.07: the answer to the ping is waited for 5 s', async () => {
    const subject = new Subject({ version: 0 });
    subject.stream.push(`8000${CHALLENGE}`);
    await subject.clock.advance(STEP_MS - 1);
    expect(subject.ends).toEqual([]);
    await subject.clock.advance(1);
    expect(subject.failure).toBe('opening-timeout');
  });

  test('the TLS handshake is waited for 15 s', async () => {
    const subject = new Subject({ asksTls: true });
    subject.stream.push('8000');
    await subject.clock.advance(TLS_MS - 1);
    expect(subject.ends).toEqual([]);
    await subject.clock.advance(1);
    expect(subject.failure).toBe('opening-timeout');
  });

  test('an octet every 4 s does not hold it longer than 20 s in all', async () => {
    const subject = new Subject();
    for (const octet of ['80', '00', '00', '01']) {
      await subject.clock.advance(4_000);
      subject.stream.push(octet);
    }
    await subject.clock.advance(OPENING_MS - 4 * 4_000 - 1);
    expect(subject.ends).toEqual([]);
    await subject.clock.advance(1);
    expect(subject.failure).toBe('opening-timeout');
  });

  test('a connection that breaks during it', () => {
    const subject = new Subject();
    subject.stream.push('8000');
    subject.stream.destroy(new Error('ECONNRESET'));
    expect(subject.failure).toBe('connect-failed');
    subject.isGone();
  });
});

describe('the session', () => {
  test('answers a ping; many frames of one read in one write', async () => {
    const subject = Subject.open();
    subject.stream.push('10'.repeat(100));
    expect(subject.stream.writes).toEqual([]);
    await settle(1);
    expect(subject.stream.writes).toEqual(['20'.repeat(100)]);
  });

  test('octet by octet, the same comes out', () => {
    const subject = Subject.open();
    for (const octet of '30765f000007424f4e4a4f555240765f00a0000d7b226f6b223a2274727565227d'.match(/../g)!)
      subject.stream.push(octet);
    expect(subject.received).toMatchObject([
      { kind: 'request', tracking: 30_303, payload: { data: fromHex('424f4e4a4f5552') } },
      { kind: 'response', tracking: 30_303, code: 0, payload: { format: 10 } },
    ]);
  });

  test('pings after 15 s without octets from the concentrator, and ends after 45 s', async () => {
    const subject = Subject.open();
    await subject.clock.advance(PING_MS - 1);
    expect(subject.stream.writes).toEqual([]);
    await subject.clock.advance(1);
    expect(subject.stream.writes).toEqual(['10']);
    subject.stream.push('20');
    await subject.clock.advance(PING_MS);
    expect(subject.stream.writes).toEqual(['10', '10']);
    await subject.clock.advance(PING_MS);
    expect(subject.stream.writes).toEqual(['10', '10', '10']);
    await subject.clock.advance(DEAD_MS - 2 * PING_MS - 1);
    expect(subject.stream.isEnded).toBe(false);
    await subject.clock.advance(1);
    expect(subject.stream.writes.at(-1)).toBe('f0a1');
    await subject.clock.advance(2_000);
    expect(subject.failure).toBe('link-silent');
    subject.isGone();
  });

  test('what we send is no reason not to ping', async () => {
    const subject = Subject.open();
    for (let second = 0; second < 15; second += 1) {
      await subject.clock.advance(1_000);
      if (second < 14) subject.session.send(request(second));
    }
    expect(subject.stream.writes.at(-1)).toBe('10');
  });

  test('a transmission must be whole within 10 s of its first octet', async () => {
    const subject = Subject.open();
    subject.stream.push('30765f0000');
    for (let second = 1; second < 10; second += 1) {
      await subject.clock.advance(1_000);
      if (second === 5) subject.stream.push('07');
    }
    await subject.clock.advance(999);
    expect(subject.stream.isEnded).toBe(false);
    await subject.clock.advance(1);
    expect(subject.stream.writes.at(-1)).toBe('f000');
    subject.stream.destroy();
    expect(subject.failure).toBe('frame-too-slow');
    subject.isGone();
  });

  test('one transmission after the other, each begun before the last ended, is not too slow', async () => {
    const subject = Subject.open();
    subject.stream.push('30765f0000');
    for (let count = 0; count < 5; count += 1) {
      await subject.clock.advance(TRANSMISSION_MS - 1);
      subject.stream.push('0030765f0000');
    }
    expect(subject.received).toHaveLength(5);
    expect(subject.ends).toEqual([]);
  });

  test.each([
    ['ours, for sleep', (subject: Subject) => subject.session.close(0xa0), 0xa0, 'f0a0'],
    ['theirs, for maintenance', (subject: Subject) => subject.stream.push('f001'), 1, undefined],
  ])('a close, %s: nothing follows it', (_, close, code, written) => {
    const subject = Subject.open();
    close(subject);
    subject.stream.push('10');
    subject.session.send(request(1));
    subject.session.close(0);
    expect(subject.stream.writes).toEqual(written === undefined ? [] : [written]);
    expect(subject.stream.isEnded).toBe(true);
    subject.stream.destroy();
    expect(subject.ends).toEqual([{ code, error: undefined }]);
    subject.isGone();
  });

  test('a concentrator that does not close after goodbye is left after 2 s', async () => {
    const subject = Subject.open();
    subject.session.close(0xa1);
    await subject.clock.advance(1_999);
    expect(subject.ends).toEqual([]);
    await subject.clock.advance(1);
    expect(subject.ends).toHaveLength(1);
    subject.isGone();
  });

  test('what waits to be sent goes out before the close', () => {
    const subject = Subject.open();
    subject.session.send(request(1));
    subject.session.close(0xa0);
    expect(subject.stream.writes).toEqual(['300001000000f0a0']);
  });

  test('a drop is a lost link', () => {
    const subject = Subject.open();
    subject.stream.destroy();
    expect(subject.failure).toBe('link-lost');
    expect(subject.ends[0]!.code).toBeUndefined();
    subject.isGone();
  });

  test.each([
    ['an object', 'ObjTest', new Set([0x10, 0x20, 0x30, 0x40, 0x50, 0xf0])],
    ['the central', '', new Set([0x10, 0x20, 0x38, 0x48, 0x68, 0xf0])],
  ])('every first octet that %s may not be sent: close 00', (_, uid, allowed) => {
    const bodies: Readonly<Record<number, string>> = {
      3: '0001000000',
      4: '000100000000',
      5: '0102030405060708',
      6: '000000',
      15: 'a1',
    };
    for (let first = 0; first < 256; first += 1) {
      const subject = Subject.open({ uid });
      const octet = first.toString(16).padStart(2, '0');
      subject.stream.push(octet + ((first & 0x08) === 0 ? '' : UID) + (bodies[first >> 4] ?? ''));
      const isRefused = subject.stream.writes.at(-1) === 'f000';
      expect([octet, isRefused]).toEqual([octet, !allowed.has(first)]);
      if (isRefused) expect(subject.received).toEqual([]);
    }
  });

  test('a central is told who asks: a request without a UID, or with sixteen 00, is none', () => {
    for (const hex of ['300001000000', `38${'00'.repeat(16)}0001000000`]) {
      const subject = Subject.open({ uid: '' });
      subject.stream.push(hex);
      expect(subject.received).toEqual([]);
      expect(subject.stream.writes).toEqual(['f000']);
    }
  });
});

describe('bounds', () => {
  test('a transmission as long as we take comes, one octet longer ends the session', () => {
    const taken = Subject.open({ maxTransmission: 10 });
    taken.stream.push('30000100000401020304');
    expect(taken.received).toHaveLength(1);
    const refused = Subject.open({ maxTransmission: 10 });
    refused.stream.push('3000010000050102030405');
    expect(refused.received).toHaveLength(0);
    expect(refused.stream.writes).toEqual(['f000']);
    const announced = Subject.open({ maxTransmission: 10 });
    announced.stream.push('30000100ffff');
    expect(announced.stream.writes).toEqual(['f000']);
  });

  test('it is full at the high water, and not an octet before; drained says when there is room', async () => {
    const subject = Subject.open();
    subject.stream.isStalled = true;
    subject.stream.unsent = HIGH_WATER_OCTETS - 1;
    expect(subject.session.isFull).toBe(false);
    subject.session.send({ kind: 'pong' });
    expect(subject.session.isFull).toBe(true);
    await settle(1);
    expect(subject.session.isFull).toBe(true);
    subject.stream.drain();
    expect([subject.session.isFull, subject.drained]).toEqual([false, 1]);
  });

  test('a concentrator that takes nothing is left when too much waits, at the bound and not before', () => {
    const subject = Subject.open();
    subject.stream.isStalled = true;
    subject.stream.unsent = MAX_UNSENT_OCTETS - 1;
    subject.session.send({ kind: 'pong' });
    expect(subject.ends).toEqual([]);
    subject.session.send({ kind: 'pong' });
    expect(subject.failure).toBe('link-stalled');
    subject.isGone();
  });

  test('a concentrator that takes nothing for 30 s is left', async () => {
    const subject = Subject.open();
    subject.stream.isStalled = true;
    subject.session.send({ kind: 'pong' });
    await settle(1);
    for (let second = 1; second < STALLED_MS / 1_000; second += 1) {
      await subject.clock.advance(1_000);
      subject.stream.push('20');
    }
    await subject.clock.advance(999);
    expect(subject.ends).toEqual([]);
    await subject.clock.advance(1);
    expect(subject.failure).toBe('link-stalled');
    subject.isGone();
  });
});

test('pings are answered in their order', () => {
  const subject = Subject.open();
  const answered: number[] = [];
  subject.session.ping(() => answered.push(1));
  subject.session.ping(() => answered.push(2));
  subject.stream.push('20');
  expect(answered).toEqual([1]);
  subject.stream.push('2020');
  expect(answered).toEqual([1, 2]);
});
