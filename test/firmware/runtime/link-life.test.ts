import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { concat, fromHex, toHex } from '../../../protocol/octets.js';
import { encodeCommand } from '../../../protocol/unit/heads.js';
import { encodeDescribe } from '../../../protocol/unit/system-messages.js';
import { buildSessionDriver, DrivenUnit, ScriptedBase, typed } from './driven-unit.js';

const PROTOCOL_ERROR = [{ kind: 'close', code: 0x00 }];
/** What the lamp declares: the longest transmission that it takes, its tag included. */
const MAX_TRANSMISSION = 96;
const TAG = 8;

let unit: DrivenUnit;
let base: ScriptedBase;
beforeAll(async () => {
  unit = new DrivenUnit(await buildSessionDriver(['-funsigned-char']));
}, 180_000);
afterAll(async () => expect(await unit.stop()).toEqual({ status: 0, complaints: '' }));
beforeEach(async () => {
  await unit.start('lamp');
  base = new ScriptedBase(unit);
});

const setColor = (id: number): Uint8Array =>
  base.seal({
    kind: 'request',
    tracking: id,
    payload: typed(encodeCommand({ number: 1, id, fields: fromHex('102030') })),
  });

describe('what is no right transmission ends the session with 00, and does nothing', () => {
  test('a flipped bit in any octet', async () => {
    const length = 6 + 8 + TAG;
    for (let at = 0; at < length; at += 1) {
      await unit.start('lamp');
      base = new ScriptedBase(unit);
      await base.serve();
      const octets = setColor(1);
      expect(octets.length).toBe(length);
      octets[at]! ^= 0x10;
      // A length that grew waits for octets; then the tag is wrong.
      const exchange = base.read(await unit.give(0, concat(octets, new Uint8Array(200)), 6));
      expect(exchange.transmissions, `octet ${at}`).toEqual(PROTOCOL_ERROR);
      expect(exchange.events, `octet ${at}`).toEqual(['closed 0']);
    }
  });

  test('a transmission sent twice', async () => {
    await base.serve();
    const octets = setColor(1);
    const exchange = base.read(await unit.give(0, concat(octets, octets)));
    expect(exchange.events).toEqual(['setColor 102030', 'closed 0']);
    expect(exchange.transmissions.at(-1)).toEqual(PROTOCOL_ERROR[0]);
  });

  test('a transmission left out', async () => {
    await base.serve();
    setColor(1);
    const exchange = base.read(await unit.give(0, setColor(2)));
    expect(exchange.events).toEqual(['closed 0']);
    expect(exchange.transmissions).toEqual(PROTOCOL_ERROR);
  });

  test('its own transmission, sent back to it', async () => {
    await base.open();
    // The vectors' hello is this very one, the unit's transmission 0: as the base's 0 only its direction is wrong.
    const vectors = JSON.parse(readFileSync('test/vectors/unit-session.json', 'utf8'));
    const hello = vectors.steps.find((step: { what: string }) => step.what === 'hello').hex;
    const exchange = base.read(await unit.give(0, fromHex(hello)));
    expect(exchange.transmissions).toEqual(PROTOCOL_ERROR);
    expect(exchange.events).toEqual(['closed 0']);
  });

  test.each([
    ['type 0, access list', '00'],
    ['type 6, identified telemetry', '60'],
    ['an unknown type', '70'],
    ['a request with RTE = 1', '38'],
    ['a ping with RTE = 1', '18'],
    ['a reserved bit', '11'],
  ])('%s, at its first octet', async (_, first) => {
    await base.serve();
    const exchange = base.read(await unit.give(0, fromHex(first)));
    expect(exchange.events).toEqual(['closed 0']);
    expect(exchange.transmissions).toEqual(PROTOCOL_ERROR);
  });

  test('one octet more than was declared, as soon as its length is known; as many as declared are taken', async () => {
    await base.serve();
    const room = MAX_TRANSMISSION - TAG - 6;
    const longest = await base.request(1, new Uint8Array(room).fill(99));
    expect(longest.transmissions.map(({ kind }) => kind)).toEqual(['response']);
    const head = base.seal({ kind: 'request', tracking: 2, payload: typed(new Uint8Array(room + 1)) }).subarray(0, 6);
    const exchange = base.read(await unit.give(0, head));
    expect(exchange.transmissions).toEqual(PROTOCOL_ERROR);
    expect(exchange.events).toEqual(['closed 0']);
  });

  test('a transmission that is not whole after 10 s', async () => {
    await base.serve();
    const octets = setColor(1);
    await unit.give(0, octets.subarray(0, 10));
    expect((await base.pass(9_999)).events).toEqual([]);
    const exchange = await base.pass(1);
    expect(exchange.transmissions).toEqual(PROTOCOL_ERROR);
    expect(exchange.events).toEqual(['closed 0']);
  });
});

test('a command cut at any octet waits for the rest, however long the loop runs between', async () => {
  await base.serve();
  for (let at = 1; at < 6 + 8 + TAG; at += 1) {
    const octets = setColor(at);
    const before = base.read(await unit.give(0, octets.subarray(0, at), 5));
    expect(before.events).toEqual([]);
    expect(before.transmissions).toEqual([]);
    const after = base.read(await unit.give(0, octets.subarray(at)));
    expect(after.events).toEqual(['setColor 102030']);
    expect(after.transmissions.length).toBe(1);
  }
});

