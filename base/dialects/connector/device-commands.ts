import { encodeMessage, payloadText } from '../../../protocol/connector/message.js';
import type { Payload } from '../../../protocol/iotsocket/payload.js';
import type { Clock } from '../../core/clock.js';
import { OPAQUE_QUERY } from '../../core/command-request.js';
import type { Delivery, DeliveryResult } from '../../core/delivery.js';
import { BASE_STOPS } from '../../core/mailbox.js';
import type { Random } from '../../core/random.js';
import { uuid } from '../../core/uuid.js';
import type { ConnectorLimits } from './connector-limits.js';
import type { AskEnd } from './device-session.js';
import type { Device, WaitEnd } from './devices.js';

export interface DeviceCommandsOptions {
  readonly find: (uid: string) => Device | undefined;
  readonly answerTimeoutMs: number;
  readonly limits: Pick<ConnectorLimits, 'unsentPauseOctets' | 'unsentOctets'>;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborts when the base stops. */
  readonly signal: AbortSignal;
}

/** Commands and queries for devices: sent when the device has a connection, ended by the answer with the same id over it. */
export class DeviceCommands {
  readonly #options: DeviceCommandsOptions;

  constructor(options: DeviceCommandsOptions) {
    this.#options = options;
  }

  readonly deliver = async (uid: string, delivery: Delivery): Promise<DeliveryResult> => {
    const { find, limits, clock, random, answerTimeoutMs, signal } = this.#options;
    const device = find(uid);
    if (device === undefined) return ends.removed;
    const id = uuid(random);
    const text = this.#messageOf(id, delivery);
    if (typeof text !== 'string') return text;
    // So that a device that takes what it is sent is never cut for the length of one message.
    const most = limits.unsentOctets - limits.unsentPauseOctets;
    const octets = Buffer.byteLength(text);
    if (octets > most) return refused(`the message would have ${octets} octets; at most ${most} can be sent`);

    const { deadline, isPatient } = delivery;
    while (clock.monotonic() < deadline && !signal.aborted) {
      const { session } = device;
      if (session === undefined || !session.isOpen) {
        if (!isPatient) return ends.away;
        const end = await this.#connection(device, deadline);
        if (end !== 'connected') return ends[end];
        continue;
      }
      try {
        await delivery.sending(`connection ${session.generation}`);
      } catch (error) {
        return refused(`the base cannot store it: ${(error as Error).message}`);
      }
      while (session.isOpen && !session.hasRoom && clock.monotonic() < deadline) await session.room(deadline);
      // Not sent: there may be a newer connection.
      if (!session.isOpen || signal.aborted || clock.monotonic() >= deadline) continue;
      return resultOf(await session.ask(id, text, answerTimeoutMs));
    }
    return signal.aborted ? ends.stopping : ends.late;
  };

  #messageOf(id: string, { command, payload, origin = '' }: Delivery): string | DeliveryResult {
    const words = payload && wordsOf(payload);
    if (words === undefined)
      return refused('a device of the cloud connector takes text: send "json", "utf8" or "ascii" instead of "binary"');
    return encodeMessage({
      id,
      payload: words,
      originRemoteAddress: origin,
      type: command === OPAQUE_QUERY ? 'query' : 'command',
      timestamp: Math.floor(this.#options.clock.now() / 1_000),
    });
  }

  /** Its next connection. */
  #connection(device: Device, deadline: number): Promise<WaitEnd> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const late = clock.after(Math.max(0, deadline - clock.monotonic()), () => end('late'));
      const end = (how: WaitEnd): void => {
        late.cancel();
        device.waiting?.delete(end);
        resolve(how);
      };
      device.waiting ??= new Set();
      device.waiting.add(end);
    });
  }
}

const wordsOf = ({ format, value }: Payload): string | undefined =>
  format === 'binary' ? undefined : payloadText(value);

const refused = (reason: string): DeliveryResult => ({ outcome: 'refused', reason });

const ends = {
  away: { outcome: 'unreachable', reason: 'it is not connected' },
  late: { outcome: 'expired', reason: 'it had no connection, or took nothing, until the time was over' },
  removed: { outcome: 'unreachable', reason: 'the device is no longer known' },
  stopping: { outcome: 'unreachable', reason: BASE_STOPS },
} as const satisfies Record<string, DeliveryResult>;

function resultOf(end: AskEnd): DeliveryResult {
  switch (end.kind) {
    case 'answer':
      return { outcome: 'ok', ...(end.payload === undefined ? {} : { payload: answerOf(end.payload) }) };
    case 'late':
      return { outcome: 'timeout', reason: 'it did not answer in time' };
    case 'lost':
      return { outcome: 'unknown', reason: 'its connection ended before it answered' };
  }
}

const answerOf = (value: unknown): Payload => ({ format: typeof value === 'string' ? 'utf8' : 'json', value });
