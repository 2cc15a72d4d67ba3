import type { ReportDefinition, UnitDefinition } from '../../protocol/definition/index.js';
import { TELEMETRY } from '../core/unit-record.js';
import type { UnitsPort } from '../core/units-port.js';

/** What has a course by minute and hour: numbers, and truth values. */
const courseKinds: ReadonlySet<string> = new Set(['bool', 'u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'f32']);

/** What of a report says how finely it can be shown. */
export type Shown = Pick<ReportDefinition, 'everyMs'> & { readonly hasCourse: boolean };

/** What a unit reports. */
export interface Reporting {
  /** What a person calls it. */
  readonly name: string;
  readonly reports: Readonly<Record<string, Shown>>;
}

/** `undefined`: there is no such unit. */
export function reportingOf(units: UnitsPort, unit: string): Reporting | undefined {
  const definition = units.definitionOf(unit);
  if (definition !== undefined) return definedReporting(definition);
  return units.get(unit) && { name: unit, reports: { [TELEMETRY]: { hasCourse: true } } };
}

function definedReporting({ name, reports }: UnitDefinition): Reporting {
  const shown = ({ everyMs, fields }: ReportDefinition): Shown => ({
    ...(everyMs === undefined ? {} : { everyMs }),
    hasCourse: Object.values(fields).some(({ kind }) => courseKinds.has(kind)),
  });
  return {
    name,
    reports: Object.fromEntries(Object.entries(reports).map(([report, definition]) => [report, shown(definition)])),
  };
}

export type ChosenReport =
  | { readonly ok: true; readonly report: string; readonly shown: Shown }
  | { readonly ok: false; readonly detail: string };

/** The report that was asked for, or the only one. */
export function chosenReport({ name, reports }: Reporting, asked: string | undefined): ChosenReport {
  const [first, second] = Object.keys(reports);
  const report = asked ?? (second === undefined ? first : undefined);
  const shown = report !== undefined && Object.hasOwn(reports, report) ? reports[report] : undefined;
  if (report !== undefined && shown !== undefined) return { ok: true, report, shown };
  const names = Object.keys(reports).join(', ');
  if (names === '') return { ok: false, detail: `report: ${name} has no reports` };
  if (asked === undefined) return { ok: false, detail: `report: is missing; ${name} has several: ${names}` };
  return { ok: false, detail: `report: ${name} has no report ${JSON.stringify(asked)}; it has: ${names}` };
}
