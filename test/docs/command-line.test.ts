import { CommanderError } from 'commander';
import { expect, test } from 'vitest';
import { allCommands, commandLine } from '../../cli/main.js';
import { faultKinds, parseFault } from '../../simulator/fault.js';
import { blocks, codeIn, inlineCode, tableRows } from './support/documents.js';

interface Shown {
  readonly where: string;
  readonly line: string;
}

/** Every `npx baseunit …` that a document shows, in a block or in the text. */
function shownCommands(): Shown[] {
  const inBlocks = blocks('sh').flatMap(({ where, text }) => text.split('\n').map((line) => ({ where, line })));
  const inText = inlineCode().map(({ where, text }) => ({ where, line: text }));
  return [...inBlocks, ...inText].filter(
    ({ line }) => /(^|\s)(npx baseunit|node cli\/baseunit\.mjs) /.test(line) && !line.includes('…'),
  );
}

/** The words of a shell line behind the program's name. */
function wordsOf(line: string): string[] {
  const [, rest = ''] = /(?:npx baseunit|cli\/baseunit\.mjs) (.*)$/.exec(line) ?? [];
  // What another program makes of the output is that program's.
  return [...rest.replace(/ \| .*$/, '').matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare!,
  );
}

/** What the command line has against these words; `undefined`: nothing. Nothing is done. */
async function complaintOf(words: readonly string[]): Promise<string | undefined> {
  const program = commandLine();
  for (const command of allCommands(program)) {
    command.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });
    if (command !== program && command.commands.length === 0) command.action(() => {});
  }
  try {
    await program.parseAsync([...words], { from: 'user' });
    return undefined;
  } catch (error) {
    return error instanceof CommanderError && error.exitCode === 0 ? undefined : (error as Error).message;
  }
}

test('every command that a document shows exists, with these arguments and options', async () => {
  const shown = shownCommands();
  expect(shown.length).toBeGreaterThan(15);
  const wrong: string[] = [];
  for (const { where, line } of shown) {
    const complaint = await complaintOf(wordsOf(line));
    if (complaint !== undefined) wrong.push(`${where}: ${line}: ${complaint}`);
  }
  expect(wrong).toEqual([]);
});

test('the check notices a command, an option and a value that are not there', async () => {
  for (const line of ['npx baseunit lamp', 'npx baseunit units --colour', "npx baseunit send a b '{no'"])
    expect(await complaintOf(wordsOf(line)), line).toBeDefined();
});

test('the table of the simulator has every option of the command', () => {
  const simulate = commandLine().commands.find((command) => command.name() === 'simulate')!;
  const documented = tableRows('docs/simulator.md', 'Simulated units')
    .map(([first]) => /^`(--[a-z-]+)/.exec(first!)?.[1])
    .filter((name) => name !== undefined);
  expect(documented.sort()).toEqual(simulate.options.map(({ long }) => long!).sort());
});

test('the table of faults has every fault, as it is written', () => {
  const documented = tableRows('docs/simulator.md', 'Faults').flatMap(([first]) =>
    first!
      .split(', ')
      .map(codeIn)
      .filter((text) => text !== undefined),
  );
  expect([...new Set(documented.map((text) => parseFault(text).kind))].sort()).toEqual([...faultKinds].sort());
});
