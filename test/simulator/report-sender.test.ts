import { describe, expect, it } from 'vitest';
import { returnCodes } from '../../protocol/iotsocket/transmission.js';
import { decodeReport } from '../../protocol/unit/heads.js';
import { LAST_SEQUENCE, ReportRing } from '../../simulator/report-ring.js';
import { ANSWER_MS, FIRST_RESEND_MS, LAST_RESEND_MS, ReportSender } from '../../simulator/report-sender.js';
import { ManualClock } from '../support/manual-clock.js';

const fields = new Uint8Array(0);

function bench(slots = 16) {
  const clock = new ManualClock();
  const ring = new ReportRing(slots);
  const settled: [sequence: number, isStored: boolean][] = [];
  const sender = new ReportSender({
    ring,
    clock,
    settled: ({ sequence }, isStored) => settled.push([sequence, isStored]),
  });
  const sent: { readonly sequence: number; readonly ageMs: number; readonly tracking: number }[] = [];
  const send = (data: Uint8Array): number => {
    const { sequence, ageMs } = decodeReport(data)!;
    sent.push({ sequence, ageMs, tracking: sent.length });
    return sent.length - 1;
  };
  const add = (): void => {
    ring.add({ number: 1, measuredAt: clock.monotonic(), fields });
    sender.wake();
  };
  return { clock, ring, sender, sent, send, add, settled };
}

describe('reports', () => {
  it('go one at a time in the order of their sequence, each when the one before is stored', () => {
    const { sender, sent, send, add, settled } = bench();
    add();
    add();
    sender.linkUp(send);
    expect(sent.map(({ sequence }) => sequence)).toEqual([1]);
    expect(sender.answered(77, returnCodes.valid)).toBe(false);
    expect(sent).toHaveLength(1);
    expect(sender.answered(0, returnCodes.valid)).toBe(true);
    expect(sent.map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect(settled).toEqual([[1, true]]);
  });

  it('tell their age', async () => {
    const { clock, sender, sent, send, add } = bench();
    add();
    await clock.advance(2_500);
    sender.linkUp(send);
    expect(sent[0]!.ageMs).toBe(2_500);
  });

  it('that were refused for good are never sent again', () => {
    const { sender, send, add, ring, settled } = bench();
    add();
    sender.linkUp(send);
    sender.answered(0, returnCodes.notValid);
    expect(ring.length).toBe(0);
    expect(settled).toEqual([[1, false]]);
  });

  for (const [name, code] of [
    ['A0', returnCodes.noDestination],
    ['A1', returnCodes.timeout],
  ] as const) {
    it(`that were answered ${name} go again after 1, 2, 4 … 60 s with new tracking numbers`, async () => {
      const { clock, sender, sent, send, add, ring } = bench();
      add();
      sender.linkUp(send);
      for (const waitMs of [FIRST_RESEND_MS, 2_000, 4_000, 8_000, 16_000, 32_000, LAST_RESEND_MS, LAST_RESEND_MS]) {
        const { tracking } = sent.at(-1)!;
        sender.answered(tracking, code);
        await clock.advance(waitMs - 1);
        expect(sent.at(-1)!.tracking).toBe(tracking);
        await clock.advance(1);
        expect(sent.at(-1)).toMatchObject({ sequence: 1, tracking: tracking + 1 });
      }
      sender.answered(sent.at(-1)!.tracking, returnCodes.valid);
      expect(ring.length).toBe(0);
    });
  }

  it('that were not answered in 10 s go again, and a late answer to the first is not taken for one', async () => {
    const { clock, sender, sent, send, add } = bench();
    add();
    sender.linkUp(send);
    await clock.advance(ANSWER_MS + FIRST_RESEND_MS - 1);
    expect(sent).toHaveLength(1);
    await clock.advance(1);
    expect(sent).toHaveLength(2);
    expect(sender.answered(0, returnCodes.valid)).toBe(false);
  });

  it('go again on the next link when the first is lost, and no timer is left without one', () => {
    const { clock, sender, sent, send, add } = bench();
    add();
    sender.linkUp(send);
    sender.linkDown();
    expect(clock.waiting).toBe(0);
    add();
    expect(sent).toHaveLength(1);
    sender.linkUp(send);
    expect(sent.map(({ sequence }) => sequence)).toEqual([1, 1]);
  });
});

describe('the ring', () => {
  it('keeps as many readings as it has slots, and drops the oldest for one more', () => {
    const { ring, add } = bench(3);
    for (let count = 0; count < 3; count += 1) add();
    expect([ring.length, ring.dropped, ring.oldest?.sequence]).toEqual([3, 0, 1]);
    add();
    expect([ring.length, ring.dropped, ring.oldest?.sequence]).toEqual([3, 1, 2]);
  });

  it('forgets what the base has, but not for a sequence that was never given out', () => {
    const { ring, add } = bench();
    for (let count = 0; count < 4; count += 1) add();
    ring.forgetUpTo(9);
    expect(ring.length).toBe(4);
    ring.forgetUpTo(3);
    expect(ring.oldest?.sequence).toBe(4);
  });

  it('is exhausted at the last sequence of a boot and numbers from 1 in the next', () => {
    const ring = new ReportRing(16, 2);
    ring.add({ number: 1, measuredAt: 0, fields });
    expect(ring.isExhausted).toBe(false);
    ring.add({ number: 1, measuredAt: 0, fields });
    expect(ring.isExhausted).toBe(true);
    ring.remove(1);
    ring.renumber();
    expect([ring.oldest?.sequence, ring.isExhausted]).toEqual([1, false]);
    expect(LAST_SEQUENCE).toBe(2 ** 32 - 1);
  });
});
