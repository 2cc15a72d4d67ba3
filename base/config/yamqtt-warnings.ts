import type { YamqttOptions } from '../dialects/yamqtt/yamqtt-options.js';
import { isOnNetwork } from './address.js';

/** Of the commands that a warning names; the others are counted. */
const MAX_NAMED = 3;

/** What works and should be known: YAMQTT knows neither passwords nor TLS. Loopback is no network. */
export function yamqttWarnings({ listen, flows }: YamqttOptions): string[] {
  if (!isOnNetwork(listen)) return [];
  const commands = [...flows.values()].flatMap(({ command }) => command ?? []);
  const warnings = [
    'yamqtt.tcp: whoever reaches it can publish on every flow and hear every flow; YAMQTT has no passwords and no TLS',
  ];
  if (commands.length > 0) {
    const named = commands.slice(0, MAX_NAMED).map(({ unit, command }) => `${unit}.${command}`);
    const more = commands.length > MAX_NAMED ? ` and ${commands.length - MAX_NAMED} more` : '';
    warnings.push(
      `yamqtt.flows: WHOEVER REACHES yamqtt.tcp CAN COMMAND ${named.join(', ')}${more}, with no password. Take the "command" out, or listen at 127.0.0.1`,
    );
  }
  return warnings;
}
