import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CommandRequest } from '../../../base/core/command-request.js';
import { type Deferred, deferred } from '../../../base/core/deferred.js';
import { type Outcome, outcomeKinds } from '../../../base/core/messages.js';
import {
  MAX_FIELDS_OCTETS,
  MAX_ID,
  MAX_PAYLOAD,
  MAX_TTL_S,
  type OutcomeEvent,
} from '../../../base/uplinks/pusher/channel-events.js';
import { CommandIntake, MAX_IN_FLIGHT } from '../../../base/uplinks/pusher/command-intake.js';
import { InternalError } from '../../../protocol/errors.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { QuietLog } from '../../support/quiet-log.js';
import { fixedRandom } from './fixed-random.js';

function makeIntake(maxInFlight?: number) {
  const log = new QuietLog();
  const requests: CommandRequest[] = [];
  const pending: Deferred<Outcome>[] = [];
  const answers: OutcomeEvent[] = [];
  const command = (request: CommandRequest): Promise<Outcome> => {
    const answer = deferred<Outcome>();
    requests.push(request);
    pending.push(answer);
    return answer.promise;
  };
  const intake = new CommandIntake({
    context: { command, clock: new ManualClock(), random: fixedRandom() },
    log,
    answer: (outcome) => void answers.push(outcome),
    maxInFlight,
  });
  return { intake, log, requests, pending, answers };
}

const command = { id: 'c1', unit: 'lamp', command: 'setColor', fields: { color: '#ff8800' } };

