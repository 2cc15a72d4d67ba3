import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Transmission } from '../../../protocol/iotsocket/transmission.js';
import { concat, fromHex, toHex } from '../../../protocol/octets.js';
import { encodeCommand } from '../../../protocol/unit/heads.js';
import {
  decodeDescribePiece,
  decodeHello,
  decodeLog,
  encodeDescribe,
  encodeHelloAnswer,
  encodeNextBoot,
  encodeRestart,
} from '../../../protocol/unit/system-messages.js';
import {
  buildSessionDriver,
  DrivenUnit,
  dataOf,
  type Exchange,
  ScriptedBase,
  trackingOf,
  welcome,
} from './driven-unit.js';

const REMEMBERED = 16;

let unit: DrivenUnit;
let base: ScriptedBase;
beforeAll(async () => {
  unit = new DrivenUnit(await buildSessionDriver(['-funsigned-char']));
}, 180_000);
afterAll(async () => expect(await unit.stop()).toEqual({ status: 0, complaints: '' }));

const reasonOf = (transmission: Transmission | undefined): string => {
  if (transmission?.kind !== 'response') throw new Error(`a response was expected, not ${transmission?.kind}`);
  expect(transmission.code).toBe(0x01);
  expect(transmission.payload.format).toBe(2);
  return new TextDecoder('utf-8', { fatal: true }).decode(transmission.payload.data);
};

let tracking = 1_000;
const command = (number: number, id: number, fields: Uint8Array): Promise<Exchange> =>
  base.request(tracking++, encodeCommand({ number, id, fields }));
const count = (id: number, by: number): Promise<Exchange> => command(1, id, Uint8Array.of(by));
const complain = (id: number, about: string): Promise<Exchange> =>
  command(2, id, concat(Uint8Array.of(Buffer.byteLength(about)), Buffer.from(about)));

