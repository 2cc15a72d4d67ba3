import type { SessionCrypto } from '../protocol/iotsocket/proof.js';
import type { Configuration, KnownUnit } from './config/configuration.js';
import { legacyReading } from './config/legacy-config.js';
import type { AuthenticateDevice } from './dialects/connector/connector-options.js';
import type { Handler, ServedUnit } from './dialects/handler.js';
import type { LineDialect } from './dialects/line/line-dialect.js';
import type { UnitDialect } from './dialects/unit/unit-dialect.js';

/** A handler, and the configured units that it serves. */
export type Serving = readonly [handler: Handler, units: readonly ServedUnit[]];

/**
 * Our own handlers of a configuration, in the order of their start, and which of these units each serves. What it does not name is not loaded: on a Pi, all of it
 * takes a second.
 */
export async function handlersOf(
  { iotsocket, connector, yamqtt }: Configuration,
  known: readonly ServedUnit[],
  line: LineDialect,
  unit: UnitDialect,
  elfin: Handler | undefined,
  crypto: SessionCrypto,
  authenticate: AuthenticateDevice | undefined,
): Promise<Serving[]> {
  const handlers: Serving[] = [
    [line, known.filter(({ definition }) => definition.wire === 'line')],
    [unit, known.filter(({ definition }) => definition.wire === 'session')],
  ];
  if (iotsocket !== undefined) {
    const { IotsocketDialect } = await import('./dialects/iotsocket/iotsocket-dialect.js');
    handlers.push([new IotsocketDialect(iotsocket, crypto), []]);
  }
  if (connector?.devices !== undefined) {
    const { ConnectorDialect } = await import('./dialects/connector/connector-dialect.js');
    const { devices } = connector;
    handlers.push([new ConnectorDialect({ ...devices, authenticate: authenticate ?? devices.authenticate }), []]);
  }
  if (elfin !== undefined) handlers.push([elfin, []]);
  if (yamqtt !== undefined) {
    const { YamqttDialect } = await import('./dialects/yamqtt/yamqtt-dialect.js');
    handlers.push([new YamqttDialect(yamqtt), []]);
  }
  return handlers;
}

/** A configured unit, as a dialect serves it. */
export function servedUnit({ uid, definition, address, key, isLegacy }: KnownUnit): ServedUnit {
  return { uid, definition, address, key, isReading: isLegacy ? legacyReading : undefined };
}
