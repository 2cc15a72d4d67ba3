import { BaseUnitError } from '../../../protocol/errors.js';
import { delay } from '../../core/clock.js';
import type { Delivery, DeliveryResult } from '../../core/delivery.js';
import { backOff } from '../../links/back-off.js';
import type { Carrier } from '../../links/carrier.js';
import type { HandlerContext, ServedUnit } from '../handler.js';
import { reachUnit } from '../reach-unit.js';

/** How long the unit may take to close after our half-close; then the outcome is unknown (wire/unit.md, "Line units"). */
const CLOSE_MS = 2_000;

/** A line unit does not say when it was started. */
const LIFE = 'line';

type Target = Pick<ServedUnit, 'uid' | 'address'>;

const stopping: DeliveryResult = { outcome: 'unreachable', reason: 'the base is stopping' };

/**
 * Writes one line to an updatable line unit: connect, write, half-close, wait for the unit's own close. Its connection is
 * never held: the original lamp would not notice a base that is gone. A patient delivery dials until its deadline; after
 * the line was written there is no second time.
 */
export async function writeLine(
  context: HandlerContext,
  target: Target,
  line: string,
  delivery: Delivery,
): Promise<DeliveryResult> {
  const { clock, random, signal } = context;
  const delays = backOff(random);
  for (;;) {
    const result = await writeOnce(context, target, line, delivery);
    if (result.outcome !== 'unreachable' || !delivery.isPatient || signal.aborted) return result;
    const waitMs = delays.next().value;
    if (clock.monotonic() + waitMs >= delivery.deadline) return { ...result, outcome: 'expired' };
    try {
      await delay(clock, waitMs, signal);
    } catch {
      return stopping;
    }
  }
}

async function writeOnce(
  context: HandlerContext,
  target: Target,
  line: string,
  { deadline, sending }: Delivery,
): Promise<DeliveryResult> {
  const { clock, signal } = context;
  let release: (() => void) | undefined;
  try {
    release = await context.claimLink(target.uid, signal);
    const carrier = await reachUnit(context, target, signal, (at) => context.dial(at, signal));
    context.presence(target.uid, { state: 'online' });
    const isStored = await sending(LIFE).then(
      () => true,
      () => false,
    );
    if (isStored && clock.monotonic() < deadline) return await writeAndClose(context, target.uid, carrier, line);
    carrier.destroy();
    return isStored
      ? { outcome: 'expired', reason: 'the unit was reached too late' }
      : { outcome: 'unreachable', reason: 'the base cannot store that it is sent' };
  } catch (error) {
    if (error instanceof BaseUnitError && error.family === 'link')
      return { outcome: 'unreachable', reason: error.message };
    if (signal.aborted) return stopping;
    throw error;
  } finally {
    release?.();
  }
}

function writeAndClose(
  { clock, signal, connected }: HandlerContext,
  uid: string,
  carrier: Carrier,
  line: string,
): Promise<DeliveryResult> {
  const connection = connected({ unit: uid, remoteAddress: carrier.remote, source: carrier });
  return new Promise((resolve) => {
    let hasEnded = false;
    const giveUp = (reason: string): void => {
      resolve({ outcome: 'unknown', reason });
      carrier.destroy();
    };
    const stop = (): void => giveUp('the line was written; the base stopped before the unit closed');
    const late = clock.after(CLOSE_MS, () =>
      giveUp(`the line was written, but the unit did not close within ${CLOSE_MS / 1_000} s`),
    );
    signal.addEventListener('abort', stop, { once: true });
    carrier.attach({
      octets: () => {},
      drained: () => {},
      ended: () => {
        hasEnded = true;
      },
      closed: (error) => {
        connection.closed();
        late.cancel();
        signal.removeEventListener('abort', stop);
        const reason = `the connection broke after the line was written: ${error?.message ?? 'reset'}`;
        resolve(error === undefined && hasEnded ? { outcome: 'ok' } : { outcome: 'unknown', reason });
      },
    });
    carrier.write(new TextEncoder().encode(line));
    connection.sent();
    carrier.end();
  });
}
