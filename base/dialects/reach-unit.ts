import { LinkError, ProtocolError } from '../../protocol/errors.js';
import { addressText, type UnitAddress } from '../core/address.js';
import { peerText } from '../core/log.js';
import type { HandlerContext, ServedUnit } from './handler.js';

/**
 * Looks for a unit where it may be, one place after the other: where it was found last, where it was met before, where the
 * configuration says. `reach` opens a link there, and rejects where another unit is. What is announced is only where to
 * look first: a place that turns out wrong does not lose the right one. Rejects with what each place came to; with
 * LinkError `connect-failed` for a unit that nobody has found yet.
 */
export async function reachUnit<T>(
  context: HandlerContext,
  { uid, address }: Pick<ServedUnit, 'uid' | 'address'>,
  signal: AbortSignal,
  reach: (at: UnitAddress) => Promise<T>,
): Promise<T> {
  const errors: Error[] = [];
  for (const at of placesOf(context, { uid, address })) {
    try {
      const reached = await reach(at);
      tell(context, uid, at, errors);
      return reached;
    } catch (error) {
      if (signal.aborted) throw error;
      errors.push(error as Error);
    }
  }
  throw together(errors) ?? notFound(uid);
}

/** Why a unit cannot be dialled of which nobody knows where it is. */
export const notFound = (uid: string): LinkError =>
  new LinkError('connect-failed', `${uid} was not found yet: no unit of that name has announced itself`);

/** A unit that a dialect took up by itself is in no address book. */
function placesOf(context: HandlerContext, { uid, address }: Pick<ServedUnit, 'uid' | 'address'>) {
  const places = context.placesOf(uid);
  return places.length > 0 || address === undefined || address === 'mdns' ? places : [address];
}

function tell(context: HandlerContext, uid: string, at: UnitAddress, errors: readonly Error[]): void {
  for (const { message } of errors)
    context.log.warn({ unit: uid, address: addressText(at), reason: peerText(message) }, 'not where it was said to be');
  const before = context.met(uid, at);
  if (before === undefined) return;
  const [from, to] = [addressText(before), addressText(at)];
  context.log.info({ unit: uid, from, to }, `${uid} moved from ${from} to ${to}`);
}

/**
 * Who is refused at one place may only be away from the other: that is what counts then, since after a refusal nothing is
 * tried for minutes.
 */
function together(errors: readonly Error[]): Error | undefined {
  const away = errors.find((error) => !(error instanceof ProtocolError));
  if (errors.length < 2 || !(away instanceof LinkError)) return away ?? errors[0];
  const code = away.code as ConstructorParameters<typeof LinkError>[0];
  return new LinkError(code, errors.map(({ message }) => message).join('; '), { cause: away });
}
