import { beforeAll, expect, test } from 'vitest';
import { runProgram } from '../../../codegen/run-program.js';
import { buildFuzzer, type FuzzerKind, fuzzerKind } from './build-fuzzer.js';

/** A million in all. */
const targets = [
  { name: 'fuzz_session', runs: 600_000 },
  { name: 'fuzz_decoder', runs: 320_000 },
  { name: 'fuzz_serial', runs: 80_000 },
];
/** The driver's own, of libFuzzer or ours. */
const MAX_OCTETS = 512;

let kind: FuzzerKind;
beforeAll(async () => {
  kind = await fuzzerKind();
});

const fuzz = async (target: string, runs: number, seed: string) =>
  runProgram(
    await buildFuzzer(kind, target),
    [`-runs=${runs}`, '-verbosity=0', '-print_final_stats=1', `-seed=${seed}`, `-max_len=${MAX_OCTETS}`],
    {
      cwd: process.cwd(),
    },
  );

test.concurrent.each(targets)(
  '$name: $runs mutated inputs, and no fault',
  { timeout: 300_000 },
  async ({ name, runs }) => {
    const seed = process.env.BASEUNIT_SEED ?? String(Date.now() % 1_000_000_000);
    const { exitCode, output } = await fuzz(name, runs, seed);
    console.info(`${name}, seed ${seed}, ${kind.name}: ${output.trim().split('\n').at(-1)}`);
    expect(Number(/number_of_executed_units: +(\d+)/.exec(output)?.[1]), output).toBeGreaterThanOrEqual(runs);
    expect(exitCode, output).toBe(0);
  },
);

test('a fault behind six octets that must be right is found', { timeout: 120_000 }, async () => {
  const { exitCode, output } = await fuzz('planted_fault', 2_000_000, '1');
  expect(exitCode).not.toBe(0);
  expect(output).toContain('heap-buffer-overflow');
});