describe('the hello', () => {
  beforeEach(async () => {
    await unit.start('lamp', { stored: 41 });
    base = new ScriptedBase(unit);
  });

  test('says who the unit is, at a boot number one above the stored one', async () => {
    const { transmissions } = await base.open();
    expect(transmissions.length).toBe(1);
    expect(decodeHello(dataOf(transmissions[0]))).toEqual({
      fingerprint: fromHex('3c96ba97ee39b7c0'),
      boot: 42,
      nonce: 0x04030201,
      kind: 'updatable',
      resetReason: 6,
      freeHeap: 40_000,
      definition: 'led-lamp',
      version: '1.0.0',
    });
  });

  test('a boot number that was used before: the next one is stored and said', async () => {
    const { transmissions } = await base.open();
    const again = await base.answer(trackingOf(transmissions[0]), 1, encodeNextBoot(5_000));
    expect(again.events).toEqual(['boot 5000']);
    expect(decodeHello(dataOf(again.transmissions[0])).boot).toBe(5_000);
    const done = await base.answer(trackingOf(again.transmissions[0]), 0, encodeHelloAnswer(welcome));
    expect(done.transmissions).toEqual([]);
    expect((await unit.do('counters')).events).toContain('served 1');
  });

  test('a base that gives one boot number after the other is left at the fourth', async () => {
    let exchange = await base.open();
    for (let boot = 100; boot < 103; boot += 1)
      exchange = await base.answer(trackingOf(exchange.transmissions[0]), 1, encodeNextBoot(boot));
    exchange = await base.answer(trackingOf(exchange.transmissions[0]), 1, encodeNextBoot(103));
    expect(exchange.transmissions).toEqual([{ kind: 'close', code: 0 }]);
    expect(exchange.events).toEqual(['closed 0']);
  });

  test('"not now" and silence: again after 1, 2 … s, each under another number', async () => {
    const first = await base.open();
    expect((await base.answer(trackingOf(first.transmissions[0]), 0xa0)).transmissions).toEqual([]);
    expect((await base.pass(999)).transmissions).toEqual([]);
    const second = (await base.pass(1)).transmissions;
    expect(trackingOf(second[0])).not.toBe(trackingOf(first.transmissions[0]));
    expect((await base.pass(9_999)).transmissions).toEqual([]);
    expect((await base.pass(1)).transmissions).toEqual([]);
    const third = (await base.pass(2_000)).transmissions;
    expect(decodeHello(dataOf(third[0])).boot).toBe(42);
  });

  test.each([
    ['a short one', '00'.repeat(23)],
    ['a long one', '00'.repeat(25)],
    ['another message', `01${'00'.repeat(23)}`],
  ])('an answer that is none ends the session: %s', async (_, data) => {
    const { transmissions } = await base.open();
    const exchange = await base.answer(trackingOf(transmissions[0]), 0, fromHex(data));
    expect(exchange.transmissions).toEqual([{ kind: 'close', code: 0 }]);
  });

  test('a request before its answer ends the session, and does nothing', async () => {
    await base.open();
    const exchange = await command(1, 1, fromHex('ff0000'));
    expect(exchange.events).toEqual(['closed 0']);
    expect(exchange.transmissions).toEqual([{ kind: 'close', code: 0 }]);
  });

  test('ping, pong and token are allowed before it', async () => {
    const { transmissions } = await base.open();
    expect((await base.send({ kind: 'ping' })).transmissions).toEqual([{ kind: 'pong' }]);
    await base.send({ kind: 'pong' });
    await base.send({ kind: 'telemetryToken', token: new Uint8Array(8) });
    await base.answer(trackingOf(transmissions[0]), 0, encodeHelloAnswer(welcome));
    expect((await unit.do('counters')).events).toContain('served 1');
  });

  test('it tells the time', async () => {
    await base.serve();
    await unit.pass(2_500);
    expect((await unit.do('counters')).events).toContain(`unix ${welcome.timeMs + 2_500}`);
  });

  test('a boot number that cannot be stored is used all the same, and said', async () => {
    await unit.do('world');
    await unit.do('stored 8');
    await unit.do('cannot-store');
    expect((await unit.do('start lamp')).events).toEqual(['boot 9', 'log 2 the boot number is not stored']);
  });
});

