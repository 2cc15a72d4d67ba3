import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_ITEMS, MAX_OCTETS, MemoryOutbox } from '../../../base/uplinks/webhooks/memory-outbox.js';
import type { NewItem } from '../../../base/uplinks/webhooks/outbox.js';

const item = (id: string, key = 'a', body = ''): NewItem => ({ id, key, body });
const ids = (items: readonly NewItem[]): string[] => items.map(({ id }) => id);

describe('the outbox in memory', () => {
  it('gives one item of a key at a time, in order, and other keys beside it', () => {
    const outbox = new MemoryOutbox();
    for (const one of [item('a1'), item('a2'), item('b1', 'b')]) outbox.add(one);
    const first = outbox.take(0)!;
    expect(first.id).toBe('a1');
    expect(outbox.take(0)!.id).toBe('b1');
    expect(outbox.take(0)).toBeUndefined();
    outbox.remove(first.position);
    expect(outbox.take(0)!.id).toBe('a2');
  });

  it('keeps what failed first in its line until it is due', () => {
    const outbox = new MemoryOutbox();
    for (const one of [item('a1'), item('a2')]) outbox.add(one);
    outbox.retry(outbox.take(0)!.position, 100);
    expect(outbox.nextDueAt()).toBe(100);
    expect(outbox.take(99)).toBeUndefined();
    expect(outbox.take(100)).toMatchObject({ id: 'a1', attempts: 1 });
  });

  it('hands out the oldest for a probe, and takes it back as it was', () => {
    const outbox = new MemoryOutbox();
    for (const one of [item('a1'), item('b1', 'b')]) outbox.add(one);
    for (let failed = outbox.take(0); failed !== undefined; failed = outbox.take(0)) outbox.retry(failed.position, 100);
    const probe = outbox.takeEarly()!;
    expect(probe).toMatchObject({ id: 'a1', attempts: 1 });
    outbox.putBack(probe.position);
    expect([outbox.take(99), outbox.nextDueAt()]).toEqual([undefined, 100]);
    outbox.hurry(50);
    expect([outbox.take(50)?.id, outbox.take(50)?.id].sort()).toEqual(['a1', 'b1']);
  });

  it('drops the oldest at one past the bound of items, and nothing at it', () => {
    const outbox = new MemoryOutbox({ maxItems: 3 });
    expect(['1', '2', '3'].flatMap((id) => outbox.add(item(id, id)))).toEqual([]);
    expect(ids(outbox.add(item('4', '4')))).toEqual(['1']);
    expect(outbox.count).toBe(3);
  });

  it('drops the oldest past the bound of octets', () => {
    const outbox = new MemoryOutbox({ maxOctets: 3_000 });
    const body = 'x'.repeat(1_000 - 128 - 1);
    for (const id of ['1', '2', '3']) expect(outbox.add(item(id, id, body))).toEqual([]);
    expect(outbox.octets).toBe(3_000);
    expect(ids(outbox.add(item('4', '4', '')))).toEqual(['1']);
    expect(ids(outbox.add(item('5', '5', 'x'.repeat(3_000))))).toEqual(['5']);
  });

  it('has the bounds of the documentation', () => {
    expect([MAX_ITEMS, MAX_OCTETS]).toEqual([10_000, 64 * 1024 * 1024]);
  });

  it('never drops what is being sent', () => {
    const outbox = new MemoryOutbox({ maxItems: 2 });
    outbox.add(item('a1'));
    outbox.take(0);
    outbox.add(item('a2'));
    expect(ids(outbox.add(item('a3')))).toEqual(['a2']);
    expect(outbox.count).toBe(2);
  });

  it('lets only the newest of a key wait where that is asked for', () => {
    const outbox = new MemoryOutbox({ maxItemsPerKey: 2 });
    outbox.add(item('b1', 'b'));
    expect(['a1', 'a2'].flatMap((id) => outbox.add(item(id)))).toEqual([]);
    expect(ids(outbox.add(item('a3')))).toEqual(['a1']);
    const sent = [outbox.take(0)!, outbox.take(0)!];
    expect(ids(sent).sort()).toEqual(['a2', 'b1']);
    expect(ids(outbox.add(item('a4')))).toEqual(['a3']);
  });

  it('forgets all when cleared, and what is in flight harms nothing afterwards', () => {
    const outbox = new MemoryOutbox();
    outbox.add(item('a1'));
    const taken = outbox.take(0)!;
    expect(outbox.clear()).toBe(1);
    outbox.retry(taken.position, 5);
    outbox.remove(taken.position);
    expect([outbox.count, outbox.octets, outbox.nextDueAt()]).toEqual([0, 0, undefined]);
  });

  it('whatever is done: keeps each key in order and stays within its bounds', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('add' as const), key: fc.constantFrom('a', 'b', 'c') }),
      fc.record({
        do: fc.constantFrom('take', 'remove', 'retry', 'back', 'hurry', 'early', 'pass'),
        key: fc.constant(''),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const outbox = new MemoryOutbox({ maxItems: 6, maxItemsPerKey: 4 });
        const taken: { id: string; key: string; position: number }[] = [];
        const last = new Map<string, number>();
        let now = 0;
        let added = 0;
        for (const { do: what, key } of steps) {
          if (what === 'add') outbox.add(item(String(added++), key));
          else if (what === 'pass') now += 10;
          else if (what === 'hurry') outbox.hurry(now);
          else if (what === 'take' || what === 'early') {
            const got = what === 'take' ? outbox.take(now) : outbox.takeEarly();
            if (got === undefined) continue;
            expect(taken.map((one) => one.key)).not.toContain(got.key);
            expect(Number(got.id)).toBeGreaterThanOrEqual(last.get(got.key) ?? 0);
            last.set(got.key, Number(got.id));
            taken.push(got);
          } else {
            const one = taken.shift();
            if (one === undefined) continue;
            if (what === 'remove') outbox.remove(one.position);
            else if (what === 'retry') outbox.retry(one.position, now + 15);
            else outbox.putBack(one.position);
          }
          expect(outbox.count).toBeLessThanOrEqual(6);
        }
        for (const one of taken.splice(0)) outbox.remove(one.position);
        outbox.hurry(now);
        for (let got = outbox.take(now); got !== undefined; got = outbox.take(now)) outbox.remove(got.position);
        expect([outbox.count, outbox.octets]).toEqual([0, 0]);
      }),
    );
  });
});
