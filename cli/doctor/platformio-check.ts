import { findPlatformio } from '../../codegen/find-platformio.js';
import { type Finding, findingsOf } from './finding.js';
import type { System } from './system.js';

const found = findingsOf('platformio');

const INSTALL = 'sudo apt-get install pipx && pipx install platformio && pipx ensurepath';

/** Whether firmware can be built for a board and flashed. */
export async function checkPlatformio({ environment, run }: Pick<System, 'environment' | 'run'>): Promise<Finding[]> {
  const path = findPlatformio({ ...environment });
  if (path === undefined) {
    const cause = 'is not installed (neither pio nor platformio is in PATH): boards cannot be flashed from here';
    return [found('platformio-absent', 'PlatformIO', cause, INSTALL)];
  }
  const ran = await run(path, '--version');
  const [, version] = /version (\d[\w.+-]*)/.exec(ran?.exitCode === 0 ? ran.output : '') ?? [];
  if (version !== undefined) return [found('platformio-found', `PlatformIO ${version}`, `is installed (${path})`)];
  return [
    found(
      'platformio-broken',
      `PlatformIO at ${path}`,
      'does not say its version within 5 s',
      'pipx reinstall platformio',
    ),
  ];
}
