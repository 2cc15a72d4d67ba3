import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { modelIncludes, runtimeFolder, strictFlags } from './cpp-program.js';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'bu-compile-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What the compiler says of a text; empty when it says nothing. */
async function complaintsAbout(text: string, ...flags: readonly string[]): Promise<string> {
  const source = join(folder, 'main.cpp');
  writeFileSync(source, text);
  const options = [...strictFlags, '-fsyntax-only', `-I${runtimeFolder}`, ...modelIncludes, ...flags];
  return run('g++', [...options, source]).then(
    ({ stderr }) => stderr,
    (error) => String(error.stderr),
  );
}

const sketch = (handlers: string): string => `
#include <led_lamp.h>
struct Lamp {
  ${handlers}
};
static led_lamp::Unit<Lamp> unit;
void setup() { unit.begin(); }
void loop() { unit.loop(); }
`;
const setColor = 'static bu::Answer setColor(const led_lamp::SetColor&) { return bu::Answer::ok(); }';
const fade = 'static bu::Answer fade(const led_lamp::Fade&) { return bu::Answer::ok(); }';

describe('handlers', () => {
  test('all there: compiles', async () => {
    expect(await complaintsAbout(sketch(setColor + fade))).toBe('');
  });

  test.each([
    ['missing', ''],
    ['of another type', 'static bool fade(const led_lamp::Fade&);'],
    ['taking something else', 'static bu::Answer fade(const led_lamp::SetColor&);'],
    ['not static', 'bu::Answer fade(const led_lamp::Fade&);'],
    ['private', 'private: static bu::Answer fade(const led_lamp::Fade&);'],
  ])('one that is %s is one error, which names the definition', async (_, wrong) => {
    const complaints = await complaintsAbout(sketch(setColor + wrong));
    expect(complaints).toContain(
      'led-lamp (units/led-lamp.ts): command fade needs a handler: static bu::Answer fade(const led_lamp::Fade& command)',
    );
    expect(complaints.match(/error:/g)?.length).toBe(1);
  });

  test('a report that the definition does not have is an error', async () => {
    const text = `${sketch(setColor + fade)} void more() { unit.report(led_lamp::SetColor{}); }`;
    expect(await complaintsAbout(text)).toMatch(/error:/);
  });

  test('a ring that takes too much memory is an error, which says what to change', async () => {
    const text = `#include <baseunit.h>
      static const bu::UnitDescription description{};
      struct Unit : bu::SessionUnit<255, 100, 0> { Unit() : SessionUnit(description) {} };`;
    expect(await complaintsAbout(text)).toContain('the ring takes more than 16 KiB of RAM');
  });
});

test('the runtime has only C headers, and nothing that allocates', () => {
  const allowed = /^#include (<(stddef|stdint|string)\.h>|"[^"]+")$/;
  for (const name of readdirSync(runtimeFolder).filter((one) => /^(bu_|baseunit).*\.(h|cpp)$/.test(one))) {
    const text = readFileSync(join(runtimeFolder, name), 'utf8');
    const includes = text.match(/^[ \t]*#include.*$/gm) ?? [];
    const odd = includes.filter((line) => !allowed.test(line) && !/^#include <(avr\/)?pgmspace\.h>$/.test(line));
    expect(odd, name).toEqual([]);
    expect(text.replaceAll(/\/\/.*$/gm, '').replaceAll(/\/\*[\s\S]*?\*\//g, ''), name).not.toMatch(
      /\b(malloc|calloc|new|delete|std|String|throw|dynamic_cast|virtual)\b/,
    );
  }
});
