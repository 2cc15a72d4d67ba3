import { defineConfig } from 'vitest/config';
import { SlowFirst } from './test/slow-first.js';

/** Two at a time, as the smallest machine that runs them has cores; most of them wait for others anyway. */
const shared = { testTimeout: 20_000, hookTimeout: 60_000, pool: 'forks' as const, maxWorkers: 2 };
const kill = 'test/faults/kill/*.test.ts';
/** Each in a process of its own: they start programs by the dozen, replace modules, or look at the whole process. */
const alone = [
  'test/{bench,cli,end-to-end,firmware,process}/**/*.test.ts',
  'test/base/api/openapi.test.ts',
  'test/base/dialects/iotsocket/central-webhooks.test.ts',
  'test/simulator/firmware-unit.test.ts',
];

export default defineConfig({
  test: {
    sequence: { sequencer: SlowFirst },
    projects: [
      {
        test: {
          ...shared,
          name: 'rooms',
          include: ['test/**/*.test.ts'],
          exclude: ['test/faults/**', ...alone],
          // One process after the other loads what is imported once for all its files: a third of the time.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      { test: { ...shared, name: 'alone', include: alone, sequence: { groupOrder: 1 } } },
      {
        // Bases under load, and disks that fail. With the ones above: a core that has none left of those takes one of these.
        test: {
          ...shared,
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          exclude: [kill],
          sequence: { groupOrder: 1 },
        },
      },
      // How soon a base is ready again is measured with nothing going on but a second one beside it.
      { test: { ...shared, name: 'kill', include: [kill], sequence: { groupOrder: 2 } } },
    ],
  },
});
