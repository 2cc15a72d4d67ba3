import { describe, expect, test } from 'vitest';
import type { CommandRequest } from '../../../../base/core/command-request.js';
import type { Outcome, Report } from '../../../../base/core/messages.js';
import { FlowRules, MAX_TOLD_CHARACTERS } from '../../../../base/dialects/yamqtt/flow-rules.js';
import type { Publisher } from '../../../../base/dialects/yamqtt/publisher.js';
import { defaultYamqttLimits, type YamqttLimits } from '../../../../base/dialects/yamqtt/yamqtt-limits.js';
import type { FlowRule } from '../../../../base/dialects/yamqtt/yamqtt-options.js';
import { systemRandom } from '../../../../base/system.js';
import { bool, bytes, defineUnit, f32, list, oneOf, rgb, text, u8 } from '../../../../protocol/definition/index.js';
import type { Payload } from '../../../../protocol/iotsocket/payload.js';
import { ManualClock, settle } from '../../../support/manual-clock.js';
import { QuietLog } from '../../../support/quiet-log.js';

const device = defineUnit({
  name: 'device',
  version: '1.0.0',
  kind: 'updatable',
  description: 'All kinds of commands',
  commands: {
    ring: { number: 1, description: 'No fields' },
    level: { number: 2, fields: { percent: u8({ max: 100 }) }, description: 'A number' },
    show: { number: 3, fields: { line: text(20) }, description: 'A text' },
    paint: { number: 4, fields: { color: rgb() }, description: 'A colour' },
    turn: { number: 5, fields: { on: bool() }, description: 'A truth value' },
    mode: { number: 6, fields: { name: oneOf(['eco', 'full']) }, description: 'A choice' },
    raw: { number: 7, fields: { octets: bytes(8) }, description: 'Octets' },
    play: { number: 8, fields: { notes: list(u8(), 4) }, description: 'A list' },
    heat: { number: 9, fields: { degrees: f32() }, description: 'Not whole' },
    fade: { number: 10, fields: { color: rgb(), percent: u8() }, description: 'Two fields' },
  },
  reports: { state: { number: 20, fields: { percent: u8() } } },
});

/** Rules over a bus of the test's own. */
class Rig {
  readonly clock = new ManualClock();
  readonly log = new QuietLog();
  readonly asked: CommandRequest[] = [];
  readonly published: [flow: number, data: string][] = [];
  readonly told: string[] = [];
  readonly rules: FlowRules;
  readonly publisher: Publisher;
  readonly #hearers = new Map<string, (report: Report) => void>();
  readonly #ends: { resolve: (outcome: Outcome) => void; reject: (error: Error) => void }[] = [];

