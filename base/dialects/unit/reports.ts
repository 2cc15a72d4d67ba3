import { decodeFields } from '../../../protocol/definition/index.js';
import { messageByNumber } from '../../../protocol/definition/messages.js';
import { ProtocolError } from '../../../protocol/errors.js';
import { returnCodes } from '../../../protocol/iotsocket/transmission.js';
import { decodeReport } from '../../../protocol/unit/heads.js';
import { decodeLog, systemNumbers } from '../../../protocol/unit/system-messages.js';
import { peerText } from '../../core/log.js';
import type { DialectContext } from '../dialect.js';
import type { UnitProfile } from './unit-session.js';

/** Not taken now; the unit sends it again. `code` is what it is answered. */
export class Unsettled extends Error {
  readonly code = returnCodes.noDestination;
}

/** A saturated age says only "at least this old": 2^32 - 1 ms. */
const MAX_AGE_MS = 0xffff_ffff;

/** Takes a unit's requests behind the hello: reports and log lines. */
export class UnitReports {
  readonly #context: DialectContext;
  /** One report after the other: they are acknowledged in the order of their sequence. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(context: DialectContext) {
    this.#context = context;
  }

  /** Resolves with the return code when the base has it for good. Rejects with ProtocolError (never send it again) or {@link Unsettled}. */
  take(profile: UnitProfile, boot: number, data: Uint8Array, equal: ReadonlySet<number> | 'all'): Promise<number> {
    const octets = data.slice();
    const taken = this.#last.then(() => this.#take(profile, boot, octets, equal));
    this.#last = taken.catch(() => {});
    return taken;
  }

  async #take(
    { uid, definition }: UnitProfile,
    boot: number,
    data: Uint8Array,
    equal: ReadonlySet<number> | 'all',
  ): Promise<number> {
    if (data[0] === systemNumbers.log) {
      const { level, text } = decodeLog(data);
      this.#context.logLine(uid, { level, text: peerText(text) });
      return returnCodes.valid;
    }
    const message = messageByNumber(definition, data[0]!);
    if (message?.kind !== 'report')
      throw new ProtocolError('value-refused', `${definition.name} has no report number ${data[0]}`);
    if (equal !== 'all' && !equal.has(message.number)) {
      throw new ProtocolError(
        'value-refused',
        `the unit was flashed with another ${message.name}; regenerate and flash it`,
      );
    }
    const head = decodeReport(data);
    if (head === undefined) throw new ProtocolError('value-refused', `${message.name} ends before its fields`);
    const decoded = decodeFields(message.fields, head.fields);
    if (!decoded.ok)
      throw new ProtocolError('value-refused', `${message.name}: ${decoded.refusal.field} ${decoded.refusal.message}`);
    const verdict = await this.#context.report({
      uid,
      report: message.name,
      fields: decoded.values,
      measuredAt: this.#context.clock.now() - Math.min(head.ageMs, MAX_AGE_MS),
      identity: { boot, sequence: head.sequence },
    });
    if (verdict === 'busy') throw new Unsettled('the base cannot store it now');
    return returnCodes.valid;
  }
}