describe('the intake of commands', () => {
  it('makes a line of an update.request, for the address as it is, with an id of its own', () => {
    const { intake, requests } = makeIntake();
    intake.hear('update.request', { ip: '192.168.1.20:8888', payload: 'red' });
    intake.hear('update.request', { ip: '192.168.1.20:8888', payload: 'red', user: 'x' });
    intake.hear('update.request', { ip: '192.168.1.20', payload: 5 });
    expect(requests.map(({ id: _id, ...rest }) => rest)).toEqual([
      { unit: '192.168.1.20:8888', command: 'update', line: 'red', source: 'pusher' },
      { unit: '192.168.1.20:8888', command: 'update', line: 'red', source: 'pusher' },
      { unit: '192.168.1.20', command: 'update', line: '5', source: 'pusher' },
    ]);
    expect(new Set(requests.map(({ id }) => id)).size).toBe(3);
    for (const { id } of requests) expect(id).toMatch(/^[0-9a-f]{32}$/);
  });

  it('hands a typed command on, and leaves its outcome to the outbox', async () => {
    const { intake, requests, pending, answers } = makeIntake();
    intake.hear('command', { ...command, ttlS: 1.5 });
    expect(requests).toEqual([{ ...command, ttlMs: 1_500, source: 'pusher' }]);
    const outcome = { id: 'c1', unit: 'lamp', command: 'setColor', outcome: 'ok', reply: { a: 1 }, at: 5 } as const;
    pending[0]!.resolve({ kind: 'outcome', source: 'pusher', ...outcome });
    await settle();
    expect([answers, intake.inFlight]).toEqual([[], 0]);
  });

  it('hands a payload on for a unit without a definition', () => {
    const { intake, requests } = makeIntake();
    const asked = { unit: 'board', command: 'request' };
    intake.hear('command', { ...asked, id: 'a', payload: { led: true } });
    intake.hear('command', { ...asked, id: 'b', payload: [1], format: 'binary' });
    intake.hear('command', { ...asked, id: 'c', payload: null });
    expect(requests).toEqual([
      { ...asked, id: 'a', payload: { led: true }, source: 'pusher' },
      { ...asked, id: 'b', payload: [1], format: 'binary', source: 'pusher' },
      { ...asked, id: 'c', payload: null, source: 'pusher' },
    ]);
  });

  it('takes a payload up to its bound, and says what is wrong with a longer one or another format', () => {
    const { intake, requests, answers } = makeIntake();
    const asked = { id: 'c1', unit: 'board', command: 'request' };
    const text = 'x'.repeat(MAX_FIELDS_OCTETS - 2);
    intake.hear('command', { ...asked, payload: text });
    expect(requests).toHaveLength(1);
    intake.hear('command', { ...asked, payload: `${text}y` });
    const deep: unknown = JSON.parse('['.repeat(20_000) + ']'.repeat(20_000));
    intake.hear('command', { ...asked, payload: deep });
    intake.hear('command', { ...asked, fields: { deep } });
    intake.hear('command', { ...asked, payload: 'x', format: 'xml' });
    expect(requests).toHaveLength(1);
    expect(answers.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^payload: more than/),
      expect.stringMatching(/^payload: more than .* nested too deep/),
      expect.stringMatching(/^fields: more than .* nested too deep/),
      expect.stringMatching(/^format: /),
    ]);
  });

  it('takes what other bases say of objects for what it is', () => {
    const { intake, log } = makeIntake();
    for (const event of ['request', 'response', 'report', 'presence', 'outcome', 'client-outcome'])
      intake.hear(event, {});
    expect(log.lines).toEqual([]);
  });

  it.each(outcomeKinds.filter((kind) => kind !== 'duplicate'))('does not answer %s itself', async (kind) => {
    const { intake, pending, answers } = makeIntake();
    intake.hear('command', command);
    pending[0]!.resolve({ kind: 'outcome', ...command, outcome: kind, source: 'pusher', at: 5 });
    await settle();
    expect(answers).toEqual([]);
  });

  it('answers a duplicate at once: nobody else is told of it', async () => {
    const { intake, pending, answers } = makeIntake();
    intake.hear('command', command);
    const { fields: _, ...named } = command;
    const outcome = { ...named, outcome: 'duplicate', reason: 'sent before', at: 5 } as const;
    pending[0]!.resolve({ kind: 'outcome', source: 'pusher', ...outcome });
    await settle();
    expect(answers).toEqual([outcome]);
  });

  it('answers nothing when the base stops: the command is kept, and goes on at its next start', async () => {
    const { intake, log, pending, answers } = makeIntake();
    intake.hear('command', command);
    pending[0]!.reject(new InternalError('stopped', 'the base is stopping'));
    await settle();
    expect([answers, log.lines, intake.inFlight]).toEqual([[], [], 0]);
  });

  it.each([
    [null],
    ['text'],
    [[]],
    [{}],
    [{ ip: '', payload: 'red' }],
    [{ ip: 'x'.repeat(261), payload: 'red' }],
    [{ ip: '10.0.0.1' }],
    [{ ip: '10.0.0.1', payload: '' }],
    [{ ip: '10.0.0.1', payload: { a: 1 } }],
    [{ ip: '10.0.0.1', payload: 'x'.repeat(MAX_PAYLOAD + 1) }],
  ])('refuses %j as an update.request', (data) => {
    const { intake, log, requests } = makeIntake();
    intake.hear('update.request', data);
    intake.hear('update.request', data);
    expect(requests).toEqual([]);
    expect(log.lines.length).toBe(1);
  });

  it.each([
    ['an empty id', { ...command, id: '' }, false],
    ['an id past its bound', { ...command, id: 'x'.repeat(MAX_ID + 1) }, false],
    ['no unit', { ...command, unit: undefined }, false],
    ['no command', { ...command, command: undefined }, true],
    ['fields that are a list', { ...command, fields: [1] }, true],
    ['fields past their bound', { ...command, fields: { a: 'x'.repeat(MAX_FIELDS_OCTETS) } }, true],
    ['a time to live that is none', { ...command, ttlS: 0 }, true],
    ['a time to live past its bound', { ...command, ttlS: MAX_TTL_S + 1 }, true],
    ['a misspelt key', { ...command, ttl: 5 }, true],
  ])('refuses a command with %s, and tells its sender where there is one', (_, data, isAnswered) => {
    const { intake, log, requests, answers } = makeIntake();
    intake.hear('command', data);
    expect(requests).toEqual([]);
    expect(log.lines.length).toBe(1);
    expect(answers.map(({ id, outcome }) => [id, outcome])).toEqual(isAnswered ? [['c1', 'refused']] : []);
    for (const { reason } of answers) expect(reason).toBeTruthy();
  });

  it('takes what is exactly at its bound', () => {
    const { intake, requests } = makeIntake();
    const fields = { a: 'x'.repeat(MAX_FIELDS_OCTETS - '{"a":""}'.length) };
    intake.hear('command', { ...command, id: 'x'.repeat(MAX_ID), fields, ttlS: MAX_TTL_S });
    intake.hear('update.request', { ip: 'x'.repeat(260), payload: 'x'.repeat(MAX_PAYLOAD) });
    expect(requests.length).toBe(2);
  });

  it('passes over what others say on the channel, and says once that it does not know an event', () => {
    const { intake, log, requests } = makeIntake();
    for (const name of ['outcome', 'client-outcome', 'report', 'presence']) intake.hear(name, {});
    expect(log.lines).toEqual([]);
    for (const name of ['client-command', 'evil\n\u001b[31m', 'other']) intake.hear(name, {});
    expect([log.lines.length, requests.length]).toEqual([1, 0]);
  });

  it('logs peers’ text without control characters', () => {
    const { intake, log } = makeIntake();
    intake.hear('evil\n\u001b[31m', {});
    intake.hear('command', { ...command, 'evil\n': 1 });
    expect(JSON.stringify(log.lines.map(({ fields }) => fields))).not.toMatch(/\\n|\\u001b/);
  });

  it('refuses aloud the one command past those in flight, and takes the next when one ends', async () => {
    const { intake, pending, answers, requests } = makeIntake();
    for (let index = 0; index < MAX_IN_FLIGHT; index += 1) intake.hear('command', { ...command, id: `c${index}` });
    expect([intake.inFlight, answers.length]).toEqual([MAX_IN_FLIGHT, 0]);
    intake.hear('command', { ...command, id: 'past' });
    expect(answers).toMatchObject([{ id: 'past', outcome: 'refused', reason: expect.stringContaining('1000') }]);
    pending[0]!.resolve({ kind: 'outcome', ...command, outcome: 'ok', source: 'pusher', at: 1 });
    await settle();
    intake.hear('command', { ...command, id: 'next' });
    expect(requests.at(-1)!.id).toBe('next');
  });

  it('takes anything a peer may send without an exception', () => {
    const { intake, log } = makeIntake();
    const like = fc.record({
      id: fc.jsonValue(),
      unit: fc.jsonValue(),
      command: fc.jsonValue(),
      fields: fc.jsonValue(),
    });
    fc.assert(
      fc.property(fc.constantFrom('command', 'update.request'), fc.oneof(fc.jsonValue(), like), (name, data) =>
        intake.hear(name, data),
      ),
      { numRuns: 500 },
    );
    expect(log.lines.length).toBeLessThanOrEqual(3);
  });

  it.each([
    ['by a bug', new Error('a bug')],
    ['by an error of ours', new InternalError('internal', 'a bug')],
  ])('answers unknown when a command fails %s', async (_, error) => {
    const { intake, pending, answers } = makeIntake();
    intake.hear('command', command);
    pending[0]!.reject(error);
    await settle();
    expect(answers).toMatchObject([{ id: 'c1', outcome: 'unknown' }]);
    expect(intake.inFlight).toBe(0);
  });
});
