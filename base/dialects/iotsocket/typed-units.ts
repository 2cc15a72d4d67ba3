import { z } from 'zod';
import { blockOf, type Payload, payloadOf } from '../../../protocol/iotsocket/payload.js';
import { type PayloadBlock, returnCodes } from '../../../protocol/iotsocket/transmission.js';
import { toHex } from '../../../protocol/octets.js';
import { delay } from '../../core/clock.js';
import type { Outcome, Report } from '../../core/messages.js';
import type { HandlerContext } from '../handler.js';
import { emptyAnswer, type OwnAnswer } from './own-request.js';
import type { RelayUnits } from './relay-ports.js';

const ID_OCTETS = 16;

/** What a central sends a typed unit. */
export const commandPayload = z.strictObject({
  command: z.string().min(1).max(64),
  fields: z.record(z.string().max(64), z.unknown()).optional(),
});

/**
 * Typed units as a central sees them: objects like any other. A request is a command, as JSON
 * `{"command": "setColor", "fields": {…}}`; its answer is the outcome. Their reports are telemetry.
 */
export class TypedUnits implements RelayUnits {
  readonly #context: Pick<HandlerContext, 'typedUnit' | 'command' | 'random' | 'clock'>;

  constructor(context: Pick<HandlerContext, 'typedUnit' | 'command' | 'random' | 'clock'>) {
    this.#context = context;
  }

  has(uid: string): boolean {
    return this.#context.typedUnit(uid) !== undefined;
  }

  /** Past its time the command is never sent, and the answer is `A1`. */
  async ask(uid: string, block: PayloadBlock, timeoutMs: number): Promise<OwnAnswer> {
    const { random, clock } = this.#context;
    const parsed = commandPayload.safeParse(payloadOf(block)?.value);
    if (!parsed.success) return notValid(describe(parsed.error));
    const { command, fields } = parsed.data;
    const request = {
      id: toHex(random.octets(ID_OCTETS)),
      unit: uid,
      command,
      ...(fields === undefined ? {} : { fields }),
      ttlMs: timeoutMs,
      source: 'iotsocket',
    };
    const over = new AbortController();
    const late = delay(clock, timeoutMs, over.signal).then(
      () => emptyAnswer(returnCodes.timeout),
      () => emptyAnswer(returnCodes.timeout),
    );
    const answered = this.#context.command(request).then(answerOf, () => emptyAnswer(returnCodes.timeout));
    return Promise.race([answered, late]).finally(() => over.abort());
  }
}

/** What a report of a typed unit says, as telemetry. */
export function telemetryOf({ report, fields, id, measuredAt }: Report): PayloadBlock | undefined {
  return jsonBlock({ report, fields, id, measuredAt });
}

function answerOf({ outcome, reason, reply }: Outcome): OwnAnswer {
  switch (outcome) {
    case 'unreachable':
      return emptyAnswer(returnCodes.noDestination);
    case 'timeout':
    case 'expired':
      return emptyAnswer(returnCodes.timeout);
    default: {
      const told = { outcome, ...(reason === undefined ? {} : { reason }), ...(reply === undefined ? {} : { reply }) };
      const code = outcome === 'ok' ? returnCodes.valid : returnCodes.notValid;
      const payload = jsonBlock(told);
      return payload === undefined ? emptyAnswer(code) : { code, payload };
    }
  }
}

const jsonBlock = (value: unknown): PayloadBlock | undefined => {
  const payload: Payload = { format: 'json', value };
  const result = blockOf(payload);
  return result.ok ? result.block : undefined;
};

function notValid(reason: string): OwnAnswer {
  const payload = jsonBlock({ outcome: 'refused', reason });
  return payload === undefined ? emptyAnswer(returnCodes.notValid) : { code: returnCodes.notValid, payload };
}

function describe({ issues: [issue] }: z.ZodError): string {
  const where = issue === undefined || issue.path.length === 0 ? 'the payload' : issue.path.map(String).join('.');
  return `${where}: ${issue?.message ?? 'not valid'}; a typed unit takes JSON {"command": "…", "fields": {…}}`;
}
