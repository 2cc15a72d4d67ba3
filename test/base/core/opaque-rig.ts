import type { CommandRequest } from '../../../base/core/command-request.js';
import type { Delivery, DeliveryResult } from '../../../base/core/delivery.js';
import type { CoreMessage, Outcome } from '../../../base/core/messages.js';
import { type Outbox, Outboxes, type Told, type ToldKind } from '../../../base/core/outboxes.js';
import type { Addition } from '../../../base/core/queue.js';
import { Router } from '../../../base/core/router.js';
import { MemoryBus } from '../../../base/engine/embedded/memory-bus.js';
import type { PayloadBlock } from '../../../protocol/iotsocket/transmission.js';
import thermometer from '../../../units/thermometer.js';
import { ManualClock } from '../../support/manual-clock.js';
import { MemoryStore } from '../../support/memory-store.js';
import { QuietLog } from '../../support/quiet-log.js';

/** A receiver that gets everything of some kinds, and remembers what became of it. */
export class PickyOutbox implements Outbox {
  readonly kinds: ReadonlySet<ToldKind>;
  readonly picked: Told[] = [];
  readonly committed_: string[] = [];
  readonly failed_: string[] = [];

  constructor(...kinds: ToldKind[]) {
    this.kinds = new Set(kinds);
  }

  pick(message: Told): Addition | undefined {
    this.picked.push(message);
    const id = `${message.kind} ${message.unit}`;
    const entry = { position: this.picked.length, id, key: message.unit, octets: 2, attempts: 0, dueAt: 0 };
    return { queue: 'hook', entry, body: '{}' };
  }

  committed({ entry }: Addition): void {
    this.committed_.push(entry.id);
  }

  failed({ entry }: Addition): void {
    this.failed_.push(entry.id);
  }
}

const allKinds = ['report', 'command', 'outcome', 'request', 'response', 'presence', 'log'] as const;

export interface OpaqueRigOptions {
  readonly clock?: ManualClock;
  readonly store?: MemoryStore;
  readonly receivers?: readonly Outbox[];
  /** Nobody listens to the bus. */
  readonly isDeaf?: boolean;
}

/** A router with one typed unit, `hall`, and objects that a test adds. */
export class OpaqueRig {
  readonly clock: ManualClock;
  readonly store: MemoryStore;
  readonly log = new QuietLog();
  readonly bus = new MemoryBus(this.log);
  readonly outboxes = new Outboxes();
  readonly heard: CoreMessage[] = [];
  readonly delivered: (readonly [uid: string, delivery: Delivery])[] = [];
  readonly router: Router;
  answer: (delivery: Delivery) => Promise<DeliveryResult> = async () => ({ outcome: 'ok', code: 0 });
  #commands = 0;

  private constructor(options: OpaqueRigOptions) {
    this.clock = options.clock ?? new ManualClock();
    this.store = options.store ?? new MemoryStore();
    for (const outbox of options.receivers ?? []) this.outboxes.add(outbox);
    if (!options.isDeaf)
      for (const kind of allKinds) this.bus.subscribe(kind, (message) => void this.heard.push(message));
    const { clock, store, bus, outboxes, log } = this;
    const random = { octets: (count: number) => new Uint8Array(count).fill(1), fraction: () => 0.5 };
    this.router = new Router({ bus, store, outboxes, clock, random, log });
    this.router.add({ uid: 'hall', definition: thermometer });
  }

  /** A base that starts with these objects. The one before on the same store simply is no more. */
  static async start(objects: readonly string[] = [], options: OpaqueRigOptions = {}): Promise<OpaqueRig> {
    const rig = new OpaqueRig(options);
    const stored = await rig.store.load();
    await rig.router.restore(stored);
    for (const uid of objects) rig.add(uid);
    rig.router.resume(stored);
    await rig.clock.advance(0);
    return rig;
  }

  readonly deliver = (uid: string, delivery: Delivery): Promise<DeliveryResult> => {
    this.delivered.push([uid, delivery]);
    return this.answer(delivery);
  };

  add(uid: string): boolean {
    return this.router.addOpaque({ uid, dialect: 'iotsocket' }, this.deliver);
  }

  command(request: Partial<CommandRequest>): Promise<Outcome> {
    this.#commands += 1;
    const common = {
      id: `c${this.#commands}`,
      unit: 'board',
      command: 'request',
      payload: { on: true },
      source: 'test',
    };
    return this.router.command({ ...common, ...request });
  }

  /** Telemetry as UDP brings it. */
  tell(uid: string, text: string, more: { history?: boolean; durable?: boolean } = {}): Promise<unknown> {
    return this.router.report({ uid, payload: ascii(text), measuredAt: this.clock.now(), durable: false, ...more });
  }

  of<K extends CoreMessage['kind']>(kind: K): Extract<CoreMessage, { kind: K }>[] {
    return this.heard.filter((message): message is Extract<CoreMessage, { kind: K }> => message.kind === kind);
  }
}

export const ascii = (text: string): PayloadBlock => ({
  format: 1,
  options: 0,
  data: new TextEncoder().encode(text),
});
