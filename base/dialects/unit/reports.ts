import { decodeFields } from '../../../protocol/definition/index.js';
import { messageByNumber } from '../../../protocol/definition/messages.js';
import { ProtocolError } from '../../../protocol/errors.js';
import { emptyTypedPayload, returnCodes } from '../../../protocol/iotsocket/transmission.js';
import { decodeReport } from '../../../protocol/unit/heads.js';
import { decodeLog, systemNumbers } from '../../../protocol/unit/system-messages.js';
import type { HandlerContext } from '../handler.js';
import type { UnitProfile } from './greeting.js';
import type { UnitResponse } from './own-requests.js';
import { reasonPayload } from './reason.js';

const taken: UnitResponse = { code: returnCodes.valid, payload: emptyTypedPayload };
/** Not taken now: the unit sends it again. */
const later: UnitResponse = { code: returnCodes.noDestination, payload: emptyTypedPayload };

/** Takes a unit's requests behind the hello: reports and log lines. */
export class UnitReports {
  readonly #context: HandlerContext;
  readonly #refused: (uid: string, error: ProtocolError) => void;
  /** One report after the other: they are acknowledged in the order of their sequence. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(context: HandlerContext, refused: (uid: string, error: ProtocolError) => void) {
    this.#context = context;
    this.#refused = refused;
  }

  /** Resolves with what it is answered: `00` when the base has it for good, `01` never send it again, `A0` later. Never rejects. */
  take(
    profile: UnitProfile,
    boot: number,
    data: Uint8Array,
    equal: ReadonlySet<number> | 'all',
  ): Promise<UnitResponse> {
    const octets = data.slice();
    const answer = this.#last
      .then(() => this.#take(profile, boot, octets, equal))
      .catch((error: Error) => this.#notTaken(profile, error));
    this.#last = answer;
    return answer;
  }

  #notTaken({ uid }: UnitProfile, error: Error): UnitResponse {
    if (!(error instanceof ProtocolError)) {
      this.#context.log.error(
        { unit: uid, error: error.message },
        'a report could not be stored; the unit sends it again',
      );
      return later;
    }
    this.#refused(uid, error);
    return { code: returnCodes.notValid, payload: reasonPayload(error.message) };
  }

  async #take(
    { uid, definition }: UnitProfile,
    boot: number,
    data: Uint8Array,
    equal: ReadonlySet<number> | 'all',
  ): Promise<UnitResponse> {
    if (data[0] === systemNumbers.log) {
      this.#context.logLine(uid, decodeLog(data));
      return taken;
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
    if (head.sequence === 0)
      throw new ProtocolError('value-refused', `${message.name} has sequence 0; they start at 1`);
    const decoded = decodeFields(message.fields, head.fields);
    if (!decoded.ok)
      throw new ProtocolError('value-refused', `${message.name}: ${decoded.refusal.field} ${decoded.refusal.message}`);
    const verdict = await this.#context.report({
      uid,
      report: message.name,
      fields: decoded.values,
      // A saturated age says only "at least this old".
      measuredAt: this.#context.clock.now() - head.ageMs,
      identity: { boot, sequence: head.sequence },
    });
    return verdict === 'busy' ? later : taken;
  }
}
