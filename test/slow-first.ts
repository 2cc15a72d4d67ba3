import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files that take longest, longest first, in seconds on a machine of two cores. vitest knows only what it has run before; on a
 * fresh checkout one of these would come last, and a core would idle until it is done.
 */
const slow: readonly string[] = [
  'test/end-to-end/start.test.ts', // 80
  'test/faults/disk.test.ts', // 65
  'test/cli/store.test.ts', // 48
  'test/faults/power-cut.test.ts', // 44
  'test/process/life.test.ts', // 26
  'test/cli/project.test.ts', // 25
  'test/firmware/generated/codec.test.ts', // 24
  'test/cli/running.test.ts', // 24
  'test/firmware/runtime/codec.test.ts', // 21
  'test/faults/webhook-deaths.test.ts', // 21
  'test/protocol/iotsocket-fuzz.test.ts', // 21
  'test/process/hostile.test.ts', // 20
  'test/cli/usage.test.ts', // 18
  'test/cli/iotsocket.test.ts', // 14
  'test/codegen/native-build.test.ts', // 14
];

for (const name of slow) {
  if (!existsSync(join(process.cwd(), name))) throw new Error(`${name} is gone: take it out of test/slow-first.ts`);
}

/** Slow files before all others of their group. */
export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = slow.findIndex((name) => moduleId.endsWith(`/${name}`));
      return index === -1 ? slow.length : index;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
