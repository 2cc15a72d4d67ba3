import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { until } from '../waiting.js';
import { placed } from './placement.js';

/** A relay under load: a process of its own. */
export interface RunningPeer {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  /** Of telemetry. */
  readonly udpPort: number | undefined;
  stop(): Promise<void>;
}

export interface PeerProgram {
  readonly name: string;
  readonly command: readonly string[];
  readonly port: number;
  readonly udpPort?: number;
  /** Cleans up behind it. */
  readonly removed?: () => void;
}

/** Most of what a program says when it cannot start. */
const MAX_SAID = 4_096;

/** Starts it on the core of its own; resolves when its port accepts. Rejects with its words when it ends before. */
export async function startPeer({ name, command, port, udpPort, removed }: PeerProgram): Promise<RunningPeer> {
  const [program, ...words] = placed('relay', command);
  const child = spawn(program!, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const keep = (chunk: Buffer): void => {
    said = (said + chunk.toString()).slice(-MAX_SAID);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  let isGone = false;
  const gone = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      said += error.message;
      isGone = true;
      resolve();
    });
    child.once('exit', () => {
      isGone = true;
      resolve();
    });
  });
  const stop = async (): Promise<void> => {
    if (!isGone) child.kill('SIGTERM');
    await gone;
    removed?.();
  };
  try {
    await until(() => {
      if (isGone) throw new Error(`${name} ended: ${said.trim()}`);
      return accepts(port);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { name, pid: child.pid!, port, udpPort, stop };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
