import type { Command } from 'commander';
import { type Definitions, loadDefinitions } from '../base/config/definitions.js';
import { durationText } from '../base/core/duration-text.js';
import { isCrash } from '../base/core/unit-start.js';
import type { UnitView } from '../base/core/unit-view.js';
import { withBaseOptions } from './base-options.js';
import { BaseClient, type BaseOptions } from './running-base.js';
import { fieldsText, harmless, print, printJson, printTable } from './terminal.js';

/** A restart is news for a day. */
const NEWS_MS = 86_400_000;

/** `baseunit units`: what the running base knows of its units. */
export function addUnits(program: Command): void {
  withBaseOptions(program.command('units'))
    .description('list the units of the running base with their state and last readings')
    .option('--serial', 'list the serial ports of this machine instead, and who uses them; no base need run')
    .action(async (options: BaseOptions & { readonly serial?: boolean }) => {
      if (options.serial) {
        // Commands load what they alone need when they run: on a Pi, all of it takes seconds.
        const { showPorts } = await import('./provision/show-ports.js');
        return showPorts(options, program.opts<{ json?: boolean }>().json === true);
      }
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
      for (const unit of units) {
        for (const difference of unit.drift) print(harmless(`${unit.unit} has drifted: ${difference}`));
        const crash = crashText(unit, Date.now());
        if (crash !== undefined) print(harmless(crash));
      }
    });
}

function stateText(unit: UnitView): string {
  const state = unit.drift.length > 0 ? `${unit.state}, drifted` : unit.state;
  return unit.reason === undefined ? state : `${state}: ${unit.reason}${dueText(unit.expectedAt, Date.now())}`;
}

/** When a unit that sleeps is to come. */
function dueText(expectedAt: number | undefined, now: number): string {
  if (expectedAt === undefined) return '';
  return expectedAt < now
    ? ` (due ${durationText(now - expectedAt)} ago)`
    : ` (due in ${durationText(expectedAt - now)})`;
}

/** That its program hung or failed, while that is news. */
function crashText({ unit, started }: UnitView, now: number): string | undefined {
  if (started === undefined || !isCrash(started.resetReason) || now - started.at > NEWS_MS) return undefined;
  const heap = started.freeHeap === undefined ? '' : `, ${started.freeHeap} octets of heap free`;
  return `${unit} has restarted ${durationText(now - started.at)} ago: ${started.reset} (boot ${started.boot}${heap})`;
}

function lastText(unit: UnitView, definitions: Definitions): string {
  const reports = unit.definition === undefined ? undefined : definitions.get(unit.definition)?.definition.reports;
  return Object.entries(unit.last)
    .map(([name, report]) => `${name}: ${fieldsText(report.fields, reports?.[name]?.fields)}`)
    .join('; ');
}
