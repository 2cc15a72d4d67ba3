import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildGenerator } from '../../bench/load/generator.js';

describe('the load generator of the bench', () => {
  let program: string;
  beforeAll(async () => {
    program = await buildGenerator();
  });

  test("its SHA-256 and HMAC give the published vectors, and the protocol's own answer to a challenge", () => {
    expect(execFileSync(program, ['--self-test'], { encoding: 'utf8' })).toBe('ok\n');
  });

  test.each([
    [[], 'what is to be measured?'],
    [['round-trips', '--protocol', 'smoke-signals'], 'no protocol smoke-signals'],
    [['sessions', '--count', '1', '--protocol', 'bare'], 'not a multiple of 50'],
  ])('what it cannot do is said, not measured: %j', (words, why) => {
    const run = () => execFileSync(program, words, { encoding: 'utf8', stdio: 'pipe' });
    expect(run).toThrow(why);
  });
});
