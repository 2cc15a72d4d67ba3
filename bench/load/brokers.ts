import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../cli/free-port.js';
import { findProgram } from '../../codegen/find-program.js';
import { runProgram } from '../../codegen/run-program.js';
import { type RunningPeer, startPeer } from './peer.js';

export type Broker = 'mosquitto' | 'nats-server';

/** Where Debian puts servers; not in everybody's PATH. */
const MORE_FOLDERS = ['/usr/sbin', '/usr/local/sbin'];
const programOf = (broker: Broker): string | undefined => findProgram([broker], process.env, MORE_FOLDERS);

/** Installs what is missing of them through apt, when that can be done; says so. What is still missing is not measured. */
export async function installBrokers(brokers: readonly Broker[]): Promise<void> {
  const missing = brokers.filter((broker) => programOf(broker) === undefined);
  if (missing.length === 0) return;
  const apt = findProgram(['apt-get']);
  if (process.getuid?.() !== 0 || apt === undefined) {
    process.stderr.write(`To measure beside them: sudo apt-get update && sudo apt-get install ${missing.join(' ')}\n`);
    return;
  }
  process.stderr.write(`Installing ${missing.join(', ')} …\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await runProgram(apt, ['update', '-qq'], { cwd: '/', env });
  // One that Debian does not have must not keep the other away.
  for (const broker of missing)
    await runProgram(apt, ['install', '-y', '-qq', '--no-install-recommends', broker], { cwd: '/', env });
}

/** `undefined`: it is not installed. */
export async function startMosquitto(): Promise<RunningPeer | undefined> {
  const program = programOf('mosquitto');
  if (program === undefined) return undefined;
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'baseunit-bench-'));
  const file = join(folder, 'mosquitto.conf');
  const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'max_connections -1', 'set_tcp_nodelay true'];
  // As root it would become a user who cannot read this file.
  writeFileSync(file, `${[...lines, 'persistence false', 'log_type error', 'user root'].join('\n')}\n`);
  const removed = (): void => rmSync(folder, { recursive: true, force: true });
  return startPeer({ name: 'mosquitto', command: [program, '-c', file], port, removed });
}

/** `undefined`: it is not installed. */
export async function startNatsServer(): Promise<RunningPeer | undefined> {
  const program = programOf('nats-server');
  if (program === undefined) return undefined;
  const port = await freePort();
  const command = [program, '-a', '127.0.0.1', '-p', String(port), '-l', '/dev/null'];
  return startPeer({ name: 'nats-server', command, port });
}

/** Its name and version. */
export async function versionOf(broker: Broker): Promise<string> {
  const program = programOf(broker);
  if (program === undefined) return `${broker}: not installed`;
  const { output } = await runProgram(program, [broker === 'mosquitto' ? '-h' : '-v'], { cwd: '/' });
  return `${broker} ${/\d+\.\d+\.\d+/.exec(output)?.[0] ?? ''}`;
}
