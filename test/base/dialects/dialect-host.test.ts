import { afterEach, expect, test } from 'vitest';
import type { CommandRequest } from '../../../base/core/command-request.js';
import type { CoreMessage, Outcome } from '../../../base/core/messages.js';
import { Outboxes } from '../../../base/core/outboxes.js';
import { Router } from '../../../base/core/router.js';
import type { DialectContext } from '../../../base/dialects/dialect.js';
import { DialectHost } from '../../../base/dialects/dialect-host.js';
import { MemoryBus } from '../../../base/engine/embedded/memory-bus.js';
import thermometer from '../../../units/thermometer.js';
import { ManualClock } from '../../support/manual-clock.js';
import { MemoryStore } from '../../support/memory-store.js';
import { QuietLog } from '../../support/quiet-log.js';

let host: DialectHost;

afterEach(() => host.stop());

/** What a dialect gets that serves objects and their central, and what the bus hears of it. */
async function contextOf(command?: (request: CommandRequest) => Promise<Outcome>) {
  const [clock, log, store] = [new ManualClock(), new QuietLog(), new MemoryStore()];
  const bus = new MemoryBus(log);
  const heard: CoreMessage[] = [];
  for (const kind of ['request', 'response', 'presence'] as const) bus.subscribe(kind, (each) => void heard.push(each));
  const random = { octets: (count: number) => new Uint8Array(count), fraction: () => 0.5 };
  const router = new Router({ bus, store, outboxes: new Outboxes(), clock, random, log });
  router.add({ uid: 'hall', definition: thermometer });
  host = new DialectHost({ router, command, clock, random, log });
  let context!: DialectContext;
  const listen = async (given: DialectContext): Promise<void> => {
    context = given;
    given.ready();
  };
  await host.start({ name: 'test', listen }, []);
  return { context, router, heard, store };
}

test('a dialect adds units that are not typed, tells what they say, and takes them away', async () => {
  const { context, router, heard } = await contextOf();
  const delivered: string[] = [];
  const deliver = async (uid: string) => {
    delivered.push(uid);
    return { outcome: 'ok' } as const;
  };
  expect([context.addUnit({ uid: 'board' }, deliver), context.addUnit({ uid: 'hall' }, deliver)]).toEqual([
    true,
    false,
  ]);
  expect([context.wants('request'), context.wants('report')]).toEqual([true, false]);
  context.presence('board', { state: 'online' });
  const id = context.request('board', { format: 'json', value: 1 });
  context.response(id, 'board', 0xa1, undefined);
  expect(
    await context.command({ id: 'c', unit: 'board', command: 'request', payload: 1, source: 'test' }),
  ).toMatchObject({
    outcome: 'ok',
  });
  context.removeUnit('board', 'gone');
  expect(heard).toMatchObject([
    { kind: 'presence', state: 'online' },
    { kind: 'request', id, payload: { format: 'json', value: 1 } },
    { kind: 'response', id, code: 0xa1 },
    { kind: 'presence', state: 'offline', reason: 'gone' },
  ]);
  expect([delivered, router.get('board')]).toEqual([['board'], undefined]);
});

test('a dialect knows the typed units, hears their reports, and commands as the base says', async () => {
  const asked: CommandRequest[] = [];
  const outcome: Outcome = { kind: 'outcome', id: 'c', unit: 'hall', command: 'x', outcome: 'ok', source: 't', at: 1 };
  const { context, router } = await contextOf(async (request) => {
    asked.push(request);
    return outcome;
  });
  expect([context.typedUnit('hall'), context.typedUnit('board')]).toEqual([thermometer, undefined]);
  const reports: string[] = [];
  const leave = context.hear('report', ({ id }) => reports.push(id));
  router.hello({ uid: 'hall', boot: 3, nonce: 7, version: '1.0.0' });
  const report = { uid: 'hall', report: 'reading', fields: { temperature: 20 }, measuredAt: 5 };
  await router.report({ ...report, identity: { boot: 3, sequence: 1 } });
  leave();
  await router.report({ ...report, identity: { boot: 3, sequence: 2 } });
  expect(reports).toEqual(['hall/3/1']);
  const request = { id: 'c', unit: 'hall', command: 'x', source: 't' };
  expect([await context.command(request), asked]).toEqual([outcome, [request]]);
});

test('a dialect keeps transmissions for peers that are away', async () => {
  const { context, store } = await contextOf();
  const { positions, stored } = context.keep([{ unit: 'board', octets: Uint8Array.of(1, 2) }]);
  await stored;
  expect((await store.load()).kept).toMatchObject([{ position: positions[0], unit: 'board' }]);
  await context.unkeep(positions);
  expect([(await store.load()).kept, context.kept()]).toEqual([[], []]);
});
