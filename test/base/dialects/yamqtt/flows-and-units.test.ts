import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Delivery, DeliveryResult } from '../../../../base/core/delivery.js';
import type { Handler, HandlerContext } from '../../../../base/dialects/handler.js';
import { message, YamqttRig } from './yamqtt-rig.js';

/* Flows that mean something to units, from socket to unit and back. What rules make of what is said is in flow-rules.test.ts. */

const flows = new Map([
  [42, { report: { unit: 'tank', report: 'telemetry' } }],
  [43, { command: { unit: 'tank', command: 'request' } }],
  [44, { report: { unit: 'tank', report: 'telemetry' }, command: { unit: 'tank', command: 'request' } }],
]);

let rig: YamqttRig;
let delivered: unknown[];
let end: (result: DeliveryResult) => void;
let units: HandlerContext;

/** Serves `tank`; a command waits for `end`. */
const tanks: Handler = {
  name: 'tanks',
  async listen(context) {
    units = context;
    context.addUnit({ uid: 'tank' }, (_uid, { payload }: Delivery) => {
      delivered.push(payload);
      return new Promise((resolve) => {
        end = resolve;
      });
    });
    context.presence('tank', { state: 'online' });
    context.ready();
    await once(context.signal, 'abort');
  },
};

beforeEach(async () => {
  delivered = [];
  rig = await YamqttRig.start({ flows });
  await rig.host.start(tanks, []);
});

afterEach(async () => {
  expect(rig.faults).toBe(0);
  await rig.stop();
});

const report = (value: unknown): Promise<unknown> =>
  units.report({ uid: 'tank', payload: { format: 'json', value }, measuredAt: rig.clock.now(), durable: false });

test('what a unit reports is published like anything else, and commands nobody', async () => {
  const client = await rig.subscriber(42, 44);
  await report({ level: 1 });
  client.send(message('p', 42, 'by hand'));
  expect([await client.next(), await client.next(), await client.next()]).toEqual([
    message('m', 42, '{"level":1}'),
    message('m', 44, '{"level":1}'),
    message('m', 42, 'by hand'),
  ]);
  expect([delivered, rig.counts().publications]).toEqual([[], 4]);
});

test('what is published on a flow of a command goes to its unit, and to the subscribers of the flow', async () => {
  const subscriber = await rig.subscriber(43);
  const publisher = await rig.client();
  publisher.send(message('p', 43, '{"pump":true}'));
  await rig.until('it has the command', () => delivered.length === 1);
  end({ outcome: 'ok' });
  expect([await subscriber.nextShown(), await publisher.isRead()]).toEqual(['m 43 {"pump":true}', []]);
  expect(JSON.stringify(delivered)).toContain('pump');
});

test('its publisher alone is told when that does not end well, unless it has gone', async () => {
  const subscriber = await rig.subscriber(43);
  const [publisher, gone] = [await rig.client(), await rig.client()];
  publisher.send(message('p', 43, 'on'));
  await rig.until('it has the command', () => delivered.length === 1);
  gone.send(message('p', 43, 'off'));
  await gone.isRead();
  gone.socket.resetAndDestroy();
  await rig.until('it is gone', () => rig.counts().clients === 2);
  end({ outcome: 'refused', reason: 'no water' });
  expect(await publisher.nextShown()).toBe('e 0 43: refused: no water');
  await rig.until('it has the other', () => delivered.length === 2);
  end({ outcome: 'timeout' });
  expect([await subscriber.isRead(), await publisher.isRead()]).toEqual([['m 43 on', 'm 43 off'], []]);
});

test('a client has 16 commands under way; one more is relayed and refused, and others are not', async () => {
  const subscriber = await rig.subscriber(43);
  const [publisher, other] = [await rig.client(), await rig.client()];
  publisher.send(...Array.from({ length: 17 }, (_, number) => message('p', 43, String(number))));
  expect(await publisher.isRead()).toEqual([
    'e 0 43: refused: 16 commands of this client are under way; publish it again later',
  ]);
  other.send(message('p', 43, 'other'));
  expect(await other.isRead()).toEqual([]);
  expect(await subscriber.isRead()).toEqual([
    ...Array.from({ length: 17 }, (_, number) => `m 43 ${number}`),
    'm 43 other',
  ]);
  expect(rig.counts()).toMatchObject({ commands: 17, 'commands-not-ok': 1 });
});
