import { checkDefinition } from './check-definition.js';
import type { FieldType, ValueOf } from './field-types.js';

/** Fields in the order in which they travel. */
export type Fields = Readonly<Record<string, FieldType>>;

/** A command: base → unit, ends in an outcome. */
export interface CommandDefinition {
  /** 1–111; commands and reports share one number space. */
  readonly number: number;
  readonly fields?: Fields;
  /** What the unit answers with, when it answers more than "done". */
  readonly reply?: Fields;
  /** How long the unit may take. Default 5 000. */
  readonly timeoutMs?: number;
  readonly description?: string;
}

/** A report: unit → base. */
export interface ReportDefinition {
  readonly number: number;
  readonly fields: Fields;
  /** How often the generated firmware measures, in ms. Needed on line units; elsewhere a hint for firmware and simulator. */
  readonly everyMs?: number;
  readonly description?: string;
}

export interface UnitOptions {
  /** `[a-z][a-z0-9-]*`, at most 32 octets. */
  readonly name: string;
  /** At most 24 octets; printed in the hello and where a unit has drifted. */
  readonly version: string;
  /** `read`: measures, its link is always held. `updatable`: waits for commands, its link is opened when needed. */
  readonly kind: 'read' | 'updatable';
  /** `session` (default): typed messages with mutual proof. `line`: the original's plain text lines, no authentication. */
  readonly wire?: 'session' | 'line';
  readonly description?: string;
  readonly commands?: Readonly<Record<string, CommandDefinition>>;
  readonly reports?: Readonly<Record<string, ReportDefinition>>;
  /** How many reports the unit keeps while its link is down. Default 16. */
  readonly ring?: number;
  /** Updatable units: how often the base dials to fetch waiting reports, as `'10 min'`, `'30 s'`, `'1 h'`. Default: never. */
  readonly poll?: string;
  /**
   * The unit sleeps for so long between two visits to the base, as `'10 min'`: it dials the base, tells what it measured,
   * takes the commands that wait, and sleeps again. 10 s to 3 h. Default: it never sleeps.
   */
  readonly sleep?: string;
  /** What its firmware is generated for. Default `['nodemcuv2', 'd1_mini']`. */
  readonly boards?: readonly Board[];
  /** Line units: what ends a line the base writes. Default `'\r'`, the original lamp's. */
  readonly lineEnd?: '\r' | '\n' | '\r\n';
}

/** NodeMCU v2 and Wemos D1 mini are ESP8266 boards; an Arduino Uno has neither Wi-Fi nor the memory for a session. */
export const boards = ['nodemcuv2', 'd1_mini', 'uno'] as const;
export type Board = (typeof boards)[number];
const DEFAULT_BOARDS: readonly Board[] = ['nodemcuv2', 'd1_mini'];

/** A unit type, checked. What `defineUnit` returns; everything else of this project is derived from it. */
export type UnitDefinition<O extends UnitOptions = UnitOptions> = O & {
  readonly wire: 'session' | 'line';
  readonly commands: NonNullable<O['commands']>;
  readonly reports: NonNullable<O['reports']>;
  readonly ring: number;
  readonly pollMs: number | undefined;
  readonly sleepMs: number | undefined;
  readonly boards: readonly Board[];
  readonly lineEnd: '\r' | '\n' | '\r\n';
};

/** The values of a set of fields. */
export type ValuesOf<F> = F extends Fields ? { readonly [K in keyof F]: ValueOf<F[K]> } : Record<string, never>;

/** The values of one command of a definition: `CommandOf<typeof ledLamp, 'setColor'>`. */
export type CommandOf<D extends UnitDefinition, N extends keyof D['commands']> = ValuesOf<D['commands'][N]['fields']>;

/** The values a command is answered with. */
export type ReplyOf<D extends UnitDefinition, N extends keyof D['commands']> = ValuesOf<D['commands'][N]['reply']>;

/** The values of one report of a definition: `ReportOf<typeof thermometer, 'reading'>`. */
export type ReportOf<D extends UnitDefinition, N extends keyof D['reports']> = ValuesOf<D['reports'][N]['fields']>;

/** Reports a unit keeps while its link is down, where the definition does not say. */
export const DEFAULT_RING = 16;

const durationUnits: Readonly<Record<string, number>> = { s: 1_000, min: 60_000, h: 3_600_000 };

/** `'10 min'` in ms; `undefined` for anything that is not a number and `s`, `min` or `h`. */
function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,5}) ?(s|min|h)$/.exec(text);
  return match ? Number(match[1]) * durationUnits[match[2]!]! : undefined;
}

/**
 * Describes a unit type once. Throws {@link DefinitionError} naming every message and field that cannot be.
 * Source: wire/unit.md.
 */
export function defineUnit<const O extends UnitOptions>(options: O): UnitDefinition<O> {
  const definition = {
    ...options,
    wire: options.wire ?? 'session',
    commands: options.commands ?? {},
    reports: options.reports ?? {},
    ring: options.ring ?? DEFAULT_RING,
    pollMs: options.poll === undefined ? undefined : parseDuration(options.poll),
    sleepMs: options.sleep === undefined ? undefined : parseDuration(options.sleep),
    boards: options.boards ?? DEFAULT_BOARDS,
    lineEnd: options.lineEnd ?? '\r',
  } as UnitDefinition<O>;
  checkDefinition(definition);
  return definition;
}
