import { afterEach } from 'vitest';
import { BaseUnderTest, type Believed } from './base-under-test.js';
import { UnitsUnderTest } from './units-under-test.js';

const running: { stop(): Promise<void> }[] = [];

/** Whatever a test started is stopped after it, last first. Called once in a test file. */
export function stopAfterEach(): void {
  afterEach(async () => {
    for (const each of running.splice(0).reverse()) await each.stop();
  });
}

function alsoStop<T extends { stop(): Promise<void> }>(part: T): T {
  running.push(part);
  return part;
}

export async function startUnits(options: ConstructorParameters<typeof UnitsUnderTest>[0]): Promise<UnitsUnderTest> {
  const fleet = alsoStop(new UnitsUnderTest(options));
  await fleet.start();
  return fleet;
}

export async function startBase(
  units: readonly Believed[],
  options?: Parameters<typeof BaseUnderTest.start>[1],
): Promise<BaseUnderTest> {
  return alsoStop(await BaseUnderTest.start(units, options));
}
