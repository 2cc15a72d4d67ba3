import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { message, type YamqttPeer, YamqttRig } from './yamqtt-rig.js';

/* Whatever clients do: each gets exactly what was published on its flows since it subscribed, in order per publisher. */

const FLOWS = [1, 7, 400, 65_534];
/** Of each client, to subscribe to and to publish on while others publish. */
const ownFlow = (client: number): number => 1_000 + client;

let rig: YamqttRig;
beforeAll(async () => {
  rig = await YamqttRig.start();
});
afterAll(() => rig.stop());

/** What a client does next: 0 to 2 on its own flow (subscribe, unsubscribe, publish); else it publishes on one of `FLOWS`. */
type Step = number;

interface Round {
  /** Flows that each client is subscribed to from now on. */
  readonly subscriptions: readonly (readonly number[])[];
  readonly steps: readonly (readonly Step[])[];
  /** Where what a client sends is cut. */
  readonly cuts: readonly number[];
}

const roundOf = (clients: number): fc.Arbitrary<Round> => {
  const each = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
    fc.array(arbitrary, { minLength: clients, maxLength: clients });
  return fc.record({
    subscriptions: each(fc.subarray(FLOWS)),
    steps: each(fc.array(fc.nat(2 + 3 * FLOWS.length), { maxLength: 25 })),
    cuts: fc.array(fc.integer({ min: 1, max: 12_000 }), { minLength: 1, maxLength: 5 }),
  });
};

const model = fc
  .integer({ min: 1, max: 5 })
  .chain((clients) =>
    fc.array(roundOf(clients), { minLength: 1, maxLength: 3 }).map((rounds) => ({ clients, rounds })),
  );

/** Sends all of it in pieces, in as many turns. */
async function sendCut(peer: YamqttPeer, octets: Buffer, cuts: readonly number[]): Promise<void> {
  for (let at = 0, piece = 0; at < octets.length; piece += 1) {
    const end = at + cuts[piece % cuts.length]!;
    peer.send(octets.subarray(at, end));
    at = end;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The flow in `m 42 text`. */
const flowIn = (shown: string): string => shown.split(' ')[1]!;
const publisherIn = (shown: string): string => shown.split(' ')[2]!;

function groupedBy(all: readonly string[], key: (shown: string) => string): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const each of all) {
    const group = key(each);
    groups[group] ??= [];
    groups[group].push(each);
  }
  return groups;
}

async function holds(clients: number, rounds: readonly Round[]): Promise<void> {
  const peers = await Promise.all(Array.from({ length: clients }, () => rig.client()));
  const subscribed = peers.map(() => new Set<number>());
  const isOnOwn = peers.map(() => false);
  let texts = 0;
  for (const { subscriptions, steps, cuts } of rounds) {
    // Before anything is published every subscription holds.
    for (const [client, peer] of peers.entries()) {
      for (const flow of FLOWS) {
        const wanted = subscriptions[client]!.includes(flow);
        if (wanted !== subscribed[client]!.has(flow)) peer.send(message(wanted ? 's' : 'u', flow));
        if (wanted) subscribed[client]!.add(flow);
        else subscribed[client]!.delete(flow);
      }
      expect(await peer.isRead()).toEqual([]);
    }
    // All at once.
    const published: string[][] = peers.map(() => []);
    const own: string[][] = peers.map(() => []);
    await Promise.all(
      peers.map((peer, client) => {
        const sent = steps[client]!.map((step) => {
          texts += 1;
          const text = `${client} ${texts}`;
          const flow = step < 3 ? ownFlow(client) : FLOWS[(step - 3) % FLOWS.length]!;
          if (step === 0) isOnOwn[client] = true;
          if (step === 1) isOnOwn[client] = false;
          if (step < 2) return message('su'[step]!, flow);
          if (step >= 3) published[client]!.push(`m ${flow} ${text}`);
          else if (isOnOwn[client]) own[client]!.push(`m ${flow} ${text}`);
          return message('p', flow, text);
        });
        return sendCut(peer, Buffer.concat(sent), cuts);
      }),
    );
    const before: string[][] = [];
    for (const peer of peers) before.push(await peer.isRead());
    const orders = new Map<string, string[]>();
    for (const [client, peer] of peers.entries()) {
      const got = [...before[client]!, ...(await peer.isRead())];
      const ofOwn = got.filter((each) => flowIn(each) === String(ownFlow(client)));
      expect(ofOwn).toEqual(own[client]);
      const ofAll = got.filter((each) => flowIn(each) !== String(ownFlow(client)));
      const expected = published.flat().filter((each) => subscribed[client]!.has(Number(flowIn(each))));
      expect(groupedBy(ofAll, publisherIn)).toEqual(groupedBy(expected, publisherIn));
      // And everyone in the same order.
      for (const [flow, order] of Object.entries(groupedBy(ofAll, flowIn))) {
        expect(order).toEqual(orders.get(flow) ?? order);
        orders.set(flow, order);
      }
    }
  }
  for (const peer of peers) peer.socket.destroy();
}

test('each subscriber gets exactly what is published on its flows since it subscribed, in order per publisher', async () => {
  await fc.assert(
    fc.asyncProperty(model, ({ clients, rounds }) => holds(clients, rounds)),
    { numRuns: 30 },
  );
  expect([rig.faults, rig.counts().dropped, rig.counts().refusals]).toEqual([0, 0, 0]);
});
