import { describe, expect, it } from 'vitest';
import { deferred } from '../../../../base/core/deferred.js';
import type { DeliveryResult } from '../../../../base/core/delivery.js';
import type { Payload } from '../../../../protocol/iotsocket/payload.js';
import { soon } from '../../uplinks/soon.js';
import { RunningConnectorApi } from './running-connector-api.js';

const text = (value: string): Payload => ({ format: 'utf8', value });
const ok = (payload?: Payload): DeliveryResult => ({
  outcome: 'ok',
  code: 0,
  ...(payload === undefined ? {} : { payload }),
});

describe.each([
  ['command', 'request'],
  ['query', 'query'],
] as const)('POST /devices/%s/{id}', (asking, command) => {
  const board = `/devices/${asking}/board`;

  it("waits for the device's answer", async () => {
    const rig = await RunningConnectorApi.start();
    const answer = deferred<DeliveryResult>();
    rig.answer = () => answer.promise;
    const asked = rig.ask(board, 'on');
    await soon(() => expect(rig.delivered).toHaveLength(1));
    answer.resolve(ok(text('it is on')));
    const { status, text: body } = await asked;
    expect([status, body]).toEqual([200, '{"response":"it is on","errors":""}']);
    const [unit, delivery] = rig.delivered[0]!;
    expect(unit).toBe('board');
    expect(delivery).toMatchObject({ command, payload: { format: 'utf8', value: 'on' } });
    expect(delivery.origin).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  it('leaves no timer when it is answered', async () => {
    const rig = await RunningConnectorApi.start();
    rig.answer = () => ok();
    const before = rig.clock.waiting;
    expect((await rig.ask(board, 'on')).status).toBe(200);
    expect(rig.clock.waiting).toBe(before);
  });

  it.each<[string, Payload | undefined, string]>([
    ['text', text('hellö'), 'hellö'],
    ['ASCII', { format: 'ascii', value: 'hello' }, 'hello'],
    ['a JSON string', { format: 'json', value: 'hello' }, 'hello'],
    ['JSON', { format: 'json', value: { on: true, at: [1, null] } }, '{"on":true,"at":[1,null]}'],
    ['a JSON number', { format: 'json', value: 5 }, '5'],
    ['JSON null', { format: 'json', value: null }, 'null'],
    ['octets', { format: 'binary', value: [0, 255, 16] }, 'AP8Q'],
    ['no octets', { format: 'binary', value: [] }, ''],
    ['nothing', undefined, ''],
  ])('tells %s as text', async (_, payload, response) => {
    const rig = await RunningConnectorApi.start();
    rig.answer = () => ok(payload);
    expect((await rig.ask(board, 'x')).body).toEqual({ response, errors: '' });
  });

  it('is 404 for a device that there is not', async () => {
    const rig = await RunningConnectorApi.start();
    for (const id of ['nobody', '__proto__', 'constructor']) {
      const { status, text: body } = await rig.ask(`/devices/${asking}/${id}`, 'on');
      expect([status, body]).toEqual([404, '{"response":"","error":"Device not found"}']);
    }
    expect(rig.delivered).toEqual([]);
  });

  it('is 404 for one that cannot be reached', async () => {
    const rig = await RunningConnectorApi.start();
    rig.answer = () => ({ outcome: 'unreachable', reason: 'it is away' });
    const { status, text: body } = await rig.ask(board, 'on');
    expect([status, body]).toEqual([404, '{"response":"","error":"Device not found"}']);
  });

  it('is 408 when the device does not answer within 8 s', async () => {
    const rig = await RunningConnectorApi.start();
    rig.answer = () => new Promise(() => {});
    const asked = rig.ask(board, 'on');
    await soon(() => expect(rig.delivered).toHaveLength(1));
    let isAnswered = false;
    void asked.then(() => {
      isAnswered = true;
    });
    await rig.clock.advance(7_999);
    expect(isAnswered).toBe(false);
    await rig.clock.advance(1);
    const { status, text: body } = await asked;
    expect([status, body]).toEqual([408, `{"response":"","error":"Device ${asking} timeout"}`]);
  });

  it('waits as long as it is told to, and not longer for a turn', async () => {
    const rig = await RunningConnectorApi.start({ answerTimeoutMs: 1_000 });
    rig.answer = () => new Promise(() => {});
    const asked = [rig.ask(board, '1'), rig.ask(board, '2')];
    await soon(() => expect(rig.delivered).toHaveLength(1));
    await soon(() => expect(rig.router.get('board')!.waiting).toBe(2));
    await rig.clock.advance(1_000);
    for (const { status } of await Promise.all(asked)) expect(status).toBe(408);
    // The second one waits no more, and is never delivered.
    expect(rig.router.get('board')!.waiting).toBe(1);
  });

  it.each(['timeout', 'expired', 'unknown'] as const)('is 408 for the outcome %s', async (outcome) => {
    const rig = await RunningConnectorApi.start();
    rig.answer = () => ({ outcome, reason: 'too late' });
    const { status, body } = await rig.ask(board, 'on');
    expect([status, body]).toEqual([408, { response: '', error: `Device ${asking} timeout` }]);
  });

  it('says in `errors` that the device refused, with what it answered', async () => {
    const rig = await RunningConnectorApi.start();
    rig.answer = () => ({ outcome: 'refused', reason: 'the unit answered with return code A1', payload: text('busy') });
    const { status, body } = await rig.ask(board, 'on');
    expect([status, body]).toEqual([200, { response: 'busy', errors: 'the unit answered with return code A1' }]);
  });

  it('takes an id that is percent-encoded', async () => {
    const rig = await RunningConnectorApi.start();
    expect((await rig.ask(`/devices/${asking}/${encodeURIComponent('device/ö 1')}`, 'on')).status).toBe(200);
    expect(rig.delivered[0]![0]).toBe('device/ö 1');
  });

  describe('the payload', () => {
    const json = { 'content-type': 'application/json' };
    const sent = async (body: string | Uint8Array | undefined, headers: Record<string, string>) => {
      const rig = await RunningConnectorApi.start();
      const init = { method: 'POST', headers, ...(body === undefined ? {} : { body: body as string }) };
      const { status, body: answer } = await rig.call(board, init);
      return { status, answer, payload: rig.delivered[0]?.[1].payload };
    };

    it.each<[string, string, string, string]>([
      ['the member of JSON', '{"payload":"on"}', 'application/json', 'on'],
      ['the member beside others', '{"id":1,"payload":"on"}', 'application/json; charset=utf-8', 'on'],
      ['the member of other JSON', '{"payload":"on"}', 'application/vnd.device+json', 'on'],
      ['empty', '{"payload":""}', 'application/json', ''],
      ['JSON in text', '{"payload":"{\\"on\\":true}"}', 'application/json', '{"on":true}'],
      ['JSON without it', '{ "on": true }', 'application/json', '{ "on": true }'],
      ['JSON that is no object', '[1, 2]', 'application/json', '[1, 2]'],
      ['a JSON string', '"on"', 'application/json', '"on"'],
      ['plain text', 'hellö\r\n', 'text/plain', 'hellö\r\n'],
      ['JSON that says it is text', '{"payload":"on"}', 'text/plain', '{"payload":"on"}'],
      ['what curl sends', 'on=1', 'application/x-www-form-urlencoded', 'on=1'],
      ['the member of JSON that curl calls a form', '{"payload":"on"}', 'application/x-www-form-urlencoded', 'on'],
      ['JSON that curl calls a form, without it', '{"on":1}', 'application/x-www-form-urlencoded', '{"on":1}'],
      ['broken JSON that curl calls a form', '{"payload":', 'application/x-www-form-urlencoded', '{"payload":'],
      ['what nobody knows', 'on', 'x-device/anything', 'on'],
      ['a byte order mark', '\ufeffon', 'text/plain', '\ufeffon'],
    ])('is %s', async (_, body, type, payload) => {
      const { status, payload: given } = await sent(body, { 'content-type': type });
      expect(status).toBe(200);
      expect(given).toEqual({ format: 'utf8', value: payload });
    });

    it('is empty without a body', async () => {
      expect((await sent(undefined, {})).payload).toEqual(text(''));
      expect((await sent(undefined, json)).payload).toEqual(text(''));
    });

    it('needs no content type', async () => {
      expect((await sent(new TextEncoder().encode('on'), {})).payload).toEqual(text('on'));
      expect((await sent(new TextEncoder().encode('{"payload":"off"}'), {})).payload).toEqual(text('off'));
    });

    it('with a content type that is none is refused', async () => {
      const { status, answer } = await sent('on', { 'content-type': 'nonsense' });
      expect([status, answer]).toEqual([415, { error: expect.stringContaining('Content-Type') }]);
    });

    it.each<[string, string | Uint8Array, Record<string, string>, RegExp]>([
      ['JSON that is none', '{"payload":', json, /not JSON/],
      ['JSON with __proto__', '{"__proto__":{"payload":"on"}}', json, /__proto__/],
      ['JSON that is 32 000 deep', '['.repeat(32_000), json, /deeper than 16/],
      ['JSON that is 17 deep', `${'['.repeat(17)}${']'.repeat(17)}`, json, /deeper than 16/],
      ['a payload that is no text', '{"payload":{"on":true}}', json, /must be a string/],
      ['a payload that is null', '{"payload":null}', json, /must be a string/],
      ['what is not UTF-8', Uint8Array.of(0x6f, 0xff), { 'content-type': 'text/plain' }, /not UTF-8/],
      ['JSON that is not UTF-8', Uint8Array.of(0x22, 0xff, 0x22), json, /not UTF-8/],
    ])('that is %s is refused', async (_, body, headers, why) => {
      const { status, answer, payload } = await sent(body, headers);
      expect(status).toBe(400);
      expect(answer).toEqual({ response: '', error: expect.stringMatching(why) });
      expect(payload).toBeUndefined();
    });

    it('may be 16 deep, and text as deep as it likes', async () => {
      expect((await sent(`${'['.repeat(16)}${']'.repeat(16)}`, json)).status).toBe(200);
      expect((await sent('['.repeat(32_000), {})).status).toBe(200);
    });

    it('may have 64 KiB with what is around it', async () => {
      const most = await sent('x'.repeat(65_535), { 'content-type': 'text/plain' });
      expect([most.status, (most.payload!.value as string).length]).toEqual([200, 65_535]);
      const body = JSON.stringify({ payload: 'x'.repeat(65_536 - 14) });
      expect(body).toHaveLength(65_536);
      expect((await sent(body, json)).status).toBe(200);
      // What fits in a body, but not in a payload.
      const { status, answer } = await sent('x'.repeat(65_536), {});
      expect([status, answer]).toEqual([
        200,
        { response: '', errors: 'the payload has 65536 octets; at most 65535 can be sent' },
      ]);
      const long = await sent('x'.repeat(65_537), {});
      expect([long.status, long.answer]).toEqual([413, { error: 'The body is longer than 65536 octets.' }]);
    });
  });
});

describe('a command for a unit with a definition', () => {
  const lamp = '/devices/command/kitchen-lamp';

  it('is named in the payload, with its fields', async () => {
    const rig = await RunningConnectorApi.start();
    const { body } = await rig.ask(lamp, '{"command":"setColor","fields":{"color":"#ff8800"}}');
    expect(body).toEqual({ response: '', errors: '' });
    expect(rig.delivered[0]![1]).toMatchObject({ command: 'setColor', fields: { color: '#ff8800' } });
    expect(rig.delivered[0]![1].payload).toBeUndefined();
  });

  it('may leave its fields out, and answers with the reply as JSON', async () => {
    const rig = await RunningConnectorApi.start();
    rig.answer = () => ({ outcome: 'ok', reply: { startedAt: 5, queue: 1 } });
    const { body } = await rig.ask('/devices/command/barrel', '{"command":"water"}');
    expect(body).toEqual({ response: '{"startedAt":5,"queue":1}', errors: '' });
  });

  it.each([
    '',
    '#ff8800',
    '"setColor"',
    '[]',
    'null',
    '{}',
    '{"command":5}',
    '{"command":"setColor","fields":[]}',
    '{"command":"setColor","color":"#ff8800"}',
    `{"command":"setColor","fields":${'['.repeat(32_000)}}`,
    '{"command":"setColor","__proto__":{}}',
  ])('that is %.40s is refused with how to write it', async (payload) => {
    const rig = await RunningConnectorApi.start();
    const { status, body } = await rig.ask(lamp, payload);
    expect(status).toBe(200);
    expect(body).toEqual({
      response: '',
      errors:
        'led-lamp has a definition: its payload must be JSON as {"command":"setColor","fields":{}}; its commands are: setColor, fade',
    });
    expect(rig.delivered).toEqual([]);
  });

  it('that does not exist, or with a field that cannot be, is refused with why', async () => {
    const rig = await RunningConnectorApi.start();
    const errors = async (payload: string) => (await rig.ask(lamp, payload)).body.errors;
    expect(await errors('{"command":"explode"}')).toContain('no command "explode"; it has: setColor, fade');
    expect(await errors('{"command":"constructor"}')).toContain('no command "constructor"');
    expect(await errors('{"command":"fade","fields":{"color":"red"}}')).toMatch(/^color /);
    expect(rig.delivered).toEqual([]);
  });

  it('is a line where the unit reads lines', async () => {
    const rig = await RunningConnectorApi.start();
    expect((await rig.ask('/devices/command/old-lamp', '#ff8800')).body).toEqual({ response: '', errors: '' });
    expect(rig.delivered[0]![1]).toMatchObject({ command: 'update', line: '#ff8800', fields: {} });
  });

  it('does not need its link: an idle unit is dialled for it', async () => {
    const rig = await RunningConnectorApi.start();
    rig.router.presence('old-lamp', { state: 'idle' });
    expect((await rig.call('/devices')).body).toEqual({ devices: [] });
    expect((await rig.ask('/devices/command/old-lamp', '#ff8800')).status).toBe(200);
  });
});

describe('a query of a unit with a definition', () => {
  const barrel = '/devices/query/barrel';
  const start = async () => {
    const rig = await RunningConnectorApi.start();
    const level = { litres: 12.5, waterTemperature: 9, flow: [0.5, 1] };
    const said = { uid: 'barrel', report: 'level', fields: level, measuredAt: 1 };
    await rig.router.report(said);
    return { rig, level };
  };

  it('is answered with the last values of the report that it names', async () => {
    const { rig, level } = await start();
    const { status, body } = await rig.ask(barrel, ' level\n');
    expect([status, body]).toEqual([200, { response: JSON.stringify(level), errors: '' }]);
  });

  it('is answered with all of them where it names none', async () => {
    const { rig, level } = await start();
    expect((await rig.ask(barrel, '')).body).toEqual({ response: JSON.stringify({ level }), errors: '' });
    expect((await rig.ask('/devices/query/old-lamp', '')).body).toEqual({ response: '{}', errors: '' });
  });

  it('says which reports there are, and what was not told yet', async () => {
    const { rig } = await start();
    const errors = async (path: string, report: string) => (await rig.ask(path, report)).body.errors;
    expect(await errors(barrel, 'weather')).toBe('rain-barrel has no report "weather"; it has: level, valve');
    expect(await errors(barrel, '__proto__')).toContain('no report "__proto__"');
    expect(await errors(barrel, 'valve')).toBe('it has not told "valve" yet');
    expect(await errors('/devices/query/old-lamp', 'x')).toBe('led-lamp-line has no report "x"; it has: none');
  });

  it('does not reach the unit', async () => {
    const { rig } = await start();
    await rig.ask(barrel, 'level');
    await rig.ask('/devices/query/old-lamp', '#ff8800');
    expect(rig.delivered).toEqual([]);
  });
});
