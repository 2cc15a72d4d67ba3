import { afterEach, describe, expect, it } from 'vitest';
import { defineUnit, text, u8 } from '../../protocol/definition/index.js';
import { closeCodes, returnCodes } from '../../protocol/iotsocket/transmission.js';
import { decodeReport, encodeCommand } from '../../protocol/unit/heads.js';
import {
  decodeDescribePiece,
  encodeDescribe,
  encodeRestart,
  MAX_DESCRIBE_OCTETS,
} from '../../protocol/unit/system-messages.js';
import { REMEMBERED_ANSWERS } from '../../simulator/answer-memory.js';
import { MAX_REASON_OCTETS } from '../../simulator/unit-commands.js';
import { FRAME_MS, PING_MS, SILENCE_MS, STEP_MS } from '../../simulator/unit-connection.js';
import ledLamp from '../../units/led-lamp.js';
import rainBarrel from '../../units/rain-barrel.js';
import { settle } from '../support/manual-clock.js';
import { DialledUnit, KEY } from './support/dialled-unit.js';
import { RawBase } from './support/raw-base.js';

const started: DialledUnit[] = [];

afterEach(async () => {
  for (const each of started.splice(0)) await each.stop();
});

async function session(definition: Parameters<typeof unitOf>[0] = ledLamp, options: Parameters<typeof unitOf>[1] = {}) {
  const dialled = unitOf(definition, options);
  const carrier = await dialled.carrier();
  const base = new RawBase(carrier, KEY);
  await settle();
  expect(base.isOpen).toBe(true);
  return { dialled, base, carrier, clock: dialled.clock };
}

function unitOf(...args: ConstructorParameters<typeof DialledUnit>): DialledUnit {
  const dialled = new DialledUnit(...args);
  started.push(dialled);
  return dialled;
}

const white = Uint8Array.of(0xff, 0xff, 0xff);
const setColor = (id: number): Uint8Array => encodeCommand({ number: 1, id, fields: white });

describe('commands', () => {
  it('with a known id get the same answer and are not applied again', async () => {
    const { dialled, base } = await session(rainBarrel);
    const water = encodeCommand({ number: 1, id: 3, fields: Uint8Array.of(1, 0, 0, 0xa0, 0x40, 0) });
    const first = base.request(water);
    await settle();
    const second = base.request(water);
    await settle();
    expect(base.responseTo(second)?.payload).toEqual(base.responseTo(first)?.payload);
    expect(base.responseTo(first)).toMatchObject({ code: 0, payload: { format: 0, options: 1 } });
    expect(base.responseTo(first)!.payload.data).toHaveLength(6);
    expect(dialled.of('applied')).toHaveLength(1);
  });

  it('are remembered 16 back, and no further', async () => {
    const { dialled, base } = await session();
    for (let id = 1; id <= REMEMBERED_ANSWERS; id += 1) base.request(setColor(id));
    base.request(setColor(1));
    await settle();
    expect(dialled.of('applied')).toHaveLength(REMEMBERED_ANSWERS);
    base.request(setColor(REMEMBERED_ANSWERS + 1));
    base.request(setColor(1));
    await settle();
    expect(dialled.of('applied')).toHaveLength(REMEMBERED_ANSWERS + 2);
  });

  it('that cannot be decoded, and such that are none, are refused with a reason', async () => {
    const { dialled, base } = await session();
    const reasonOf = async (data: Uint8Array): Promise<string> => {
      const tracking = base.request(data);
      await settle();
      const response = base.responseTo(tracking)!;
      expect(response).toMatchObject({ code: returnCodes.notValid, payload: { format: 2, options: 0 } });
      return new TextDecoder().decode(response.payload.data);
    };
    expect(await reasonOf(encodeCommand({ number: 1, id: 1, fields: white.subarray(1) }))).toBe(
      'setColor.color: short',
    );
    expect(await reasonOf(encodeCommand({ number: 9, id: 2, fields: white }))).toBe('there is no command 9');
    expect(await reasonOf(encodeCommand({ number: 3, id: 3, fields: white }))).toBe('there is no command 3');
    expect(await reasonOf(setColor(0))).toBe('this is no command');
    expect(await reasonOf(Uint8Array.of(1, 2))).toBe('this is no command');
    expect(dialled.of('applied')).toEqual([]);
  });

  it('are refused with a reason of 80 octets at most, cut between two characters', async () => {
    const { base } = await session(ledLamp, { handler: () => ({ refuse: `a${'ä'.repeat(60)}` }) });
    const tracking = base.request(setColor(1));
    await settle();
    const { data } = base.responseTo(tracking)!.payload;
    expect(data).toHaveLength(MAX_REASON_OCTETS - 1);
    expect(new TextDecoder('utf-8', { fatal: true }).decode(data)).toBe(`a${'ä'.repeat(39)}`);
  });
});

