import { loadavg } from 'node:os';
import { print } from '../../cli/terminal.js';
import { type Broker, installBrokers, versionOf } from './brokers.js';
import { placement } from './placement.js';
import { ROUNDS } from './rounds.js';

/** Installs what is measured beside, and says under what conditions all of it is measured. */
export async function prepareLoad(brokers: readonly Broker[]): Promise<void> {
  await installBrokers(brokers);
  const versions: string[] = [];
  for (const broker of brokers) versions.push(await versionOf(broker));
  print([...versions, placement, `medians of ${ROUNDS} rounds, (least–most)`].join('; '));
  print(`Load of the machine before it begins: ${loadavg()[0]!.toFixed(2)}\n`);
}
