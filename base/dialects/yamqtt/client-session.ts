import { LinkError } from '../../../protocol/errors.js';
import { MessageReader } from '../../../protocol/yamqtt/message-reader.js';
import {
  actionOctets,
  FLOW_IS_NO_NUMBER,
  FLOW_IS_OUT_OF_RANGE,
  flowAt,
  HEAD_OCTETS,
  MESSAGE_OCTETS,
  NO_FLOW,
} from '../../../protocol/yamqtt/records.js';
import { textOf } from '../../../protocol/yamqtt/text.js';
import type { Clock, Timer } from '../../core/clock.js';
import type { Carrier, CarrierSink } from '../../links/carrier.js';
import { GOODBYE_MS } from '../../links/link-session.js';
import type { PendingCarrier } from '../handler.js';
import { errorMessage } from './error-message.js';
import type { FlowCounts } from './flow-counts.js';
import type { FlowRules } from './flow-rules.js';
import type { Flows } from './flows.js';
import { Outgoing } from './outgoing.js';
import type { Publisher } from './publisher.js';
import { type Refusal, refusals } from './refusals.js';
import type { SlowClients } from './slow-clients.js';
import type { Turn } from './turn.js';
import type { Unfinished, UnfinishedMessages } from './unfinished.js';
import type { YamqttLimits } from './yamqtt-limits.js';

/** What all clients share. */
export interface ClientHost {
  readonly flows: Flows;
  readonly rules: FlowRules | undefined;
  readonly turn: Turn;
  readonly slow: SlowClients;
  readonly unfinished: UnfinishedMessages;
  readonly limits: YamqttLimits;
  readonly counts: FlowCounts;
  readonly clock: Clock;
  /** A message of that peer was refused. */
  refused(remote: string, reason: string): void;
  /** That peer says that something is wrong. */
  errorOfClient(remote: string, text: string): void;
  /** Its connection is no more. */
  gone(session: ClientSession): void;
}

const { subscribe, unsubscribe, publish, disconnect, message, error } = actionOctets;

/** The answers to what is refused: the same octets for everyone. */
const refusalMessages = Object.fromEntries(
  Object.entries(refusals).map(([refusal, text]) => [refusal, errorMessage(text)]),
) as Record<Refusal, Buffer>;

/** One client: what it says is done, what it is subscribed to it is sent (wire/yamqtt.md). */
export class ClientSession implements CarrierSink, Unfinished {
  readonly #host: ClientHost;
  readonly #carrier: Carrier;
  readonly #outgoing: Outgoing;
  readonly #reader: MessageReader;
  #proved: (() => void) | undefined;
  readonly #flows = new Set<number>();
  /** Since it published on a flow that commands a unit. */
  #publisher: Publisher | undefined;
  #isLeaving = false;
  #goodbye: Timer | undefined;