describe('describe', () => {
  it('answers with at most 512 octets from the offset, and refuses one behind the end', async () => {
    const fields = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`aFieldWithALongName${index}`, u8()]));
    const long = defineUnit({ name: 'long', version: '1', kind: 'updatable', reports: { all: { number: 1, fields } } });
    const { base } = await session(long);
    const first = base.request(encodeDescribe(0));
    await settle();
    const piece = decodeDescribePiece(base.responseTo(first)!.payload.data);
    expect(piece.octets).toHaveLength(MAX_DESCRIBE_OCTETS);
    const second = base.request(encodeDescribe(MAX_DESCRIBE_OCTETS));
    const behind = base.request(encodeDescribe(piece.total + 1));
    await settle();
    const rest = decodeDescribePiece(base.responseTo(second)!.payload.data);
    expect(rest.octets).toHaveLength(piece.total - MAX_DESCRIBE_OCTETS);
    expect(base.responseTo(behind)!.code).toBe(returnCodes.notValid);
  });
});

describe('restart', () => {
  it('is answered, and done after its delay with a new boot and everything forgotten', async () => {
    const { dialled, base, clock } = await session();
    base.request(setColor(1));
    const tracking = base.request(encodeRestart(500));
    await settle();
    expect(base.responseTo(tracking)!.code).toBe(returnCodes.valid);
    expect(dialled.unit.state.values('state')).toMatchObject({ color: '#ffffff' });
    await clock.advance(499);
    expect(dialled.unit.boot).toBe(1);
    await clock.advance(1);
    expect(dialled.of('restarted')).toEqual([{ kind: 'restarted', unit: 'unit-1', boot: 2 }]);
    expect(base.isClosed).toBe(true);
    expect(dialled.unit.state.values('state')).toMatchObject({ color: '#000000' });
  });
});

describe('a link', () => {
  it('is pinged after 15 s without octets from the base, and closed after 60 s', async () => {
    const { dialled, base, clock } = await session();
    base.answer(base.requests[0]!.tracking, returnCodes.valid);
    await settle();
    await clock.advance(PING_MS - 1);
    expect(base.heard.filter(({ kind }) => kind === 'ping')).toHaveLength(0);
    await clock.advance(1);
    expect(base.heard.filter(({ kind }) => kind === 'ping')).toHaveLength(1);
    await clock.advance(SILENCE_MS - PING_MS - 1);
    expect(base.closeCode).toBeUndefined();
    await clock.advance(1);
    expect(base.closeCode).toBe(closeCodes.freeingResources);
    expect(dialled.of('disconnected')).toMatchObject([{ reason: 'the base was silent for 60 s' }]);
  });

  it('answers pings', async () => {
    const { base } = await session();
    base.send({ kind: 'ping' });
    await settle();
    expect(base.heard.some(({ kind }) => kind === 'pong')).toBe(true);
  });

  it('ends with close 00 when a transmission is not complete in 10 s', async () => {
    const { base, carrier, clock } = await session();
    carrier.write(Uint8Array.of(0x30, 0));
    await settle();
    await clock.advance(FRAME_MS - 1);
    expect(base.closeCode).toBeUndefined();
    await clock.advance(1);
    expect(base.closeCode).toBe(closeCodes.protocolError);
  });

  it('ends with close 00 when the base names a UID or sends what is no typed message', async () => {
    const named = await session();
    named.base.send({ kind: 'request', uid: 'x', tracking: 1, payload: { format: 0, options: 1, data: setColor(1) } });
    await settle();
    expect(named.base.closeCode).toBe(closeCodes.protocolError);
    const json = await session();
    json.base.send({ kind: 'request', tracking: 1, payload: { format: 10, options: 0, data: setColor(1) } });
    await settle();
    expect(json.base.closeCode).toBe(closeCodes.protocolError);
    expect(json.dialled.of('applied')).toEqual([]);
  });

  it('is told goodbye with 01 when the unit stops, and nothing is left', async () => {
    const { dialled, base, clock } = await session();
    await dialled.stop();
    await dialled.stop();
    expect(base.closeCode).toBe(closeCodes.maintenance);
    expect(dialled.unit.connections).toBe(0);
    expect(clock.waiting).toBe(0);
  });
});

