import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeliverySchedule, type Scheduled } from '../../../base/uplinks/outbox/delivery-schedule.js';

/** A schedule of one octet an item; items get their positions in the order in which they are added. */
function makeSchedule() {
  const schedule = new DeliverySchedule();
  let last = 0;
  const add = (id: string, key = 'a', dueAt?: number, at?: number): number => {
    last = at ?? last + 1;
    schedule.add({ position: last, id, key, octets: 1, attempts: 0 }, dueAt);
    return last;
  };
  const takeAll = (now: number): string[] => {
    const ids: string[] = [];
    for (let got = schedule.take(now); got !== undefined; got = schedule.take(now)) {
      ids.push(got.id);
      schedule.remove(got.position);
    }
    return ids;
  };
  return { schedule, add, takeAll };
}

describe('the schedule of one receiver', () => {
  it('gives one item of a key at a time, in order, and other keys beside it', () => {
    const { schedule, add } = makeSchedule();
    add('a1');
    add('a2');
    add('b1', 'b');
    const first = schedule.take(0)!;
    expect(first.id).toBe('a1');
    expect(schedule.take(0)!.id).toBe('b1');
    expect(schedule.take(0)).toBeUndefined();
    schedule.remove(first.position);
    expect(schedule.take(0)!.id).toBe('a2');
  });

  it('keeps what failed first in its line until it is due', () => {
    const { schedule, add } = makeSchedule();
    add('a1');
    add('a2');
    schedule.retry(schedule.take(0)!.position, 100);
    expect(schedule.nextDueAt()).toBe(100);
    expect(schedule.take(99)).toBeUndefined();
    expect(schedule.take(100)).toMatchObject({ id: 'a1', attempts: 1 });
  });

  it('holds an item back that comes with a time, and what is behind it in its line, until then', () => {
    const { schedule, add } = makeSchedule();
    add('a1', 'a', 100);
    add('a2', 'a', 500);
    expect([schedule.take(99), schedule.nextDueAt()]).toEqual([undefined, 100]);
    const first = schedule.take(100)!;
    expect(first.id).toBe('a1');
    schedule.remove(first.position);
    expect(schedule.take(100)!.id).toBe('a2');
  });

  it('hands out the oldest for a probe, and takes it back as it was', () => {
    const { schedule, add } = makeSchedule();
    add('a1');
    add('b1', 'b');
    for (let got = schedule.take(0); got !== undefined; got = schedule.take(0)) schedule.retry(got.position, 100);
    const probe = schedule.takeEarly()!;
    expect(probe).toMatchObject({ id: 'a1', attempts: 1 });
    schedule.putBack(probe.position);
    expect([schedule.take(99), schedule.nextDueAt()]).toEqual([undefined, 100]);
    schedule.hurry(50);
    expect([schedule.take(50)?.id, schedule.take(50)?.id].sort()).toEqual(['a1', 'b1']);
  });

  it('puts what comes back to its old place in its line, and never before what is being sent', () => {
    const { schedule, add, takeAll } = makeSchedule();
    add('a3', 'a', undefined, 3);
    add('a5', 'a', undefined, 5);
    add('a4', 'a', undefined, 4);
    add('a2', 'a', undefined, 2);
    const sent = schedule.take(0)!;
    expect(sent.id).toBe('a2');
    add('a1', 'a', undefined, 1);
    schedule.remove(sent.position);
    expect(takeAll(0)).toEqual(['a1', 'a3', 'a4', 'a5']);
  });

  it('sends what comes back at once, though what is behind it waits for another attempt', () => {
    const { schedule, add } = makeSchedule();
    add('a2', 'a', 1_000, 2);
    add('a1', 'a', undefined, 1);
    expect(schedule.take(0)!.id).toBe('a1');
  });

  it('names the oldest of a key that is not being sent', () => {
    const { schedule, add } = makeSchedule();
    const [first, second] = [add('a1'), add('a2')];
    add('b1', 'b');
    expect(schedule.oldestOf('a')).toEqual({ position: first, count: 2 });
    schedule.take(0);
    expect(schedule.oldestOf('a')).toEqual({ position: second, count: 2 });
    schedule.remove(second);
    expect(schedule.oldestOf('a')).toEqual({ position: undefined, count: 1 });
    expect(schedule.oldestOf('nobody')).toEqual({ position: undefined, count: 0 });
  });

  it('forgets all when cleared, and what is in flight harms nothing afterwards', () => {
    const { schedule, add } = makeSchedule();
    add('a1');
    const taken = schedule.take(0)!;
    expect(schedule.all().map(({ id }) => id)).toEqual(['a1']);
    schedule.clear();
    schedule.retry(taken.position, 5);
    schedule.putBack(taken.position);
    schedule.remove(taken.position);
    expect([schedule.count, schedule.octets, schedule.nextDueAt(), schedule.all()]).toEqual([0, 0, undefined, []]);
  });

  it('whatever is done: keeps each key in order, gives out each item to one at a time, and loses none', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('add' as const), key: fc.constantFrom('a', 'b', 'c') }),
      fc.record({
        do: fc.constantFrom('take', 'remove', 'retry', 'back', 'hurry', 'early', 'pass', 'drop'),
        key: fc.constantFrom('a', 'b', 'c'),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const { schedule, add, takeAll } = makeSchedule();
        const taken: Scheduled[] = [];
        const last = new Map<string, number>();
        const there = new Set<number>();
        let now = 0;
        const remove = (position: number): void => {
          schedule.remove(position);
          there.delete(position);
        };
        for (const { do: what, key } of steps) {
          if (what === 'add') there.add(add('', key, now + 5));
          else if (what === 'pass') now += 10;
          else if (what === 'hurry') schedule.hurry(now);
          else if (what === 'drop') {
            const { position } = schedule.oldestOf(key);
            expect(taken.map((one) => one.position)).not.toContain(position);
            if (position !== undefined) remove(position);
          } else if (what === 'take' || what === 'early') {
            const got = what === 'take' ? schedule.take(now) : schedule.takeEarly();
            if (got === undefined) continue;
            expect(taken.map((one) => one.key)).not.toContain(got.key);
            expect(got.position).toBeGreaterThanOrEqual(last.get(got.key) ?? 0);
            last.set(got.key, got.position);
            taken.push(got);
          } else {
            const one = taken.shift();
            if (one === undefined) continue;
            if (what === 'remove') remove(one.position);
            else if (what === 'retry') schedule.retry(one.position, now + 15);
            else schedule.putBack(one.position);
          }
          expect([schedule.count, schedule.octets]).toEqual([there.size, there.size]);
        }
        for (const one of taken.splice(0)) remove(one.position);
        schedule.hurry(now);
        expect(takeAll(now).length).toBe(there.size);
        expect([schedule.count, schedule.octets, schedule.nextDueAt()]).toEqual([0, 0, undefined]);
      }),
    );
  });
});
