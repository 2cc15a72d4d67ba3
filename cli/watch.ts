import type { Command } from 'commander';
import { loadDefinitions } from '../base/config/definitions.js';
import { messageKinds } from '../base/core/bus.js';
import { withBaseOptions } from './base-options.js';
import { eventText, type UnitEvent } from './event-text.js';
import { followEvents } from './follow-events.js';
import { BaseClient, type BaseOptions } from './running-base.js';
import { print, printJson } from './terminal.js';

/** `baseunit watch`: readings, outcomes and presence as they come, until Ctrl-C. */
export function addWatch(program: Command): void {
  withBaseOptions(program.command('watch').argument('[unit]', 'only this unit'))
    .description('show readings, outcomes and presence as they come, until Ctrl-C')
    .action(async (unit: string | undefined, options: BaseOptions) => {
      const isJson = program.opts<{ json?: boolean }>().json;
      const definitions = await loadDefinitions();
      await followEvents(BaseClient.find(options), { unit }, (kind, data) => {
        if (!(messageKinds as readonly (string | undefined)[]).includes(kind)) return;
        const event = { kind, ...JSON.parse(data) } as UnitEvent;
        if (isJson) printJson(event);
        else print(eventText(event, definitions));
      });
    });
}
