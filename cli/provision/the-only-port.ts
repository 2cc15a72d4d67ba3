import { listPorts } from '../../base/links/serial/port-list.js';
import { ConfigurationError } from '../../protocol/errors.js';

/** The path of the one serial port that there is. Rejects with ConfigurationError where there is none, or a choice. */
export async function theOnlyPort(): Promise<string> {
  const ports = await listPorts();
  if (ports.length === 1) return ports[0]!.path;
  const what =
    ports.length === 0
      ? 'no board is plugged in; plug it in, or name its port: --port /dev/ttyUSB0'
      : `which board is it? Name its port: --port ${ports.map(({ path }) => path).join(', or --port ')}`;
  throw new ConfigurationError('config-invalid', what);
}
