import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../base/project-root.js';
import { type Finding, findingsOf } from './finding.js';
import type { System } from './system.js';

const found = findingsOf('node');

/** Whether Node.js is new enough. */
export function checkNode({ nodeVersion }: Pick<System, 'nodeVersion'>, least = leastVersion()): Finding[] {
  const subject = `Node.js ${nodeVersion}`;
  if (!isOlder(nodeVersion, least)) return [found('node-current', subject, 'is new enough')];
  const cause = `is too old: ${least} or newer is needed; Debian 13 and today's Raspberry Pi OS have it`;
  return [found('node-old', subject, cause, 'sudo apt-get update && sudo apt-get install nodejs npm')];
}

/** `20.19`, from `package.json`. */
function leastVersion(): string {
  const { engines } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
    readonly engines: { readonly node: string };
  };
  return engines.node.replace(/^>=\s*/, '');
}

function isOlder(version: string, least: string): boolean {
  const [have, need] = [version, least].map((text) => text.split('.').map(Number)) as [number[], number[]];
  for (const [index, part] of need.entries()) if (have[index] !== part) return (have[index] ?? 0) < part;
  return false;
}
