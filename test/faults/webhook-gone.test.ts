import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import type { OutboxStatus } from '../../base/core/outbox-port.js';
import type { DeadLetter } from '../../base/core/queue.js';
import { status } from '../base/uplinks/http-receiver.js';
import { temporaryFolder } from '../cli/support/program.js';
import { eventually } from '../end-to-end/support/house.js';
import { BaseProcess } from '../process/support/base-process.js';
import { FaultReceiver, well } from './support/fault-receiver.js';
import { startGauges } from './support/gauges.js';
import { expectOnce, hooks, missing, untilTold } from './support/told.js';

const UNITS = 3;

test('410 ends a receiver: what waits is listed as dead, nothing more is sent, also after a restart; enabled and replayed it gets everything in order', async () => {
  const gauges = await startGauges(UNITS);
  const held: ServerResponse[] = [];
  const receiver = await FaultReceiver.start((_, response) => void held.push(response));
  const other = await FaultReceiver.start();
  const folder = temporaryFolder();
  const configuration = {
    http: { listen: '127.0.0.1:0' },
    units: { known: gauges.known },
    webhooks: hooks(receiver, other),
  };
  let base = await BaseProcess.start(configuration, { folder });
  await gauges.report(20);
  // Each unit's first is under way, and is not answered; all else waits.
  await eventually('their first', () => held.length === UNITS);
  const [first, ...others] = held;
  first!.writeHead(410).end();
  const line = await base.logged(/^disabled; /);
  expect(line).toMatchObject({ reason: 'answered 410', dead: UNITS * 21 });
  // Those that were under way get through after all.
  for (const response of others) response.end();
  const gone = await until(base, receiver, ({ delivered }) => delivered === UNITS - 1);
  expect(gone).toMatchObject({ state: 'disabled', reason: 'answered 410', waiting: 0, dead: UNITS * 20 + 1 });

  const seen = new Set(receiver.ids.filter((id) => id !== receiver.ids[0]));
  const dead = await deadAt(base, gone.endpoint);
  expect(dead.map(({ id }) => id).sort()).toEqual([...gauges.acknowledged.keys()].filter((id) => !seen.has(id)).sort());
  expect(new Set(dead.map(({ reason }) => reason))).toEqual(new Set(['the receiver is disabled: answered 410']));

  receiver.respond = well;
  // What happens meanwhile is acknowledged, told to the other, and refused for this one.
  const before = new Set(gauges.acknowledged.keys());
  await gauges.report(5);
  await untilTold(gauges, other);
  const after = await BaseProcess.start(configuration, { folder: await stopped(base) });
  base = after;
  expect(await base.logged(/^still disabled: /)).toMatchObject({ reason: 'answered 410' });
  await gauges.report(5);
  await untilTold(gauges, other);
  expect(await statusOf(base, receiver)).toMatchObject({
    state: 'disabled',
    dead: UNITS * 20 + 1,
    refused: UNITS * 5,
  });
  expect(receiver.received.length).toBe(UNITS);
  expect(await deadAt(base, gone.endpoint)).toEqual(dead);

  await post(base, `/outbox/${gone.endpoint}/enable`);
  expect(await post(base, `/outbox/${gone.endpoint}/replay`, { all: true })).toEqual({ replayed: UNITS * 20 + 1 });
  await eventually('it to see them', () => [...before].every((id) => receiver.ids.includes(id)));
  await until(base, receiver, ({ waiting }) => waiting === 0);
  expect(await statusOf(base, receiver)).toMatchObject({ state: 'working', dead: 0 });
  expect(receiver.ids.length).toBe(before.size + 1);
  // In order: the first of one unit twice, since it was answered 410, all else once.
  const ids = receiver.ids.slice(1);
  for (const unit of Object.keys(gauges.known)) {
    const numbers = ids.filter((id) => id.startsWith(`${unit}/`)).map((id) => Number(id.split('/').at(-1)));
    expect(numbers).toEqual(Array.from({ length: 21 }, (_, index) => index + 1));
  }
  expect(missing(gauges, receiver).length).toBe(UNITS * 10);
  await gauges.report(1);
  await eventually('it to be told again', () => receiver.ids.length === before.size + 1 + UNITS);
  await untilTold(gauges, other);
  expectOnce(gauges, other);
  expect(await base.stop()).toMatchObject({ code: 0 });
});

test('a receiver that answers 410 to everything is asked once a life', async () => {
  const gauges = await startGauges(1);
  const receiver = await FaultReceiver.start(status(410));
  const folder = temporaryFolder();
  const configuration = { units: { known: gauges.known }, webhooks: hooks(receiver) };
  for (let life = 0; life < 2; life += 1) {
    const base = await BaseProcess.start(configuration, { folder });
    await gauges.report(20);
    await base.logged(/disabled/);
    expect(await base.stop()).toMatchObject({ code: 0 });
  }
  expect(receiver.received.length).toBe(1);
});

async function stopped(base: BaseProcess): Promise<string> {
  expect(await base.stop()).toMatchObject({ code: 0 });
  return base.folder;
}

async function statusOf(base: BaseProcess, { port }: FaultReceiver): Promise<OutboxStatus> {
  const { endpoints } = await base.get<{ endpoints: OutboxStatus[] }>('/outbox');
  return endpoints.find(({ label }) => label.endsWith(`:${port})`))!;
}

/** The API lets one token ask 20 times a second. */
async function until(
  base: BaseProcess,
  receiver: FaultReceiver,
  isSo: (status: OutboxStatus) => boolean,
): Promise<OutboxStatus> {
  for (let left = 200; left > 0; left -= 1) {
    const found = await statusOf(base, receiver);
    if (isSo(found)) return found;
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  throw new Error(`never so: ${JSON.stringify(await statusOf(base, receiver))}`);
}

/** All pages. */
async function deadAt(base: BaseProcess, endpoint: string): Promise<DeadLetter[]> {
  const all: DeadLetter[] = [];
  for (let behind: number | undefined = 0; behind !== undefined; ) {
    const page: { dead: DeadLetter[]; next?: number } = await base.get(
      `/outbox/${endpoint}/dead?behind=${behind}&limit=25`,
    );
    all.push(...page.dead);
    behind = page.next;
  }
  return all;
}

async function post(base: BaseProcess, path: string, body: object = {}): Promise<object> {
  const response = await fetch(`${base.url}/api/v1${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${base.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as object;
}
