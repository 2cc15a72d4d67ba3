import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { generateUnit } from '../../codegen/generate-unit.js';
import { buildProgram } from '../../codegen/native-build.js';
import gardenProbe from '../../units/garden-probe.js';
import { eventually, root, startHouse, temporaryFolder } from './support/house.js';

const key = 'c3'.repeat(16);
/** Shorter than a definition may say: nobody waits ten minutes for a test. */
const SLEEP_MS = 500;

/** The probe's own firmware, but with that sleep. */
async function sleepingProgram(): Promise<string> {
  const [header] = generateUnit({ ...gardenProbe, sleepMs: SLEEP_MS }, 'units/garden-probe.ts');
  const file = join(root, '.build', 'short-sleep', 'include', 'garden_probe.h');
  mkdirSync(dirname(file), { recursive: true });
  if (!existsSync(file) || readFileSync(file, 'utf8') !== header!.text) writeFileSync(file, header!.text);
  return buildProgram('garden-probe-short', {
    root,
    sources: [join(root, 'firmware', 'garden-probe', 'src', 'main.cpp')],
    headers: [file],
    includes: [dirname(file)],
  });
}

/** As a process that dials the base; ended after the test. */
function run(program: string, address: string): ChildProcess {
  const state = join(temporaryFolder(), 'state');
  const words = ['--uid', 'garden-probe', '--dial', address, '--state', state, '--with-parent', `${process.pid}`];
  const child = spawn(program, words, { stdio: 'ignore', env: { ...process.env, BASEUNIT_KEY: key } });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

test('compiled firmware wakes, tells, takes what waits, says A0, sleeps, and wakes again with what it was told', async () => {
  const program = await sleepingProgram();
  const { base, log } = await startHouse({
    name: 'test',
    units: { listen: '127.0.0.1:0', known: { 'garden-probe': { definition: 'garden-probe', key } } },
  });
  const unit = () => base.router.get('garden-probe')!;
  expect(unit()).toMatchObject({ state: 'idle', reason: 'sleeps, expected again every 10 min' });
  const patient = base.router.command({
    id: 'patient',
    unit: 'garden-probe',
    command: 'setDryBelow',
    fields: { dryBelow: 99 },
    source: 'test',
    ttlMs: 60_000,
  });
  const listening = log.find(({ message }) => message === 'units may dial in');
  const child = run(program, String(listening!.fields.address));

  expect(await patient).toMatchObject({ outcome: 'ok' });
  await eventually('a visit that knows what it was told', () => unit().last.soil?.fields.isDry === true);
  expect(unit().last.soil!.id).toMatch(/^garden-probe\/[2-9]\d*\/1$/);
  expect(unit().started).toMatchObject({ resetReason: 5, reset: 'woke from deep sleep' });
  await eventually('asleep again', () => unit().state === 'idle');
  expect(unit().counts).toMatchObject({ missing: 0, refused: 0 });
  expect(log.filter(({ level }) => level === 'warn')).toEqual([]);

  child.kill('SIGTERM');
  await eventually('ended', () => child.exitCode !== null || child.signalCode !== null);
}, 120_000);
