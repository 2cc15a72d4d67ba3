import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Outboxes } from '../base/core/outboxes.js';
import type { Change } from '../base/core/store.js';
import { EmbeddedEngine } from '../base/engine/embedded/embedded-engine.js';
import { openInThread } from '../base/engine/embedded/sqlite-thread.js';
import { systemClock, systemRandom } from '../base/system.js';
import { MAX_ITEMS } from '../base/uplinks/outbox/outbox-room.js';
import { WebhooksUplink } from '../base/uplinks/webhooks/webhooks-uplink.js';
import { keepAll, quietLog } from './quiet.js';

/** Units whose events wait: each in its own order. */
const UNITS = 20;

export interface DrainRow {
  readonly deliveries: number;
  readonly tookS: number;
}

/** A full outbox, as a base finds it after a receiver was away, until a receiver that answers at once has all of it. */
export async function outboxDrain(): Promise<DrainRow> {
  const folder = mkdtempSync(join(tmpdir(), 'baseunit-bench-'));
  const seen = new Set<unknown>();
  let tell = (): void => {};
  const all = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const receiver = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      seen.add(request.headers['webhook-id']);
      response.end();
      if (seen.size === MAX_ITEMS) tell();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  const uplink = new WebhooksUplink({ webhooks: [{ url, secret: 'a secret', events: ['report'] }] });
  const parts = { clock: systemClock, random: systemRandom, log: quietLog };
  const file = join(folder, 'baseunit.db');
  const engine = await EmbeddedEngine.open({ file, retention: keepAll, open: openInThread, ...parts });
  try {
    const queue = engine.queue(uplink.queues[0]!);
    const body = JSON.stringify({ type: 'report', data: { fields: { temperature: 21.5 }, padding: 'x'.repeat(200) } });
    for (let from = 0; from < MAX_ITEMS; from += 100)
      await engine.store.commit(
        Array.from({ length: 100 }, (_, index): Change => {
          const item = { id: `unit/1/${from + index}`, key: `unit-${(from + index) % UNITS}`, body };
          return { kind: 'item', addition: queue.addition(item, systemClock.now()) };
        }),
      );
    const startedAt = performance.now();
    await uplink.start({
      bus: engine.bus,
      outboxes: new Outboxes(),
      queue: (name) => engine.queue(name),
      command: () => Promise.reject(new Error('no commands here')),
      ...parts,
    });
    await all;
    return { deliveries: MAX_ITEMS, tookS: (performance.now() - startedAt) / 1_000 };
  } finally {
    await uplink.stop();
    await engine.close();
    receiver.closeAllConnections();
    receiver.close();
    rmSync(folder, { recursive: true });
  }
}
