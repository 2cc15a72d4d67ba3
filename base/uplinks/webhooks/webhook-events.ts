import type { Outcome, Presence, Report } from '../../core/messages.js';
import type { Random } from '../../core/random.js';
import type { NewItem } from './outbox.js';

/** Octets of randomness in a generated id: as in a UUID. */
const ID_OCTETS = 16;

/** A core message as a webhook: `{type, timestamp, data}`. The id is fixed here, so every attempt carries the same. */
export function webhookItem(message: Report | Presence | Outcome, random: Random): NewItem {
  const { kind, ...data } = message;
  const happenedAt = message.kind === 'report' ? message.measuredAt : message.at;
  return {
    id: message.kind === 'report' ? headerText(message.id) : `${kind}_${randomId(random)}`,
    key: message.unit,
    body: JSON.stringify({ type: kind, timestamp: new Date(happenedAt).toISOString(), data }),
  };
}

/** The id exactly, unless a UID holds what no header can carry: that is sent as base64url. */
function headerText(id: string): string {
  return /^[\x21-\x7e]+$/.test(id) ? id : Buffer.from(id).toString('base64url');
}

function randomId(random: Random): string {
  return Buffer.from(random.octets(ID_OCTETS)).toString('hex');
}
