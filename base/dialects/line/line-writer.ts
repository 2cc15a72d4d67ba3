import { BaseUnitError } from '../../../protocol/errors.js';
import type { Address } from '../../core/address.js';
import type { Clock } from '../../core/clock.js';
import type { DeliveryResult } from '../../core/delivery.js';
import type { Carrier } from '../../links/carrier.js';
import type { DialectContext } from '../dialect.js';

/** How long the unit may take to close after our half-close; then the outcome is unknown (wire/unit.md, "Line units"). */
export const CLOSE_MS = 2_000;

/**
 * Writes one line to an updatable line unit: connect, write, half-close, wait for the unit's own close. Its connection is
 * never held: the original lamp would not notice a base that is gone.
 */
export async function writeLine(
  context: DialectContext,
  target: { readonly uid: string; readonly address: Address },
  line: string,
): Promise<DeliveryResult> {
  let release: (() => void) | undefined;
  try {
    release = await context.claimLink(target.uid, context.signal);
    const carrier = await context.dial(target.address, context.signal);
    context.presence(target.uid, { state: 'online' });
    return await writeAndClose(carrier, line, context.clock);
  } catch (error) {
    if (error instanceof BaseUnitError && error.family === 'link')
      return { outcome: 'unreachable', reason: error.message };
    if (context.signal.aborted) return { outcome: 'unreachable', reason: 'the base is stopping' };
    throw error;
  } finally {
    release?.();
  }
}

function writeAndClose(carrier: Carrier, line: string, clock: Clock): Promise<DeliveryResult> {
  return new Promise((resolve) => {
    let hasEnded = false;
    const late = clock.after(CLOSE_MS, () => {
      resolve({
        outcome: 'unknown',
        reason: `the line was written, but the unit did not close within ${CLOSE_MS / 1_000} s`,
      });
      carrier.destroy();
    });
    carrier.attach({
      octets: () => {},
      drained: () => {},
      ended: () => {
        hasEnded = true;
      },
      closed: (error) => {
        late.cancel();
        const isOrderly = error === undefined && hasEnded;
        resolve(
          isOrderly
            ? { outcome: 'ok' }
            : {
                outcome: 'unknown',
                reason: `the connection broke after the line was written: ${error?.message ?? 'reset'}`,
              },
        );
      },
    });
    carrier.write(new TextEncoder().encode(line));
    carrier.end();
  });
}
