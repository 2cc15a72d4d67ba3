import type { Command } from 'commander';
import { type Definitions, loadDefinitions } from '../base/config/definitions.js';
import type { UnitView } from '../base/core/unit-view.js';
import { withBaseOptions } from './base-options.js';
import { BaseClient, type BaseOptions } from './running-base.js';
import { fieldsText, harmless, print, printJson, printTable } from './terminal.js';

/** `baseunit units`: what the running base knows of its units. */
export function addUnits(program: Command): void {
  withBaseOptions(program.command('units'))
    .description('list the units of the running base with their state and last readings')
    .action(async (options: BaseOptions) => {
      const definitions = await loadDefinitions();
      const { units } = await BaseClient.find(options).request<{ units: UnitView[] }>('GET', '/api/v1/units');
      if (program.opts<{ json?: boolean }>().json) return printJson({ units });
      if (units.length === 0) return print('The base has no units: add them to units.known of its configuration.');
      printTable(
        ['UNIT', 'DIALECT', 'DEFINITION', 'STATE', 'ADDRESS', 'LAST'],
        units
          .map((unit) => [
            unit.unit,
            unit.dialect,
            unit.definition ?? '-',
            stateText(unit),
            unit.address ?? 'dials in',
            lastText(unit, definitions),
          ])
          .map((cells) => cells.map(harmless)),
      );
      for (const unit of units) for (const difference of unit.drift) print(`${unit.unit} has drifted: ${difference}`);
    });
}

function stateText(unit: UnitView): string {
  const state = unit.drift.length > 0 ? `${unit.state}, drifted` : unit.state;
  return unit.reason === undefined ? state : `${state}: ${unit.reason}`;
}

function lastText(unit: UnitView, definitions: Definitions): string {
  const reports = unit.definition === undefined ? undefined : definitions.get(unit.definition)?.definition.reports;
  return Object.entries(unit.last)
    .map(([name, report]) => `${name}: ${fieldsText(report.fields, reports?.[name]?.fields)}`)
    .join('; ');
}
