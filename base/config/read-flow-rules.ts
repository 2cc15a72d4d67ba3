import type { UnitDefinition } from '../../protocol/definition/index.js';
import { suggest } from '../core/suggest.js';
import { isUid, UID_RULE } from '../core/unit-uid.js';
import type { CommandRule, ReportRule } from '../dialects/yamqtt/yamqtt-options.js';

/** Typed units by their UIDs; `undefined` where what is configured of one is wrong itself. */
export type TypedUnits = ReadonlyMap<string, UnitDefinition | undefined>;

/** `what` follows the path of the rule. */
export type ReadRule<R> = { readonly ok: true; readonly rule: R } | { readonly ok: false; readonly what: string };

/** What units that are not typed report, and take. */
const UNTYPED_REPORTS = ['telemetry'];
const UNTYPED_COMMANDS = ['request', 'query'];

const refuse = (what: string): ReadRule<never> => ({ ok: false, what });

/** Reads `thermometer.reading`, `thermometer.reading.celsius`, and `board.telemetry` of a unit that is not typed. */
export function readReportRule(text: string, units: TypedUnits): ReadRule<ReportRule> {
  const [unit, rest] = partsOf(text, units);
  if (unit === undefined) return untyped(text, units, 'report', UNTYPED_REPORTS);
  const definition = units.get(unit);
  const [report = '', ...more] = rest.split('.');
  const field = more.length === 0 ? undefined : more.join('.');
  // What is wrong with the unit is told there.
  if (definition === undefined) return { ok: true, rule: { unit, report, field } };
  const { reports } = definition;
  if (!Object.hasOwn(reports, report)) return strange(unit, 'report', report, Object.keys(reports));
  const { fields } = reports[report]!;
  if (field !== undefined && !Object.hasOwn(fields, field)) {
    return strange(`${unit}.${report}`, 'field', field, Object.keys(fields));
  }
  return { ok: true, rule: { unit, report, field } };
}

/** Reads `kitchen-lamp.set`, and `board.request` or `board.query` of a unit that is not typed. */
export function readCommandRule(text: string, units: TypedUnits): ReadRule<CommandRule> {
  const [unit, command] = partsOf(text, units);
  if (unit === undefined) return untyped(text, units, 'command', UNTYPED_COMMANDS);
  const definition = units.get(unit);
  if (definition === undefined || Object.hasOwn(definition.commands, command))
    return { ok: true, rule: { unit, command } };
  return strange(unit, 'command', command, Object.keys(definition.commands));
}

/** The longest typed unit that the text begins with, before a dot, and what follows that; or the text is one whole. */
function partsOf(text: string, units: TypedUnits): readonly [unit: string | undefined, rest: string] {
  for (let dot = text.lastIndexOf('.'); dot > 0; dot = text.lastIndexOf('.', dot - 1)) {
    const unit = text.slice(0, dot);
    if (units.has(unit)) return [unit, text.slice(dot + 1)];
  }
  return units.has(text) ? [text, ''] : [undefined, text];
}

/** A typed unit has no such report, command or field. */
function strange(of: string, kind: string, name: string, known: readonly string[]): ReadRule<never> {
  const near = suggest(name, known);
  const found =
    name === '' ? `names no ${kind} of ${of}` : `names the ${kind} ${JSON.stringify(name)}, which ${of} does not have`;
  if (near !== undefined && name !== '') return refuse(`${found}; did you mean ${of}.${near}?`);
  if (known.length === 0) return refuse(`names a ${kind} of ${of}, which has none`);
  return refuse(`${found}; it has ${known.map((each) => `${of}.${each}`).join(', ')}`);
}

/** Of a unit that is not in the configuration. */
function untyped<K extends 'report' | 'command'>(
  text: string,
  units: TypedUnits,
  kind: K,
  names: readonly string[],
): ReadRule<{ readonly unit: string } & { readonly [N in K]: string }> {
  const dot = text.lastIndexOf('.');
  const [unit, name] = [text.slice(0, Math.max(dot, 0)), text.slice(dot + 1)];
  if (names.includes(name) && unit !== '') {
    if (!isUid(unit)) return refuse(`names a unit whose name is none: it ${UID_RULE}`);
    return { ok: true, rule: { unit, [kind]: name } as { readonly unit: string } & { readonly [N in K]: string } };
  }
  const near = nearUnit(text, units);
  const what = near === undefined ? '' : `did you mean ${near}? `;
  const ways = names.map((each) => `"<unit>.${each}"`).join(' or ');
  return refuse(
    `${JSON.stringify(text)} begins with no unit of units.known; ${what}For a unit that is not typed write ${ways}`,
  );
}

/** The text may have dots in the unit's name, and behind it. */
function nearUnit(text: string, units: TypedUnits): string | undefined {
  for (let end = text.length; end > 0; end = text.lastIndexOf('.', end - 1)) {
    const near = suggest(text.slice(0, end), units.keys());
    if (near !== undefined) return near;
  }
  return undefined;
}
