import type { Command } from 'commander';
import { createParser } from 'eventsource-parser';
import { loadDefinitions } from '../base/config/definitions.js';
import { messageKinds } from '../base/core/bus.js';
import { BaseUnitError, LinkError } from '../protocol/errors.js';
import { withBaseOptions } from './base-options.js';
import { eventText, type UnitEvent } from './event-text.js';
import { BaseClient, type BaseOptions } from './running-base.js';
import { print, printJson } from './terminal.js';

/** `baseunit watch`: readings, outcomes and presence as they come, until Ctrl-C. */
export function addWatch(program: Command): void {
  withBaseOptions(program.command('watch').argument('[unit]', 'only this unit'))
    .description('show readings, outcomes and presence as they come, until Ctrl-C')
    .action(async (unit: string | undefined, options: BaseOptions) => {
      const isJson = program.opts<{ json?: boolean }>().json;
      const definitions = await loadDefinitions();
      const stop = new AbortController();
      const interrupt = (): void => stop.abort();
      process.once('SIGINT', interrupt);
      process.once('SIGTERM', interrupt);
      const query = unit === undefined ? '' : `?unit=${encodeURIComponent(unit)}`;
      const parser = createParser({
        onEvent: ({ event: kind, data }) => {
          if (!(messageKinds as readonly (string | undefined)[]).includes(kind)) return;
          const event = { kind, ...JSON.parse(data) } as UnitEvent;
          if (isJson) printJson(event);
          else print(eventText(event, definitions));
        },
      });
      try {
        const decoder = new TextDecoder();
        for await (const octets of await BaseClient.find(options).stream(`/api/v1/events${query}`, stop.signal)) {
          parser.feed(decoder.decode(octets, { stream: true }));
        }
        if (!stop.signal.aborted) throw new LinkError('link-lost', 'the base has ended');
      } catch (error) {
        if (stop.signal.aborted) return;
        if (error instanceof BaseUnitError) throw error;
        throw new LinkError('link-lost', `the base is gone: ${(error as Error).message}`, { cause: error });
      } finally {
        process.removeListener('SIGINT', interrupt);
        process.removeListener('SIGTERM', interrupt);
      }
    });
}