  constructor(flows: Record<number, FlowRule>, limits: Partial<YamqttLimits> = {}) {
    this.rules = new FlowRules({
      context: {
        hear: (kind, hear) => {
          this.#hearers.set(kind, hear);
          return () => void this.#hearers.delete(kind);
        },
        command: (request) => {
          this.asked.push(request);
          return new Promise((resolve, reject) => this.#ends.push({ resolve, reject }));
        },
        typedUnit: (uid) => (uid === 'device' ? device : undefined),
        clock: this.clock,
        random: systemRandom,
        log: this.log,
      },
      flows: new Map(Object.entries(flows).map(([flow, rule]) => [Number(flow), rule])),
      limits: { ...defaultYamqttLimits, ...limits },
      publish: (flow, data) => void this.published.push([flow, Buffer.from(data).toString('latin1')]),
    });
    this.rules.start();
    this.publisher = this.another();
  }

  get hearers(): readonly string[] {
    return [...this.#hearers.keys()];
  }

  report(unit: string, report: string, fields: Report['fields'], payload?: Payload): void {
    const kind = payload === undefined ? 'report' : 'telemetry';
    const about = { kind: 'report', id: 'x', boot: 1, sequence: 1, measuredAt: 0, receivedAt: 0 } as const;
    this.#hearers.get(kind)?.({ ...about, unit, report, fields, ...(payload === undefined ? {} : { payload }) });
  }

  another(): Publisher {
    return this.rules.publisher((text) => void this.told.push(text));
  }

  /** As a text client: the rest of the 1 024 octets is rubbish. */
  say(flow: number, text: string | Uint8Array, publisher = this.publisher): void {
    const data = Buffer.alloc(1_024, 0xee);
    data.set(Buffer.concat([typeof text === 'string' ? Buffer.from(text) : text, Buffer.alloc(1)]).subarray(0, 1_024));
    this.rules.published(flow, data, publisher);
  }

  async end(index: number, outcome: Outcome['outcome'], reason?: string): Promise<void> {
    const about = { kind: 'outcome', id: 'x', unit: 'device', command: 'x', source: 'yamqtt', at: 0 } as const;
    this.#ends[index]!.resolve({ ...about, outcome, ...(reason === undefined ? {} : { reason }) });
    await settle();
  }

  async stopped(index: number): Promise<void> {
    this.#ends[index]!.reject(new Error('stopped'));
    await settle();
  }
}

const command = (name: string, unit = 'device'): Record<number, FlowRule> => ({
  44: { command: { unit, command: name } },
});
const reported = (report: string, field?: string): Record<number, FlowRule> => ({
  42: { report: { unit: 'device', report, ...(field === undefined ? {} : { field }) } },
});

describe('what units report', () => {
  test('is published as JSON of its fields, or as one of them', () => {
    const rig = new Rig({
      1: { report: { unit: 'device', report: 'state' } },
      2: { report: { unit: 'device', report: 'state' } },
      3: { report: { unit: 'device', report: 'state', field: 'percent' } },
      4: { report: { unit: 'device', report: 'state', field: 'name' } },
      5: { report: { unit: 'device', report: 'state', field: 'notes' } },
    });
    rig.report('device', 'state', { percent: 21.5, name: 'über', on: true, notes: [1, 2] });
    rig.report('device', 'other', { percent: 1 });
    rig.report('another', 'state', { percent: 1 });
    const json = Buffer.from('{"percent":21.5,"name":"über","on":true,"notes":[1,2]}').toString('latin1');
    expect(rig.published).toEqual([
      [1, json],
      [2, json],
      [3, '21.5'],
      [4, Buffer.from('über').toString('latin1')],
      [5, '[1,2]'],
    ]);
    expect(rig.rules.counts()).toMatchObject({ 'reports-published': 5, 'reports-not-published': 0 });
  });

  test.each<[payload: Payload, published: string]>([
    [{ format: 'json', value: { level: 42 } }, '{"level":42}'],
    [{ format: 'json', value: 'a text' }, '"a text"'],
    [{ format: 'utf8', value: 'a text' }, 'a text'],
    [{ format: 'ascii', value: '42' }, '42'],
    [{ format: 'binary', value: [0, 1, 255] }, '\u0000\u0001\u00ff'],
  ])('of a unit without a definition is published as its payload: %j', (payload, published) => {
    const rig = new Rig({
      1: { report: { unit: 'board', report: 'telemetry' } },
      2: { report: { unit: 'board', report: 'telemetry', field: 'value' } },
    });
    rig.report('board', 'telemetry', { value: 7 }, payload);
    expect(rig.published).toEqual([
      [1, published],
      [2, '7'],
    ]);
  });

  test('a text of 1 023 octets is published, one of 1 024 is not: it is counted, and said once', () => {
    const rig = new Rig(reported('state', 'name'));
    rig.report('device', 'state', { name: 'x'.repeat(1_023) });
    expect(rig.published).toEqual([[42, 'x'.repeat(1_023)]]);
    for (let time = 0; time < 3; time += 1) rig.report('device', 'state', { name: 'x'.repeat(1_024) });
    expect(rig.published).toHaveLength(1);
    expect(rig.rules.counts()).toMatchObject({ 'reports-published': 1, 'reports-not-published': 3 });
    expect(rig.log.lines).toMatchObject([{ level: 'warn', fields: { flow: 42, unit: 'device', octets: 1_024 } }]);
  });

  test('a binary payload may have all 1 024 octets, and no more', () => {
    const rig = new Rig({ 1: { report: { unit: 'board', report: 'telemetry' } } });
    const of = (octets: number): Payload => ({ format: 'binary', value: Array.from({ length: octets }, () => 65) });
    rig.report('board', 'telemetry', {}, of(1_024));
    rig.report('board', 'telemetry', {}, of(1_025));
    expect(rig.published).toEqual([[1, 'A'.repeat(1_024)]]);
  });

  test('a field that a report does not have is counted, and said once', () => {
    const rig = new Rig(reported('state', 'toString'));
    rig.report('device', 'state', { percent: 1 });
    rig.report('device', 'state', { percent: 1 });
    expect(rig.published).toEqual([]);
    expect(rig.rules.counts()).toMatchObject({ 'reports-not-published': 2 });
    expect(rig.log.lines).toMatchObject([{ fields: { flow: 42, field: 'toString' } }]);
  });

  test('is heard only where a rule needs it, and not after stop', () => {
    expect(new Rig(command('ring')).hearers).toEqual([]);
    const rig = new Rig(reported('state'));
    expect(rig.hearers).toEqual(['report', 'telemetry']);
    rig.rules.stop();
    rig.rules.stop();
    expect(rig.hearers).toEqual([]);
  });
});

describe('what is published', () => {
  test.each<[command: string, text: string, fields: object]>([
    ['ring', 'anything', {}],
    ['ring', '{"no":"field"}', {}],
    ['level', '42', { percent: 42 }],
    ['level', ' 42\r', { percent: 42 }],
    ['level', '{"percent":42}', { percent: 42 }],
    ['level', '{}', {}],
    ['show', '42', { line: '42' }],
    ['show', ' "quoted" ', { line: ' "quoted" ' }],
    ['show', '[1]', { line: '[1]' }],
    ['paint', '#FF8800', { color: '#ff8800' }],
    ['paint', '"#ff8800"', { color: '#ff8800' }],
    ['turn', 'true', { on: true }],
    ['mode', 'full', { name: 'full' }],
    ['raw', 'c0ffee', { octets: 'c0ffee' }],
    ['play', '[1,2]', { notes: [1, 2] }],
    ['heat', '-0.5', { degrees: -0.5 }],
    ['fade', '{"color":"#ff8800","percent":7}', { color: '#ff8800', percent: 7 }],
  ])('commands a typed unit: %s with %s', (name, text, fields) => {
    const rig = new Rig(command(name));
    rig.say(44, text);
    expect(rig.asked).toMatchObject([{ unit: 'device', command: name, fields, source: 'yamqtt' }]);
    expect(rig.asked[0]!.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(rig.told).toEqual([]);
  });

  test.each<[text: string, payload: unknown, format: string]>([
    ['{"pump":true}', { pump: true }, 'json'],
    ['42', 42, 'json'],
    ['pump on', 'pump on', 'utf8'],
    ['ü', 'ü', 'utf8'],
    [`${'['.repeat(64)}${']'.repeat(64)}`, JSON.parse(`${'['.repeat(64)}${']'.repeat(64)}`), 'json'],
    [`${'['.repeat(65)}${']'.repeat(65)}`, `${'['.repeat(65)}${']'.repeat(65)}`, 'utf8'],
  ])('is the payload for a unit without a definition: %s', (text, payload, format) => {
    const rig = new Rig(command('query', 'board'));
    rig.say(44, text);
    expect(rig.asked).toMatchObject([{ unit: 'board', command: 'query', payload, format }]);
    expect(rig.asked[0]).not.toHaveProperty('fields');
  });

  test.each<[command: string, text: string | Uint8Array, told: string]>([
    ['level', 'much', '44: refused: percent is no u8'],
    ['level', '101', '44: refused: percent must be 0 to 100'],
    ['paint', 'blue', '44: refused: color must be a colour as "#rrggbb"'],
    ['fade', '#ff8800', '44: refused: fade has several fields; publish {"color":"#000000","percent":0}'],
    ['show', Uint8Array.of(0x66, 0xff), '44: refused: the text is no UTF-8'],
  ])('is refused where it cannot be meant: %s with %s', (name, text, told) => {
    const rig = new Rig(command(name));
    rig.say(44, text);
    expect([rig.asked, rig.told]).toEqual([[], [told]]);
    expect(rig.rules.counts()).toMatchObject({ commands: 0, 'commands-not-ok': 1 });
  });

  test('an empty text is no command, and neither is what is published on other flows', () => {
    const rig = new Rig({ ...command('ring'), ...reported('state') });
    rig.say(44, '');
    rig.rules.published(44, new Uint8Array(0), rig.publisher);
    rig.say(42, 'x');
    rig.say(43, 'x');
    expect([rig.asked, rig.told]).toEqual([[], []]);
    expect([rig.rules.has(44), rig.rules.has(42), rig.rules.has(43)]).toEqual([true, false, false]);
  });

  test('a text may fill all 1 024 octets', () => {
    const rig = new Rig(command('request', 'board'));
    rig.say(44, 'x'.repeat(1_024));
    expect(rig.asked).toMatchObject([{ payload: 'x'.repeat(1_024) }]);
  });

  test('its publisher is told how the command ended, unless that is ok: short, and in ASCII', async () => {
    const rig = new Rig(command('ring'));
    for (let time = 0; time < 4; time += 1) rig.say(44, 'x');
    await rig.end(0, 'ok');
    await rig.end(1, 'unreachable', 'the lämp\nis away');
    await rig.end(2, 'timeout');
    await rig.end(3, 'refused', 'x'.repeat(2_000));
    expect(rig.told.slice(0, 2)).toEqual(['44: unreachable: the l?mp?is away', '44: timeout']);
    expect(rig.told[2]).toBe(`44: refused: ${'x'.repeat(2_000)}`.slice(0, MAX_TOLD_CHARACTERS));
    expect(rig.rules.counts()).toMatchObject({ commands: 4, 'commands-not-ok': 3 });
  });

  test('as many commands as may be are under way; one more is refused until one has ended', async () => {
    const rig = new Rig(command('ring'), { commandsAtOnce: 2 });
    for (let time = 0; time < 3; time += 1) rig.say(44, 'x');
    expect(rig.asked).toHaveLength(2);
    expect(rig.told).toEqual(['44: refused: 2 commands are under way; publish it again later']);
    await rig.end(0, 'ok');
    rig.say(44, 'x');
    expect(rig.asked).toHaveLength(3);
    await rig.stopped(1);
    rig.say(44, 'x');
    expect(rig.asked).toHaveLength(4);
    expect(rig.told).toHaveLength(1);
  });

  test('of one client as many are under way as may be; one more is refused, and that of another is not', async () => {
    const rig = new Rig(command('ring'), { commandsAtOnce: 3, commandsPerClient: 2 });
    const other = rig.another();
    for (let time = 0; time < 3; time += 1) rig.say(44, 'x');
    expect(rig.told).toEqual(['44: refused: 2 commands of this client are under way; publish it again later']);
    rig.say(44, 'x', other);
    expect([rig.asked.length, rig.told.length]).toEqual([3, 1]);
    await rig.end(0, 'ok');
    await rig.stopped(1);
    for (let time = 0; time < 3; time += 1) rig.say(44, 'x');
    // All three are under way now.
    expect(rig.asked).toHaveLength(5);
    expect(rig.told.slice(1)).toEqual(['44: refused: 3 commands are under way; publish it again later']);
    expect(rig.rules.counts()).toMatchObject({ commands: 5, 'commands-not-ok': 2 });
  });

  test('one client gives a burst at once, then so many a second; another one has its own', async () => {
    const rig = new Rig(command('ring'), { commandsPerS: 2, commandBurst: 3 });
    const other = rig.another();
    for (let time = 0; time < 4; time += 1) rig.say(44, 'x');
    expect(rig.told).toEqual(['44: refused: more than 2 commands a second; publish it again later']);
    rig.say(44, 'x', other);
    expect([rig.asked.length, rig.told.length]).toEqual([4, 1]);
    await rig.clock.advance(499);
    rig.say(44, 'x');
    expect([rig.asked.length, rig.told.length]).toEqual([4, 2]);
    await rig.clock.advance(1);
    for (let time = 0; time < 2; time += 1) rig.say(44, 'x');
    expect([rig.asked.length, rig.told.length]).toEqual([5, 3]);
    expect(rig.rules.counts()).toMatchObject({ commands: 5, 'commands-not-ok': 3 });
  });

  test('an empty text, and what is refused as too many under way, take nothing of the burst', async () => {
    const rig = new Rig(command('ring'), { commandsPerClient: 1, commandBurst: 2 });
    rig.say(44, '');
    for (let time = 0; time < 5; time += 1) rig.say(44, 'x');
    await rig.end(0, 'ok');
    rig.say(44, 'x');
    await rig.end(1, 'ok');
    rig.say(44, 'x');
    expect(rig.asked).toHaveLength(2);
    expect(rig.told.at(-1)).toBe('44: refused: more than 20 commands a second; publish it again later');
  });
});
