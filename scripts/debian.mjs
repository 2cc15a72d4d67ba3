import { fail, run } from './run.mjs';
import { has } from './wanted.mjs';

/** Says what is missing. Where it cannot be installed, says the one line to type, and ends when it is needed. */
export function mayInstall(missing, isNeeded) {
  if (missing.length === 0) return false;
  for (const { program, file, what } of missing) console.error(`${program ?? file} is missing (${what}).`);
  if (process.getuid?.() === 0 && has('apt-get')) return true;
  const command = `sudo apt-get update && sudo apt-get install ${packagesOf(missing).join(' ')}`;
  if (isNeeded) fail(`Install what is needed, then run this again:\n  ${command}`);
  console.error(`To have it:\n  ${command}`);
  return false;
}

/** False: apt-get has said what is wrong. */
export const update = () => run('apt-get', ['update', '-qq']);

/** Installs the packages of what is missing. False: apt-get has said what is wrong. */
export function install(missing) {
  const packages = packagesOf(missing);
  if (packages.length === 0) return Promise.resolve(true);
  console.error(`Installing ${packages.join(', ')} …`);
  return run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
    DEBIAN_FRONTEND: 'noninteractive',
  });
}

const packagesOf = (missing) => [...new Set(missing.map((entry) => entry.package))];
