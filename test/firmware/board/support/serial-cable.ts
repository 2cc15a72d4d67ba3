import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endWithUs } from '../../../../simulator/end-with-us.js';

/** Two pseudo-terminals that are the ends of one line, as a serial port and the board behind it. */
export interface SerialCable {
  readonly base: string;
  readonly unit: string;
  stop(): Promise<void>;
}

export async function layCable(): Promise<SerialCable> {
  const folder = mkdtempSync(join(tmpdir(), 'bu-cable-'));
  const base = join(folder, 'base');
  const unit = join(folder, 'unit');
  // Said twice, -d tells when both ends are there.
  const socat = spawn('socat', ['-d', '-d', ...[base, unit].map((path) => `pty,raw,echo=0,link=${path}`)]);
  endWithUs(socat);
  await isThere(socat);
  return {
    base,
    unit,
    stop: async () => {
      const gone = new Promise((resolve) => socat.once('close', resolve));
      socat.kill();
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function isThere(socat: ChildProcess): Promise<void> {
  let said = '';
  return new Promise((resolve, reject) => {
    socat.once('error', (error) => reject(new Error(`socat cannot be run (sudo apt install socat): ${error.message}`)));
    socat.once('exit', (code) => reject(new Error(`socat ended with ${code}: ${said}`)));
    socat.stderr!.on('data', (chunk) => {
      said += String(chunk);
      if (said.includes('starting data transfer loop')) resolve();
    });
  });
}
