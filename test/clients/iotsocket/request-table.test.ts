import { expect, test } from 'vitest';
import { MAX_IN_FLIGHT, MAX_LATE, RequestTable } from '../../../clients/iotsocket/request-table.js';
import { LinkError } from '../../../protocol/errors.js';
import { ManualClock } from '../../support/manual-clock.js';

function table(firstNumber = 0): { requests: RequestTable<string>; clock: ManualClock } {
  const clock = new ManualClock();
  return { requests: new RequestTable<string>({ clock, firstNumber }), clock };
}

/** A request that is sent at once, and whose rejection is looked at later. */
function ask(
  requests: RequestTable<string>,
  uid = 'a',
  timeoutMs = 1_000,
): { tracking: number; answer: Promise<string> } {
  const asked = requests.add(uid, timeoutMs);
  asked.answer.catch(() => {});
  requests.sent(asked.tracking);
  return asked;
}

test('numbers go up, and from 65,535 on to 0', () => {
  const { requests } = table(65_534);
  expect([1, 2, 3, 4].map(() => ask(requests).tracking)).toEqual([65_534, 65_535, 0, 1]);
});

test('a number in flight is not used again, also towards another object', () => {
  const { requests } = table();
  const held = [ask(requests, 'a').tracking, ask(requests, 'b').tracking];
  const used = new Set<number>();
  for (let count = 0; count < 70_000; count += 1) {
    const { tracking } = ask(requests, 'c');
    used.add(tracking);
    requests.answered('c', tracking, '');
  }
  expect(held).toEqual([0, 1]);
  expect(used.size).toBe(65_536 - 2);
  for (const number of held) expect(used.has(number)).toBe(false);
});

test('an answer comes to the one who asked, once, and only from whom was asked', async () => {
  const { requests, clock } = table();
  const { tracking, answer } = ask(requests, 'a');
  expect(requests.answered('b', tracking, 'wrong')).toBe(false);
  expect(requests.answered('a', tracking + 1, 'wrong')).toBe(false);
  expect(requests.answered('a', tracking, 'right')).toBe(true);
  expect(requests.answered('a', tracking, 'again')).toBe(false);
  expect(await answer).toBe('right');
  expect([requests.inFlight, clock.waiting]).toEqual([0, 0]);
});

test('what was not sent cannot be answered', () => {
  const { requests } = table();
  const { tracking } = requests.add('a', 1_000);
  expect(requests.answered('a', tracking, 'early')).toBe(false);
  requests.sent(tracking);
  expect(requests.answered('a', tracking, 'now')).toBe(true);
});

test('time over: it rejects, and its number waits for the late answer, which nobody gets', async () => {
  const { requests, clock } = table();
  const { tracking, answer } = ask(requests, 'a', 1_000);
  const failed = expect(answer).rejects.toMatchObject({ code: 'command-timeout' });
  await clock.advance(999);
  expect(requests.inFlight).toBe(1);
  await clock.advance(1);
  await failed;
  const round = () =>
    Array.from({ length: 65_536 }, () => {
      const { tracking: number } = ask(requests, 'a');
      requests.answered('a', number, '');
      return number;
    });
  expect(round()).not.toContain(tracking);
  expect(requests.answered('a', tracking, 'late')).toBe(false);
  expect(round()).toContain(tracking);
});

test('a request whose time was over before it was sent is not sent, and its number is free', async () => {
  const { requests, clock } = table();
  const { tracking, answer } = requests.add('a', 1_000);
  const failed = expect(answer).rejects.toMatchObject({ code: 'command-timeout' });
  await clock.advance(1_000);
  await failed;
  expect(requests.sent(tracking)).toBe(false);
});

test('as many late numbers are held back as there is room for, then the oldest is used again', () => {
  const { requests } = table();
  const numbers = (): Set<number> => {
    const found = new Set<number>();
    for (let count = 0; count < 65_536; count += 1) {
      const { tracking } = ask(requests);
      found.add(tracking);
      requests.answered('a', tracking, '');
    }
    return found;
  };
  const gone = new LinkError('link-lost', 'gone');
  for (let late = 0; late < MAX_LATE; late += MAX_IN_FLIGHT) {
    for (let count = 0; count < MAX_IN_FLIGHT; count += 1) ask(requests);
    requests.abandon('all', gone);
  }
  expect(numbers().size).toBe(65_536 - MAX_LATE);
  ask(requests);
  requests.abandon('all', gone);
  const free = numbers();
  expect(free.size).toBe(65_536 - MAX_LATE);
  expect(free.has(0)).toBe(true);
});

test('abandoned: those that were not sent, or all, with that error', async () => {
  const { requests, clock } = table();
  const sent = ask(requests);
  const unsent = requests.add('a', 1_000);
  const error = new LinkError('link-lost', 'gone');
  requests.abandon('unsent', error);
  await expect(unsent.answer).rejects.toBe(error);
  expect(requests.inFlight).toBe(1);
  requests.abandon('all', error);
  await expect(sent.answer).rejects.toBe(error);
  expect([requests.inFlight, clock.waiting]).toEqual([0, 0]);
});
