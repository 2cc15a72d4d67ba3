import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { generateUnit } from '../../../../codegen/generate-unit.js';
import { bytes, defineUnit, oneOf, u32 } from '../../../../protocol/definition/index.js';

/** So many that the descriptor is longer than the longest piece of one in an answer. */
const moods = Array.from({ length: 60 }, (_, index) => `mood-number-${index}`);

/** A unit with large messages: what a command tells it comes back three times over in a report. */
export const wide = defineUnit({
  name: 'wide',
  version: '0.0.1',
  kind: 'updatable',
  ring: 3,
  commands: {
    tell: { number: 1, fields: { octets: bytes(250) } },
    cheer: { number: 3, fields: { mood: oneOf(moods) } },
  },
  reports: {
    told: { number: 2, fields: { count: u32(), first: bytes(250), second: bytes(250), third: bytes(250) } },
  },
});

/** Generates its header, and puts the sketch beside it: the sketch's path. Both are found again while they are the same. */
export function generateWide(): string {
  const header = generateUnit(wide, 'test/firmware/board/native/wide.ts').find(({ path }) => path.endsWith('.h'))!;
  const sketch = readFileSync('test/firmware/board/native/wide_main.cpp', 'utf8');
  const hash = createHash('sha256').update(header.text).update(sketch).digest('hex').slice(0, 24);
  const folder = join('.build', 'firmware-runtime-tests', `wide-${hash}`);
  mkdirSync(folder, { recursive: true });
  const write = (name: string, text: string): string => {
    const unfinished = join(folder, `${name}.${process.pid}`);
    writeFileSync(unfinished, text);
    renameSync(unfinished, join(folder, name));
    return join(folder, name);
  };
  write(basename(header.path), header.text);
  // The header's hash in it makes it another source when the header is another.
  return write('wide_main.cpp', `// ${hash}\n${sketch}`);
}
