import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { allCommands, commandLine } from '../../cli/main.js';
import { baseunit, onlyJson, root, temporaryFolder } from './support/program.js';

const ESCAPE = '\u001b';

test('the help of every command names all its arguments and options, and says what each is', async () => {
  const program = commandLine();
  expect(program.commands.map((command) => command.name())).toEqual(
    expect.arrayContaining([
      ...['start', 'run', 'generate', 'flash', 'simulate', 'send', 'units', 'watch', 'logs', 'keys'],
      ...['outbox', 'backup', 'restore', 'forget', 'service', 'elfin'],
    ]),
  );
  for (const command of allCommands(program)) {
    const help = command.helpInformation();
    expect(command.description()).not.toBe('');
    for (const { name, description } of command.registeredArguments.map((one) => ({
      name: one.name(),
      description: one.description,
    }))) {
      expect(help).toContain(name);
      expect(description, `${command.name()} ${name}`).not.toBe('');
    }
    for (const { flags, description } of command.options) {
      expect(help).toContain(flags);
      expect(description, `${command.name()} ${flags}`).not.toBe('');
    }
  }
  const [whole, send] = await Promise.all([baseunit(['--help']), baseunit(['send', '--help'])]);
  expect(whole).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/Exit codes: 0 .* 1 .* 2 .* 3 .* 4 /) });
  expect(send).toMatchObject({ code: 0, err: '', out: expect.stringContaining('--ttl <seconds>') });
});

test('what is misspelt, missing or out of range: exit 2 and a hint', async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['unts'], /Did you mean units\?/],
    [['send', 'lamp', 'setColor', '--tll', '3'], /Did you mean --ttl\?/],
    [['logs'], /missing required argument 'unit'/],
    [['logs', 'lamp', '--level', 'loud'], /Allowed choices are debug, info, warn, error/],
    [['simulate', 'garden-probe'], /say which with --dial/],
    [['keys', 'mak', 'lamp'], /Did you mean make\?/],
    [['outbox', 'dead'], /missing required argument 'endpoint'/],
    [['elfin', 'users', 'ad'], /too many arguments for 'list'/],
    [['outbox', 'list', '--al'], /unknown option '--al'/],
    [['restore'], /missing required argument 'file'/],
    [['forget'], /missing required argument 'unit'/],
    [['backup'], /base\.json does not exist/],
    [['send', 'lamp'], /write one of these: the name of a command, --line/],
    [['send', 'lamp', 'level', '--query', '--payload', '1'], /--query has a payload or the name of a report/],
    [['send', 'lamp', 'level', '{"a":1}', '--query'], /--query has neither fields nor --line/],
    [['send'], /missing required argument 'unit'/],
    [['run'], /required option '-c, --config/],
    [['run', '-c', 'x.json', '--log-level', 'loud'], /debug, info, warn, error/],
    [['run', '-c', 'x.json'], /x\.json does not exist/],
    [['send', 'lamp', 'setColor', '{color}'], /Write it as/],
    [['send', 'lamp', 'setColor', '--ttl', '0'], /above 0/],
    [['simulate', 'led-lamp', '--count', '0'], /1 or more/],
    [['simulate', 'led-lamp', '--fault', 'flood'], /there are silence, cut/],
    [['simulate', 'led-lamp', '--dial', '127.0.0.1:0'], /port 0/],
    [['simulate', 'led-lmp'], /defined are: .*led-lamp/],
    [['generate', 'led-lmp'], /defined are: .*led-lamp/],
    [[], /Usage: baseunit/],
  ];
  const ended = await Promise.all(cases.map(([words]) => baseunit(words)));
  for (const [index, { code, out, err }] of ended.entries()) {
    expect(err).toMatch(cases[index]![1]);
    expect([cases[index]![0], code, out]).toEqual([cases[index]![0], 2, '']);
    expect(err).not.toContain(ESCAPE);
  }
}, 60_000);

test('with --json every error is one JSON object on stdout', async () => {
  const cases: readonly (readonly [readonly string[], number, string])[] = [
    [['unts'], 2, 'usage'],
    [['units', '--bogus'], 2, 'usage'],
    [['keys', 'make', 'a/b'], 2, 'config-invalid'],
    [['run', '-c', 'x.json'], 2, 'config-unreadable'],
    [['generate', 'led-lmp'], 2, 'definition-missing'],
    [['flash', 'led-lamp', '--board', 'uno'], 2, 'config-invalid'],
    [['simulate', 'led-lmp'], 2, 'definition-missing'],
    [['units'], 3, 'connect-failed'],
    [['watch'], 3, 'connect-failed'],
    [['outbox'], 3, 'connect-failed'],
    [['backup'], 2, 'config-unreadable'],
    [['restore', 'x.db'], 2, 'config-unreadable'],
    [['forget', 'lamp'], 2, 'config-unreadable'],
    [['send', 'lamp', 'setColor'], 3, 'connect-failed'],
  ];
  const ended = await Promise.all(cases.map(([words]) => baseunit([...words, '--json'])));
  for (const [index, one] of ended.entries()) {
    const [words, code, error] = cases[index]!;
    expect([words, one.code, onlyJson(one)]).toEqual([
      words,
      code,
      { error: { code: error, message: expect.stringMatching(/./) } },
    ]);
  }
}, 60_000);

test('colours on a terminal, none with NO_COLOR', () => {
  const folder = temporaryFolder();
  const onTerminal = (env: Record<string, string>): string =>
    // `script` gives a terminal to what it runs.
    execFileSync(
      'script',
      ['-qec', `'${process.execPath}' '${join(root, 'cli', 'baseunit.mjs')}' units`, '/dev/null'],
      {
        cwd: folder,
        env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', TERM: 'xterm', ...env },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
  const outputOf = (env: Record<string, string>): string => {
    try {
      return onTerminal(env);
    } catch (error) {
      // It ends with 3: no base runs there.
      return (error as { readonly stdout: string }).stdout;
    }
  };
  expect(outputOf({})).toContain(`${ESCAPE}[`);
  const plain = outputOf({ NO_COLOR: '1' });
  expect(plain).toContain('no base is running here');
  expect(plain).not.toContain(ESCAPE);
});
