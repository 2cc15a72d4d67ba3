import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { here, modelIncludes, runtimeFolder, sourcesIn, strictFlags } from './cpp-program.js';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'bu-compile-'));
afterAll(() => rmSync(folder, { recursive: true }));

const esp8266Flags = ['-DARDUINO=10812', '-DARDUINO_ARCH_ESP8266', '-Itest/firmware/stubs', '-funsigned-char'];
const esp8266Sources = [...sourcesIn(runtimeFolder), ...sourcesIn(`${runtimeFolder}/port/esp8266`)];

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

describe('the esp8266 port', () => {
  const compile = (source: string, ...flags: readonly string[]): Promise<{ stderr: string }> => {
    const options = [...strictFlags, ...esp8266Flags, `-I${runtimeFolder}`, ...modelIncludes, ...flags];
    return run('g++', [...options, '-c', source, '-o', join(folder, `${basename(source)}.o`)]);
  };

  test('compiles against the core’s declarations, and says so when secrets.h is missing', async () => {
    const said: string[] = [];
    for (const source of esp8266Sources) said.push((await compile(source)).stderr);
    expect(said.join('')).toContain('no secrets.h found');
    expect(said.join('')).not.toContain('warning');
  }, 120_000);

  test('takes UID, key and Wi-Fi from secrets.h, and refuses a wrong key while compiling', async () => {
    const include = join(folder, 'include');
    const identity = `${runtimeFolder}/port/esp8266/esp8266_identity.cpp`;
    const example = readFileSync(`${runtimeFolder}/port/esp8266/secrets.example.h`, 'utf8');
    mkdirSync(include);
    writeFileSync(join(include, 'secrets.h'), example.replace('"example"', '"kitchen-lamp"'));
    expect((await compile(identity, `-I${include}`)).stderr).toBe('');
    writeFileSync(join(include, 'secrets.h'), example.replace('00000000"', '0000000g"'));
    await expect(compile(identity, `-I${include}`)).rejects.toThrow(/key must be 32 hexadecimal digits/);
    writeFileSync(join(include, 'secrets.h'), example.replace('"example"', '"seventeen-octets!"'));
    await expect(compile(identity, `-I${include}`)).rejects.toThrow(/uid must have 1 to 16 octets/);
  });
});

describe('rules of the chip', () => {
  test('only C headers, and nothing that allocates', () => {
    const allowed = /^#include (<(stddef|stdint|string)\.h>|"[^"]+")$/;
    for (const name of readdirSync(runtimeFolder).filter((one) => /^(bu_|baseunit).*\.(h|cpp)$/.test(one))) {
      const text = readFileSync(join(runtimeFolder, name), 'utf8');
      const includes = text.match(/^[ \t]*#include.*$/gm) ?? [];
      const odd = includes.filter((line) => !allowed.test(line) && line !== '#include <pgmspace.h>');
      expect(odd, name).toEqual([]);
      expect(text.replaceAll(/\/\/.*$/gm, '').replaceAll(/\/\*[\s\S]*?\*\//g, ''), name).not.toMatch(
        /\b(malloc|calloc|new|delete|std|String|throw|dynamic_cast|virtual)\b/,
      );
    }
  });

  test('no function needs more than 256 octets of stack, on a machine whose pointers are twice as wide', async () => {
    const sources = [...sourcesIn(runtimeFolder), `${here}/model/main.cpp`];
    for (const source of sources) {
      await run('g++', [
        ...strictFlags,
        ...['-Os', '-funsigned-char', '-Wframe-larger-than=256', `-I${runtimeFolder}`, ...modelIncludes],
        ...['-c', source, '-o', join(folder, `${basename(source)}.o`)],
      ]);
    }
  }, 120_000);

  test('a lamp takes less than 3.25 KiB of RAM', async () => {
    const text = `#include <led_lamp.h>
      struct Lamp { ${setColor} ${fade} };
      static_assert(sizeof(led_lamp::Unit<Lamp>) < 3 * 1024 + 256, "RAM");`;
    expect(await complaintsAbout(text)).toBe('');
  });
});