  constructor(host: ClientHost, { carrier, proved }: PendingCarrier) {
    const { turn, slow, limits, counts, clock } = host;
    this.#host = host;
    this.#carrier = carrier;
    this.#proved = proved;
    this.#outgoing = new Outgoing({ carrier, turn, slow, limits, counts, clock, ended: () => this.#ended() });
    this.#reader = new MessageReader(
      (octets, start, end) => this.#take(octets as Buffer, start, end),
      Buffer.allocUnsafeSlow,
    );
  }

  /** Begins to listen. */
  start(): void {
    this.#carrier.attach(this);
  }

  /** Takes no more, gives what it has for the client, and closes. May be called twice. */
  leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#host.unfinished.end(this);
    for (const flow of this.#flows) this.#host.flows.unsubscribe(flow, this.#outgoing);
    this.#flows.clear();
    this.#outgoing.finish();
  }

  /** Closes at once. */
  cut(): void {
    this.#carrier.destroy();
  }

  // What its carrier says.

  octets(chunk: Uint8Array): void {
    if (this.#isLeaving) return;
    const { pending } = this.#reader;
    this.#reader.push(chunk);
    // The same message goes on.
    if (this.#isLeaving || (pending > 0 && pending + chunk.length < MESSAGE_OCTETS)) return;
    if (this.#reader.pending > 0) this.#host.unfinished.begin(this);
    else if (pending > 0) this.#host.unfinished.end(this);
  }

  drained(): void {
    this.#outgoing.drained();
  }

  ended(): void {
    this.leave();
  }

  closed(error?: Error): void {
    if (error instanceof LinkError && error.code === 'link-stalled') this.#host.counts.stalled += 1;
    this.#outgoing.close();
    this.leave();
    this.#goodbye?.cancel();
    this.#host.gone(this);
  }

  late(): void {
    this.#host.counts.unfinished += 1;
    this.cut();
  }

  /** Relays runs: what follows each other on one flow is one piece of the chunk. */
  #take(octets: Buffer, start: number, end: number): void {
    // It may have left with the message before, which lay in another chunk.
    if (this.#isLeaving) return;
    let runFlow = NO_FLOW;
    let runStart = start;
    for (let at = start; at < end; at += MESSAGE_OCTETS) {
      const flow = octets[at] === publish ? flowAt(octets, at) : NO_FLOW;
      if (flow === runFlow && flow !== NO_FLOW) continue;
      if (runFlow !== NO_FLOW) this.#publish(runFlow, octets, runStart, at);
      if (flow > NO_FLOW) {
        runFlow = flow;
        runStart = at;
      } else {
        runFlow = NO_FLOW;
        this.#act(octets, at);
        if (this.#isLeaving) return;
      }
    }
    if (runFlow !== NO_FLOW) this.#publish(runFlow, octets, runStart, end);
  }

  #publish(flow: number, octets: Buffer, start: number, end: number): void {
    const { flows, rules } = this.#host;
    this.#prove();
    flows.relay(flow, octets, start, end);
    if (rules === undefined || !rules.has(flow)) return;
    this.#publisher ??= rules.publisher((text) => this.#outgoing.send(errorMessage(text)));
    for (let at = start; at < end; at += MESSAGE_OCTETS)
      rules.published(flow, octets.subarray(at + HEAD_OCTETS, at + MESSAGE_OCTETS), this.#publisher);
  }

  /** Anything but a publication that can be relayed. */
  #act(octets: Buffer, at: number): void {
    switch (octets[at]) {
      case publish:
        return this.#refuse(faultOf(flowAt(octets, at)) ?? 'publishOnNone');
      case subscribe:
        return this.#subscribe(flowAt(octets, at));
      case unsubscribe:
        return this.#unsubscribe(flowAt(octets, at));
      case disconnect:
        return this.leave();
      case error:
        return this.#errorOfClient(octets, at);
      case message:
        return this.#refuse('notOfClients');
      default:
        return this.#refuse('unknownAction');
    }
  }

  #errorOfClient(octets: Buffer, at: number): void {
    this.#host.counts.clientErrors += 1;
    const text = textOf(octets.subarray(at + HEAD_OCTETS, at + MESSAGE_OCTETS));
    this.#host.errorOfClient(this.#carrier.remote, text);
  }

  #subscribe(flow: number): void {
    const { flows, limits } = this.#host;
    const fault = faultOf(flow);
    if (fault !== undefined) return this.#refuse(fault);
    if (flow === NO_FLOW) return this.#refuse('subscribeToNone');
    if (this.#flows.has(flow)) return;
    if (this.#flows.size >= limits.subscriptionsPerClient) return this.#refuse('tooManyOfClient');
    if (!flows.subscribe(flow, this.#outgoing)) return this.#refuse('tooManyInAll');
    this.#flows.add(flow);
    this.#prove();
  }

  #unsubscribe(flow: number): void {
    const fault = faultOf(flow);
    if (fault !== undefined) return this.#refuse(fault);
    if (this.#flows.delete(flow)) this.#host.flows.unsubscribe(flow, this.#outgoing);
  }

  #refuse(refusal: Refusal): void {
    this.#host.counts.refusals += 1;
    this.#host.refused(this.#carrier.remote, refusals[refusal]);
    this.#outgoing.send(refusalMessages[refusal]);
  }

  #prove(): void {
    this.#proved?.();
    this.#proved = undefined;
  }

  /** Our side of the connection is closed; the client's should be soon. */
  #ended(): void {
    this.#goodbye = this.#host.clock.after(GOODBYE_MS, () => this.cut());
  }
}

/** Why that is no flow at all. */
function faultOf(flow: number): Refusal | undefined {
  if (flow === FLOW_IS_NO_NUMBER) return 'noNumber';
  return flow === FLOW_IS_OUT_OF_RANGE ? 'outOfRange' : undefined;
}