describe('an opening', () => {
  it('ends after 5 s when the base says nothing, and the unit dials again', async () => {
    const dialled = unitOf(ledLamp);
    const carrier = await dialled.carrier();
    carrier.attach({ octets: () => {}, drained: () => {}, ended: () => {}, closed: () => {} });
    await dialled.clock.advance(STEP_MS - 1);
    expect(carrier.isClosed).toBe(false);
    await dialled.clock.advance(1);
    expect(carrier.isClosed).toBe(true);
    await dialled.clock.advance(1_000);
    expect(dialled.carriers).toHaveLength(2);
  });

  it('waits five minutes after a base that does not have the key', async () => {
    const dialled = unitOf(ledLamp);
    const base = new RawBase(await dialled.carrier(), new Uint8Array(16));
    await settle();
    expect(base.isOpen).toBe(false);
    expect(dialled.of('refusedConnection')).toHaveLength(1);
    await dialled.clock.advance(299_000);
    expect(dialled.carriers).toHaveLength(1);
    await dialled.clock.advance(1_000);
    expect(dialled.carriers).toHaveLength(2);
  });
});

describe('its reports', () => {
  it('are refused when a value is outside its field', async () => {
    const { dialled } = await session();
    expect(() => dialled.unit.report('state', { brightness: 101 })).toThrow(/state.brightness must be 0 to 100/);
    expect(() => dialled.unit.report('unknown')).toThrow(/led-lamp has no report unknown/);
    expect(dialled.unit.state.values('state')).toMatchObject({ brightness: 100 });
  });

  it('the base has already are forgotten after the hello', async () => {
    const note = defineUnit({
      name: 'note',
      version: '1',
      kind: 'read',
      reports: { note: { number: 1, fields: { text: text(20) } } },
    });
    const dialled = unitOf(note);
    dialled.unit.report('note', { text: 'one' });
    dialled.unit.report('note', { text: 'two' });
    const base = new RawBase(await dialled.carrier(), KEY, { acknowledged: 2 });
    await settle();
    expect(dialled.unit.waitingReports).toBe(1);
    expect(base.requests).toHaveLength(1);
  });

  it('take the next boot number when no sequence is left, in a new session', async () => {
    const { dialled, base, clock } = await session(ledLamp, { lastOfBoot: 2 });
    expect(dialled.unit.report('state')).toBe(2);
    base.answer(base.requests[0]!.tracking, returnCodes.valid);
    await settle();
    expect(dialled.unit.boot).toBe(1);
    expect(dialled.unit.report('state')).toBe(2);
    expect(dialled.unit.boot).toBe(2);
    await settle();
    expect(base.closeCode).toBe(closeCodes.freeingResources);
    await clock.advance(1_000);
    const next = new RawBase(dialled.carriers[1]!, KEY);
    await settle();
    expect(decodeReport(next.requests[0]!.payload.data)?.sequence).toBe(1);
  });
});