describe('commands', () => {
  beforeEach(async () => {
    await unit.start('probe');
    base = new ScriptedBase(unit);
    await base.serve();
  });

  test('a command is applied and answered with its reply fields behind its number', async () => {
    const exchange = await count(1, 5);
    expect(exchange.events).toEqual(['count 5']);
    expect(exchange.transmissions).toEqual([
      {
        kind: 'response',
        tracking: tracking - 1,
        code: 0,
        payload: { format: 0, options: 1, data: fromHex('010500000005') },
      },
    ]);
  });

  test('a reason goes to the base, cut to 80 octets', async () => {
    expect(reasonOf((await complain(1, 'too hot')).transmissions[0])).toBe('too hot');
    expect(reasonOf((await complain(2, `${'x'.repeat(79)}€`)).transmissions[0])).toBe('x'.repeat(79));
  });

  test.each([
    ['left over', 1, '0505', 'count: left-over'],
    ['short', 1, '', 'count.by: short'],
    ['out of range', 1, '0a', 'count.by: out-of-range'],
    ['not UTF-8', 2, '01ff', 'complain.about: bad-utf8'],
    ['too long', 2, '79', 'complain.about: too-long'],
    ['a report', 3, '00', 'no such command'],
    ['unknown', 111, '', 'no such command'],
  ])('what cannot be decoded is refused by name: %s', async (_, number, fields, reason) => {
    const exchange = await command(number, 9, fromHex(fields));
    expect(exchange.events).toEqual([]);
    expect(reasonOf(exchange.transmissions[0])).toBe(reason);
  });

  test('a reply out of its bounds is refused by name', async () => {
    expect(reasonOf((await count(1, 9)).transmissions[0])).toBe('count reply.by: out-of-range');
  });

  test.each([
    ['no id', '0100000000', 'no id'],
    ['half an id', '010100', 'no id'],
    ['number 0', '0001000000', 'no such command'],
    ['number 115', '7301000000', 'no such command'],
  ])('what is no command is refused: %s', async (_, data, reason) => {
    expect(reasonOf((await base.request(1, fromHex(data))).transmissions[0])).toBe(reason);
  });

  test('what is not a typed message is refused', async () => {
    for (const payload of [
      { format: 10, options: 0, data: Buffer.from('{}') },
      { format: 0, options: 0, data: fromHex('010100000005') },
      { format: 0, options: 1, data: new Uint8Array(0) },
    ]) {
      const exchange = await base.send({ kind: 'request', tracking: 3, payload });
      expect(exchange.events).toEqual([]);
      expect(reasonOf(exchange.transmissions[0])).toBe('not typed');
    }
  });

  test('the last 16 ids get the same answer and are not applied again; the 17th back is forgotten', async () => {
    const answers = new Map<number, string>();
    const answerTo = async (id: number): Promise<string> =>
      toHex(dataOf((id % 2 === 0 ? await complain(id, `no ${id}`) : await count(id, 1)).transmissions[0]));
    for (let id = 1; id <= REMEMBERED; id += 1) answers.set(id, await answerTo(id));
    for (let id = 1; id <= REMEMBERED; id += 1) {
      const again = await command(id % 2 === 0 ? 2 : 1, id, Uint8Array.of(1));
      expect(again.events).toEqual([]);
      expect(toHex(dataOf(again.transmissions[0]))).toBe(answers.get(id));
    }
    await count(REMEMBERED + 1, 1);
    expect((await count(1, 1)).events).toEqual(['count 10']);
    expect((await count(3, 1)).events).toEqual([]);
  });

  test('a whole reason of 80 octets is remembered to its last octet', async () => {
    await complain(1, 'y'.repeat(80));
    expect(reasonOf((await complain(1, 'other')).transmissions[0])).toBe('y'.repeat(80));
  });

  test('of a refusal before the latest, 31 octets of its reason are remembered, cut between two characters', async () => {
    const long = `${'y'.repeat(30)}€${'z'.repeat(40)}`;
    expect(reasonOf((await complain(1, long)).transmissions[0])).toBe(long);
    await complain(2, 'x'.repeat(31));
    expect(reasonOf((await complain(1, 'other')).transmissions[0])).toBe('y'.repeat(30));
    expect(reasonOf((await complain(2, 'other')).transmissions[0])).toBe('x'.repeat(31));
    await complain(3, long);
    await base.send({ kind: 'request', tracking: 3, payload: { format: 10, options: 0, data: Buffer.from('{}') } });
    expect(reasonOf((await complain(3, 'other')).transmissions[0])).toBe('y'.repeat(30));
    expect((await count(4, 3)).events).toEqual(['count 3']);
  });

  test('a refusal without a reason gets the same answer again, not the reason of a later one', async () => {
    const first = reasonOf((await complain(1, '')).transmissions[0]);
    expect(first).toBe('?');
    await complain(2, 'too hot');
    expect(reasonOf((await complain(1, '')).transmissions[0])).toBe(first);
  });

  test('answers are remembered over links, not over boots', async () => {
    await count(7, 2);
    await unit.do('end 0');
    await unit.loop();
    base = new ScriptedBase(unit, 1);
    await base.serve();
    expect((await count(7, 2)).events).toEqual([]);
    await unit.start('probe');
    base = new ScriptedBase(unit);
    await base.serve();
    expect((await count(7, 2)).events).toEqual(['count 2']);
  });

  test('many commands that come together are applied in order, each answered once', async () => {
    const frames = Array.from({ length: 20 }, (_, index) =>
      base.seal({
        kind: 'request',
        tracking: index,
        payload: { format: 0, options: 1, data: encodeCommand({ number: 1, id: index + 1, fields: Uint8Array.of(1) }) },
      }),
    );
    const exchange = base.read(await unit.give(0, concat(...frames), 10));
    expect(exchange.events).toEqual(Array.from({ length: 20 }, (_, index) => `count ${index + 1}`));
    expect(exchange.transmissions.map((one) => (one.kind === 'response' ? one.tracking : -1))).toEqual(
      Array.from({ length: 20 }, (_, index) => index),
    );
  });
});

