import type { Random } from '../base/core/random.js';
import {
  type Fields,
  type FieldType,
  type FieldValue,
  refusalOf,
  type UnitDefinition,
  type Values,
} from '../protocol/definition/index.js';
import { firstValue, nextValue } from './wandering-value.js';

/**
 * What a simulated unit would measure and show: a value for each field of each report. A command changes the fields that have
 * its names and types, in every report that has them, as `setColor` changes `state.color`.
 */
export class UnitState {
  readonly #definition: UnitDefinition;
  readonly #random: Random;
  #values: Map<string, Values>;

  constructor(definition: UnitDefinition, random: Random) {
    this.#definition = definition;
    this.#random = random;
    this.#values = this.#first();
  }

  /** The values of a report as they are now. */
  values(report: string): Values {
    return this.#values.get(report) ?? {};
  }

  set(report: string, values: Values): void {
    this.#values.set(report, { ...this.values(report), ...values });
  }

  /** Measures anew: every value a little different. */
  measure(report: string): Values {
    const { fields } = this.#definition.reports[report]!;
    const values = this.values(report);
    const next = mapFields(fields, (type, name) => nextValue(type, values[name]!, this.#random));
    this.#values.set(report, next);
    return next;
  }

  /** Does what a command says. Gives the reports that show it, whose values may have changed. */
  apply(command: string, values: Values): string[] {
    const fields = this.#definition.commands[command]?.fields ?? {};
    const shown: string[] = [];
    for (const [name, report] of Object.entries(this.#definition.reports)) {
      const echoed = echoOf(report.fields, fields, values);
      if (Object.keys(echoed).length === 0) continue;
      this.set(name, echoed);
      shown.push(name);
    }
    return shown;
  }

  /** What a command is answered with: what it said itself, what a report shows by that name, or the default. */
  reply(command: string, values: Values): Values {
    const { reply = {}, fields = {} } = this.#definition.commands[command] ?? {};
    const shown = Object.entries(this.#definition.reports).map(([name, report]) =>
      echoOf(reply, report.fields, this.values(name)),
    );
    const known: Values = Object.assign({}, ...shown, echoOf(reply, fields, values));
    return mapFields(reply, (type, name) => known[name] ?? type.default);
  }

  /** As after a restart. */
  reset(): void {
    this.#values = this.#first();
  }

  /** What is measured starts near the middle of its range, what is shown at its default. */
  #first(): Map<string, Values> {
    return new Map(
      Object.entries(this.#definition.reports).map(([name, { fields, everyMs }]) => [
        name,
        mapFields(fields, (type) => (everyMs === undefined ? type.default : firstValue(type, this.#random))),
      ]),
    );
  }
}

function mapFields(fields: Fields, value: (type: FieldType, name: string) => FieldValue): Values {
  return Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, value(type, name)]));
}

/** The values that fields of the same name and type take over. */
function echoOf(to: Fields, from: Fields, values: Values): Values {
  const echoed: Record<string, FieldValue> = {};
  for (const [name, type] of Object.entries(to)) {
    const value = Object.hasOwn(values, name) ? values[name]! : undefined;
    if (value !== undefined && from[name]?.kind === type.kind && refusalOf(type, value) === undefined)
      echoed[name] = value;
  }
  return echoed;
}
