import { expect, test } from 'vitest';
import { beginChecks, type RunningCheck } from '../../../cli/doctor/checks.js';
import { findingText, summaryText } from '../../../cli/doctor/doctor-report.js';
import { type Finding, findings, findingsOf } from '../../../cli/doctor/finding.js';
import { showProgress } from '../../../cli/doctor/progress.js';
import { shellWord } from '../../../cli/doctor/shell-word.js';
import { codeIn, tableRows } from '../../docs/support/documents.js';
import { House } from './support/house.js';

const { any, ...byCheck } = findings;

test('docs/doctor.md has every finding, in the order of the source, with its status', () => {
  const documented = tableRows('docs/doctor.md', 'What it finds').flatMap(([name, status]) => {
    const code = codeIn(name);
    return code === undefined ? [] : [`${code} ${status}`];
  });
  const inSource = [...Object.values(byCheck), any].flatMap((codes) =>
    Object.entries(codes).map(([code, status]) => `${code} ${status}`),
  );
  expect(documented).toEqual(inSource);
  expect(new Set(inSource).size).toBe(inSource.length);
});

test('docs/doctor.md: each finding is explained, and each that is to be mended has a way', () => {
  const rows = tableRows('docs/doctor.md', 'What it finds').filter(([name]) => codeIn(name) !== undefined);
  for (const [name, status, means, mend] of rows) {
    expect(means, name).toMatch(/^[A-Z`].{7,}\.$/);
    if (status === 'problem' || status === 'warning') expect(mend!.length, name).toBeGreaterThan(5);
  }
});

test('a finding for people: its lines, and the command beneath; nothing of a peer steers the terminal', () => {
  const found = findingsOf('ports');
  expect(findingText(found('port-free', 'http.listen 127.0.0.1:1', 'is free'))).toBe(
    '✓ ports         http.listen 127.0.0.1:1: is free',
  );
  expect(findingText(found('port-taken', 'a', 'first\n  second \u001b[2J', 'kill 1'))).toBe(
    `✗ ports         a: first\n${' '.repeat(18)}second \\u001b[2J\n${' '.repeat(18)}kill 1`,
  );
});

test('the summary counts', () => {
  const found = findingsOf('ports');
  const of = (...names: Parameters<typeof found>[0][]): string => summaryText(names.map((name) => found(name, '', '')));
  expect(of('port-free', 'port-free')).toBe('no problem, 2 ok');
  expect(of('port-taken', 'check-failed', 'not-configured')).toBe('1 problem, 1 warning, 0 ok, 1 not looked at');
  expect(of('port-taken', 'port-taken', 'check-failed', 'check-failed')).toBe('2 problems, 2 warnings, 0 ok');
});

test('a check that fails is told, and keeps no other from its work', async () => {
  const examination = await new House().examine(
    { http: { listen: '127.0.0.1:0' } },
    {
      problemOfPackage: () => Promise.reject(new Error('our own fault')),
    },
  );
  const all: Finding[] = [];
  for (const check of beginChecks(examination)) all.push(...(await check.findings));
  const failed = all.filter(({ finding }) => finding === 'check-failed');
  expect(failed.map(({ check, cause }) => [check, cause])).toEqual([
    ['store', 'could not be done: our own fault'],
    ['discovery', 'could not be done: our own fault'],
  ]);
  expect(all.some(({ finding }) => finding === 'port-any')).toBe(true);
});

test('progress names what is under way, on a terminal only', async () => {
  const written: string[] = [];
  const stream = { isTTY: true, columns: 30, write: (text: string) => written.push(text) > 0 };
  let end = (): void => {};
  const slow = new Promise<[]>((resolve) => {
    end = () => resolve([]);
  });
  const checks: RunningCheck[] = [
    { check: 'ports', findings: Promise.resolve([]) },
    { check: 'pusher', findings: slow },
  ];
  const progress = showProgress(checks, stream);
  expect(written.at(-1)).toContain('looking at ports, pusher …');
  await checks[0]!.findings;
  await Promise.resolve();
  expect(written.at(-1)).toBe('\r\u001b[Klooking at pusher …');
  end();
  await slow;
  await Promise.resolve();
  progress.draw();
  expect(written.at(-1)).toBe('\r\u001b[K');
  const before = written.length;
  const silent = showProgress(checks, { ...stream, isTTY: false });
  silent.draw();
  silent.clear();
  expect(written.length).toBe(before);
});

test('words of a command are quoted where a shell would change them', () => {
  expect(['/a/b.key', '/a b', "it's", '$HOME'].map(shellWord)).toEqual(['/a/b.key', "'/a b'", `'it'\\''s'`, "'$HOME'"]);
});