describe('describe, restart, log', () => {
  beforeEach(async () => {
    await unit.start('probe');
    base = new ScriptedBase(unit);
    await base.serve();
  });

  test('the descriptor comes in pieces of as many octets as the unit has room for', async () => {
    let text = '';
    const lengths: number[] = [];
    for (let offset = 0; offset <= 1_300; ) {
      const piece = decodeDescribePiece(dataOf((await base.request(1, encodeDescribe(offset))).transmissions[0]));
      expect(piece.total).toBe(1_300);
      text += Buffer.from(piece.octets).toString('ascii');
      lengths.push(piece.octets.length);
      if (piece.octets.length === 0) break;
      offset += piece.octets.length;
    }
    expect(lengths).toEqual([...Array.from({ length: 10 }, () => 122), 80, 0]);
    expect(text).toBe(Array.from({ length: 1_300 }, (_, index) => String.fromCharCode(97 + (index % 26))).join(''));
    expect(reasonOf((await base.request(1, encodeDescribe(1_301))).transmissions[0])).toBe('no such offset');
    expect(reasonOf((await base.request(1, fromHex('7000'))).transmissions[0])).toBe('not typed');
    expect(reasonOf((await base.request(1, fromHex('70000000'))).transmissions[0])).toBe('not typed');
  });

  test('a restart is answered, waits its delay, says goodbye, and comes', async () => {
    const exchange = await base.request(5, encodeRestart(700));
    expect(exchange.transmissions).toEqual([
      { kind: 'response', tracking: 5, code: 0, payload: { format: 0, options: 1, data: new Uint8Array(0) } },
    ]);
    expect((await base.pass(699)).events).toEqual([]);
    await unit.do('connect 1');
    const happened = await unit.pass(1);
    expect(happened.out(1).length, 'who comes now is served after the restart').toBe(0);
    const last = base.read(happened);
    expect(last.transmissions).toEqual([{ kind: 'close', code: 0x01 }]);
    expect(last.events.slice(0, 2)).toEqual(['closed 0', 'restart']);
    expect(reasonOf((await (await again()).request(5, fromHex('7101'))).transmissions[0])).toBe('not typed');
  });

  async function again(): Promise<ScriptedBase> {
    await unit.start('probe');
    const fresh = new ScriptedBase(unit);
    await fresh.serve();
    return fresh;
  }

  test('a log line goes to the base, once, and to the unit’s own output', async () => {
    expect((await unit.do('log 2 hot')).events).toEqual(['log 2 hot']);
    const { transmissions } = await base.loop();
    expect(decodeLog(dataOf(transmissions[0]))).toEqual({ level: 'warn', text: 'hot' });
    await base.answer(trackingOf(transmissions[0]), 0);
    expect((await base.pass(11_000)).transmissions).toEqual([]);
    await unit.do(`log 1 ${'€'.repeat(67)}`);
    expect(decodeLog(dataOf((await base.loop()).transmissions[0])).text).toBe('€'.repeat(66));
  });

  test('a log line that nobody answers is not sent again, and does not hold the next one', async () => {
    await unit.do('log 1 first');
    await base.loop();
    await unit.do('log 1 second');
    expect((await base.loop()).transmissions).toEqual([]);
    const { transmissions } = await base.pass(10_000);
    expect(decodeLog(dataOf(transmissions[0])).text).toBe('second');
  });
});
