import { createParser } from 'eventsource-parser';
import { BaseUnitError, LinkError } from '../protocol/errors.js';
import type { BaseClient } from './running-base.js';

/**
 * Hears a base's event stream until Ctrl-C: then it resolves. `lastEventId`: goes on behind that event. Rejects with LinkError
 * when the base is gone, and as `BaseClient.stream` does.
 */
export async function followEvents(
  base: BaseClient,
  query: Readonly<Record<string, string | undefined>>,
  hear: (kind: string | undefined, data: string) => void,
  lastEventId?: string,
): Promise<void> {
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  const parser = createParser({ onEvent: ({ event, data }) => hear(event, data) });
  const asked = new URLSearchParams(Object.entries(query).filter((entry): entry is [string, string] => !!entry[1]));
  try {
    const decoder = new TextDecoder();
    for await (const octets of await base.stream(`/api/v1/events?${asked}`, stop.signal, lastEventId)) {
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
}
