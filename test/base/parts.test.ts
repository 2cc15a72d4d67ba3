import { describe, expect, test } from 'vitest';
import { Parts } from '../../base/parts.js';
import { shutdownTimes } from '../../base/shutdown-times.js';
import { ManualClock } from '../support/manual-clock.js';
import { QuietLog } from '../support/quiet-log.js';

const times = shutdownTimes(10_000);
const never = (): Promise<void> => new Promise(() => {});

function rig(signal?: AbortSignal) {
  const clock = new ManualClock();
  const log = new QuietLog();
  const parts = new Parts({ times, clock, log, signal });
  const ended: string[] = [];
  const begin = (name: string, endsIn?: 'first' | 'middle' | 'last', needs?: string) =>
    parts.begin(
      name,
      async () => name,
      async () => void ended.push(name),
      { ...(endsIn && { endsIn }), needs },
    );
  return { clock, log, parts, ended, begin };
}

describe('the parts of a base', () => {
  test('end in their phases, whatever the order of their start, and what another needs ends after it', async () => {
    const { parts, ended, begin, clock } = rig();
    await begin('store', 'last');
    await begin('hub');
    await begin('pusher', undefined, 'hub');
    await begin('handlers', 'first');
    expect(await parts.stop()).toEqual([]);
    expect(ended).toEqual(['handlers', 'pusher', 'hub', 'store']);
    expect(await parts.stop()).toEqual([]);
    expect(ended.length).toBe(4);
    expect(clock.waiting).toBe(0);
  });

  test.each([
    ['an error', new Error('broken'), 'broken'],
    ['nothing', undefined, 'undefined'],
  ])('one that throws %s at its end is logged, and is not late', async (_what, thrown, said) => {
    const { parts, ended, begin, log } = rig();
    await begin('store', 'last');
    const fail = async () => Promise.reject(thrown);
    await parts.begin('api', async () => {}, fail);
    expect(await parts.stop()).toEqual([]);
    expect(ended).toEqual(['store']);
    expect(log.lines).toMatchObject([{ level: 'error', fields: { part: 'api', error: said } }]);
  });

  test('one that never ends is left behind when its phase is over, named, and the others have their time', async () => {
    const { parts, ended, begin, clock, log } = rig();
    await begin('store', 'last');
    await parts.begin('handlers', async () => {}, never, { endsIn: 'first' });
    await parts.begin('api', async () => {}, never);
    let late: readonly string[] | undefined;
    void parts.stop().then((names) => {
      late = names;
    });
    await clock.advance(times.phasesMs.first - 1);
    expect(log.lines).toEqual([]);
    await clock.advance(1);
    expect(log.lines.map(({ fields }) => fields.part)).toEqual(['handlers']);
    await clock.advance(times.phasesMs.middle - times.phasesMs.first - 1);
    expect(ended).toEqual([]);
    await clock.advance(1);
    expect(late).toEqual(['handlers', 'api']);
    expect(ended).toEqual(['store']);
    expect(log.lines.map(({ fields }) => fields.code)).toEqual(['stop-timeout', 'stop-timeout']);
    expect(clock.waiting).toBe(0);
  });

  test('begin no more once they are to stop, and end also where their start failed', async () => {
    const abort = new AbortController();
    const { parts, ended, begin } = rig(abort.signal);
    const start = async () => Promise.reject(new Error('port in use'));
    await expect(parts.begin('api', start, async () => void ended.push('api'))).rejects.toThrow('port in use');
    abort.abort();
    await expect(begin('hub')).rejects.toMatchObject({ code: 'stopped' });
    await parts.stop();
    expect(ended).toEqual(['api']);
  });
});

test.each([1_000, 4_000, 8_000, 60_000])('all that a stop waits for fits into %s ms', (allMs) => {
  const { handlersMs, graceMs, hubGraceMs, phasesMs } = shutdownTimes(allMs);
  expect(handlersMs).toBeLessThan(phasesMs.first);
  expect(phasesMs.first + graceMs).toBeLessThan(phasesMs.middle);
  // The channel's last events go through the hub before that ends.
  expect(phasesMs.first + 2 * hubGraceMs).toBeLessThanOrEqual(phasesMs.middle);
  expect(phasesMs.middle).toBeLessThan(phasesMs.last);
  expect(phasesMs.last).toBeLessThan(allMs);
});
