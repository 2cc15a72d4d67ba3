import type { Told } from '../../core/outboxes.js';
import type { QueueItem } from '../../core/queue.js';
import type { Random } from '../../core/random.js';

/** Octets of randomness in a generated id: as in a UUID. */
const ID_OCTETS = 16;

/** A core message as a webhook: `{type, timestamp, data}`. The id is fixed here, so every attempt and every receiver has the same. */
export function webhookItem(message: Told, random: Random): QueueItem {
  const { kind, ...data } = message;
  const happenedAt = message.kind === 'report' ? message.measuredAt : message.at;
  return {
    // A response has its request's.
    id: kind === 'report' || kind === 'request' ? headerText(message.id) : `${kind}_${randomId(random)}`,
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
