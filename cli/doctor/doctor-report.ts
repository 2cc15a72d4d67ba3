import { harmless, styled } from '../terminal.js';
import type { Finding, FindingStatus } from './finding.js';

const marks: Readonly<Record<FindingStatus, { readonly mark: string; readonly style: Parameters<typeof styled>[0] }>> =
  {
    ok: { mark: '✓', style: 'green' },
    warning: { mark: '!', style: 'yellow' },
    problem: { mark: '✗', style: 'red' },
    skipped: { mark: '-', style: 'dim' },
  };

/** A finding for people: a line with its mark, and beneath it the command that mends it. */
export function findingText({ check, status, subject, cause, mend }: Finding): string {
  const { mark, style } = marks[status];
  const lines = harmlessLines(`${subject}: ${cause}`);
  const head = `${styled(style, mark)} ${check.padEnd(14)}${lines.join(`\n${' '.repeat(18)}`)}`;
  return mend === undefined ? head : `${head}\n${' '.repeat(18)}${styled('bold', harmless(mend))}`;
}

/** What a message has in lines stays in lines. */
const harmlessLines = (text: string): string[] => text.split('\n').map((line) => harmless(line.trim()));

/** `1 problem, 2 warnings, 14 ok, 3 not looked at`. */
export function summaryText(findings: readonly Finding[]): string {
  const count = (status: FindingStatus): number => findings.filter((finding) => finding.status === status).length;
  const [problems, warnings] = [count('problem'), count('warning')];
  return [
    problems === 0 ? 'no problem' : `${problems} ${problems === 1 ? 'problem' : 'problems'}`,
    ...(warnings === 0 ? [] : [`${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`]),
    `${count('ok')} ok`,
    ...(count('skipped') === 0 ? [] : [`${count('skipped')} not looked at`]),
  ].join(', ');
}
