import { BaseUnitError } from '../../protocol/errors.js';
import { addressText } from '../core/address.js';
import { peerText } from '../core/log.js';
import { SaidOnce } from '../core/said-once.js';
import type { LinkPolicy, LinkState } from '../links/link.js';
import type { HandlerContext, ServedUnit } from './handler.js';

/** Turns a link's states into presence and into one log line for each change that is news. */
export function linkPresence(
  context: HandlerContext,
  unit: ServedUnit,
  policy: LinkPolicy,
): (state: LinkState) => void {
  const said = new SaidOnce();
  const resting = policy === 'onDemand' ? 'idle' : 'offline';
  const whereNow = (): string => {
    const address = context.placesOf(unit.uid)[0] ?? unit.address;
    return address === undefined ? 'dials in' : addressText(address);
  };
  return (state) => {
    switch (state.kind) {
      case 'opening':
        return;
      case 'up':
        context.presence(unit.uid, { state: 'online' });
        if (policy !== 'onDemand' || said.isNew('link', 'up'))
          context.log.info({ unit: unit.uid, address: whereNow() }, 'link up');
        said.isNew('link', 'up');
        return;
      case 'down':
        context.presence(unit.uid, {
          state: resting,
          ...(resting === 'offline' ? { reason: 'the link was closed' } : {}),
        });
        return;
      case 'failed': {
        const reason = peerText(state.error.message);
        context.presence(unit.uid, { state: 'offline', reason });
        if (!said.isNew('link', reason)) return;
        const code = state.error instanceof BaseUnitError ? state.error.code : 'internal';
        context.log.warn(
          { unit: unit.uid, address: whereNow(), code, reason },
          policy === 'accepted' ? 'no link; the unit dials in, said once' : 'no link; trying again, said once',
        );
      }
    }
  };
}
