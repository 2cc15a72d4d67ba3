import { expect, test } from 'vitest';
import { MANY_SLOW, type SlowClient, SlowClients } from '../../../../base/dialects/yamqtt/slow-clients.js';

/* What waits for all slow clients together; in units of a message. */

class Waiting implements SlowClient {
  readonly dropped: number[] = [];
  waiting: number;

  constructor(waiting = 0) {
    this.waiting = waiting;
  }

  /** As one with whole messages of one octet. */
  dropTo(octets: number): void {
    const left = Math.floor(octets);
    this.dropped.push(this.waiting - left);
    this.waiting = left;
  }
}

function started(...waiting: readonly number[]): { slow: SlowClients; clients: Waiting[] } {
  const slow = new SlowClients({ unsentOctetsInAll: 100 });
  const clients = waiting.map((each) => new Waiting(each));
  for (const client of clients) slow.enter(client);
  return { slow, clients };
}

function give(slow: SlowClients, client: Waiting, octets: number): void {
  client.waiting += octets;
  slow.changed(octets);
}

test('at the bound nothing is dropped; one past it whoever has more than its share drops down to it', () => {
  const { slow, clients } = started(70, 16, 14, 0);
  expect([slow.octets, clients.flatMap(({ dropped }) => dropped)]).toEqual([100, []]);
  give(slow, clients[3]!, 1);
  // A share is 100 / 2 / 4.
  expect(clients.map(({ waiting }) => waiting)).toEqual([12, 12, 12, 1]);
  expect(clients.map(({ dropped }) => dropped)).toEqual([[58], [4], [2], []]);
  expect(slow.octets).toBe(37);
});

test('one that becomes slow with too much is counted at once', () => {
  const { slow, clients } = started(60, 41);
  expect([slow.octets, clients.map(({ waiting }) => waiting)]).toEqual([50, [25, 25]]);
});

test('who has its share, and no more, keeps it', () => {
  const { slow, clients } = started(25, 75);
  give(slow, clients[1]!, 1);
  expect([slow.octets, clients.map(({ dropped }) => dropped)]).toEqual([50, [[], [51]]]);
});

test('all that is waiting may go, when a share is less than a message', () => {
  const { slow, clients } = started(...Array.from({ length: 51 }, () => 1));
  for (const client of clients) give(slow, client, client === clients[0] ? 50 : 0);
  expect([slow.octets, clients.map(({ waiting }) => waiting)]).toEqual([0, Array(51).fill(0)]);
  give(slow, clients[0]!, 100);
  expect([slow.octets, clients[0]!.waiting]).toEqual([100, 100]);
});

test('what waits for one that takes again counts no more, once', () => {
  const { slow, clients } = started(30, 40);
  slow.leave(clients[0]!);
  slow.leave(clients[0]!);
  slow.leave(new Waiting(7));
  expect(slow.octets).toBe(40);
  slow.leave(clients[1]!);
  expect(slow.octets).toBe(0);
});

test('a flood looks at all of them seldom: at each a few times, however many messages there are', () => {
  const { slow, clients } = started(...Array.from({ length: 10 }, () => 0));
  for (let message = 0; message < 10_000; message += 1) give(slow, clients[message % 10]!, 1);
  expect(slow.octets).toBeLessThanOrEqual(100);
  // Each time 51 have come anew at least.
  for (const { dropped } of clients) expect(dropped.length).toBeLessThanOrEqual(10_000 / 51);
});

test('they are many past 256', () => {
  const { slow, clients } = started(...Array.from({ length: MANY_SLOW }, () => 0));
  expect([MANY_SLOW, slow.areMany]).toEqual([256, false]);
  const one = new Waiting();
  slow.enter(one);
  expect(slow.areMany).toBe(true);
  slow.leave(clients[0]!);
  expect(slow.areMany).toBe(false);
});