describe('silence', () => {
  test('a ping after 15 s without octets, again every 15 s, and after 60 s the link is dropped', async () => {
    await base.serve();
    expect((await base.pass(14_999)).transmissions).toEqual([]);
    expect((await base.pass(1)).transmissions).toEqual([{ kind: 'ping' }]);
    expect((await base.pass(14_999)).transmissions).toEqual([]);
    expect((await base.pass(1)).transmissions).toEqual([{ kind: 'ping' }]);
    expect((await base.pass(15_000)).transmissions).toEqual([{ kind: 'ping' }]);
    expect((await base.pass(14_999)).events).toEqual([]);
    const last = await base.pass(1);
    expect(last.transmissions).toEqual([{ kind: 'close', code: 0xa1 }]);
    expect(last.events).toEqual(['closed 0']);
  });

  test('our own writes prove nothing: reports do not put the ping off', async () => {
    await base.serve();
    await unit.pass(10_000);
    await unit.do('state 1 2 3 4');
    expect((await base.loop()).transmissions.length).toBe(1);
    const { transmissions } = await base.pass(5_000);
    expect(transmissions).toEqual([{ kind: 'ping' }]);
  });

  test('octets from the base put the ping off, also over a clock that passes 2^32', async () => {
    await unit.start('lamp', { millis: 2 ** 32 - 20_000 });
    base = new ScriptedBase(unit);
    await base.serve();
    for (let count = 0; count < 5; count += 1) {
      expect((await base.pass(14_999)).transmissions).toEqual([]);
      expect((await base.send({ kind: 'ping' })).transmissions).toEqual([{ kind: 'pong' }]);
    }
    expect((await base.pass(15_000)).transmissions).toEqual([{ kind: 'ping' }]);
  });

  test('outputs stay as they are: nothing is applied when the base goes', async () => {
    await base.serve();
    await unit.pass(60_000);
    expect((await unit.pass(3_600_000)).events).toEqual([]);
  });
});

describe('a connection that takes little at a time', () => {
  test('gets every answer whole and in order, however it is cut', async () => {
    for (const room of [1, 2, 7, 64, 100]) {
      await unit.start('lamp');
      base = new ScriptedBase(unit);
      await base.serve();
      await unit.do('room 0 0');
      const frames = [
        setColor(1),
        base.seal({ kind: 'request', tracking: 2, payload: typed(encodeDescribe(0)) }),
        base.seal({ kind: 'ping' }),
      ];
      const transmissions = [...base.read(await unit.give(0, concat(...frames), 8)).transmissions];
      for (let turns = 0; turns < 400 && transmissions.length < 3; turns += 1) {
        await unit.do(`room 0 ${room}`);
        transmissions.push(...(await base.loop()).transmissions);
      }
      expect(transmissions.map(({ kind }) => kind)).toEqual(['response', 'response', 'pong']);
    }
  });

  test('stops the unit from reading on, and never makes it hold more than its buffer', async () => {
    await base.serve();
    await unit.do('room 0 0');
    const many = Array.from({ length: 30 }, (_, index) =>
      base.seal({ kind: 'request', tracking: index, payload: typed(encodeDescribe(0)) }),
    );
    await unit.give(0, concat(...many), 20);
    await unit.do('room 0 -1');
    const { transmissions } = await base.loop(60);
    expect(transmissions.map((one) => (one.kind === 'response' ? one.tracking : -1))).toEqual(
      many.map((_, index) => index),
    );
  });

  test('and takes nothing for 30 s: the link is lost', async () => {
    await base.serve();
    await unit.do('room 0 0');
    await unit.give(0, setColor(1));
    await unit.pass(29_999);
    expect((await unit.pass(1)).events).toEqual(['closed 0']);
  });
});

describe('the end of a link', () => {
  test.each(['end 0', 'break 0'])('%s: the unit waits for the next one, who gets a new session', async (command) => {
    await base.serve();
    await unit.do(command);
    expect((await unit.loop()).events).toEqual(['closed 0']);
    const next = new ScriptedBase(unit, 1);
    await next.serve();
    expect((await next.request(1, encodeCommand({ number: 1, id: 9, fields: fromHex('0a0b0c') }))).events).toEqual([
      'setColor 0a0b0c',
    ]);
  });

  test('the base says close: the unit closes, and says nothing more', async () => {
    await base.serve();
    const happened = await unit.give(0, base.seal({ kind: 'close', code: 0xa1 }));
    expect(happened.events).toEqual(['closed 0']);
    expect(toHex(happened.out(0))).toBe('');
  });

  test('what was sent before an end of stream is still applied', async () => {
    await base.serve();
    const octets = setColor(1);
    await unit.do('end 0');
    expect((await unit.give(0, octets)).events).toEqual(['setColor 102030', 'closed 0']);
  });

  test('a close that the peer does not take is given up after 2 s', async () => {
    await base.serve();
    await unit.do('room 0 0');
    expect((await unit.give(0, fromHex('70'))).events).toEqual([]);
    expect((await unit.pass(1_999)).events).toEqual([]);
    expect((await unit.pass(1)).events).toEqual(['closed 0']);
  });
});
