import { decodeFields, encodeFields, type Values } from '../protocol/definition/index.js';
import { emptyTypedPayload, payloadFormats, returnCodes } from '../protocol/iotsocket/transmission.js';
import { concat } from '../protocol/octets.js';
import { decodeCommand } from '../protocol/unit/heads.js';
import { AnswerMemory, type CommandAnswer } from './answer-memory.js';
import type { FaultSwitch } from './fault.js';
import type { HearSimulation } from './simulation-event.js';
import type { UnitModel } from './unit-model.js';
import type { UnitState } from './unit-state.js';

/** The most octets of UTF-8 that a refusal's reason has (wire/unit.md, "Messages"). */
export const MAX_REASON_OCTETS = 80;

/** A unit's own way to do a command. `undefined`: the usual way. */
export type CommandHandler = (
  command: string,
  fields: Values,
) => { readonly refuse: string } | { readonly reply: Values } | undefined;

export interface UnitCommandsOptions {
  readonly uid: string;
  readonly model: UnitModel;
  readonly state: UnitState;
  readonly faults: FaultSwitch;
  readonly handler: CommandHandler | undefined;
  readonly hear: HearSimulation;
}

export interface TakenCommand {
  readonly answer: CommandAnswer;
  /** The reports that now show something else. */
  readonly shown: readonly string[];
}

/** Does what commands say, each once, and remembers how it answered. */
export class UnitCommands {
  readonly #options: UnitCommandsOptions;
  readonly #memory = new AnswerMemory();

  constructor(options: UnitCommandsOptions) {
    this.#options = options;
  }

  /** Takes a command's octets. Never throws. */
  take(data: Uint8Array): TakenCommand {
    const head = decodeCommand(data);
    if (head === undefined || head.id === 0) return { answer: refusal('this is no command'), shown: [] };
    const known = this.#memory.find(head.id);
    if (known !== undefined) return { answer: known, shown: [] };
    const taken = this.#do(head.number, head.fields);
    this.#memory.remember(head.id, taken.answer);
    return taken;
  }

  /** A new boot: RAM is empty. */
  forget(): void {
    this.#memory.forget();
  }

  #do(number: number, octets: Uint8Array): TakenCommand {
    const { uid, model, state, faults, handler, hear } = this.#options;
    const message = model.messages.get(number);
    const refused = (command: string, reason: string): TakenCommand => {
      hear({ kind: 'refusedCommand', unit: uid, command, reason });
      return { answer: refusal(reason), shown: [] };
    };
    if (message?.kind !== 'command') return refused(String(number), `there is no command ${number}`);
    const { name } = message;
    const decoded = decodeFields(message.fields, octets);
    if (!decoded.ok) return refused(name, `${name}.${decoded.refusal.field}: ${decoded.refusal.code}`);
    if (faults.has('refuse')) return refused(name, 'the simulator was told to refuse');
    const own = handler?.(name, decoded.values);
    if (own !== undefined && 'refuse' in own) return refused(name, own.refuse);
    const shown = state.apply(name, decoded.values);
    const reply = message.reply ?? {};
    const encoded = encodeFields(reply, own?.reply ?? state.reply(name, decoded.values));
    if (!encoded.ok) return refused(name, `${name} reply.${encoded.refusal.field}: ${encoded.refusal.code}`);
    hear({ kind: 'applied', unit: uid, command: name, fields: decoded.values });
    const data =
      Object.keys(reply).length === 0 ? emptyTypedPayload.data : concat(Uint8Array.of(number), encoded.octets);
    return { answer: { code: returnCodes.valid, payload: { ...emptyTypedPayload, data } }, shown };
  }
}

/** Code `01` with a reason, cut to 80 octets between two characters. */
export function refusal(reason: string): CommandAnswer {
  const data = new Uint8Array(MAX_REASON_OCTETS);
  const { written } = new TextEncoder().encodeInto(reason, data);
  return {
    code: returnCodes.notValid,
    payload: { format: payloadFormats.utf8, options: 0, data: data.slice(0, written) },
  };
}
