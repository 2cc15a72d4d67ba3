import { defineConfig } from 'vitest/config';

/** Two at a time, as the smallest machine that runs them has cores; most of them wait for others anyway. */
const shared = { testTimeout: 20_000, hookTimeout: 60_000, pool: 'forks' as const, maxWorkers: 2 };
const kill = 'test/faults/kill.test.ts';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: 'rooms',
          include: ['test/**/*.test.ts'],
          exclude: ['test/faults/**'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Bases under load, and disks that fail: after the rest.
        test: {
          ...shared,
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          exclude: [kill],
          sequence: { groupOrder: 1 },
        },
      },
      // How soon a base is ready again is measured with nothing else going on.
      { test: { ...shared, name: 'kill', include: [kill], sequence: { groupOrder: 2 } } },
    ],
  },
});
