import { STATUS_CODES } from 'node:http';

export const PROBLEM_TYPE = 'application/problem+json';

/** An error as RFC 9457 has it. `detail` says what to do. */
export interface Problem {
  /** `urn:baseunit:problem:` and a word that programs may switch on. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
}

/** The words of the API's problems. */
export const problemKinds = [
  'bad-request',
  'unauthorised',
  'wrong-host',
  'not-found',
  'timeout',
  'too-large',
  'not-json',
  'too-many-requests',
  'too-many-streams',
  'headers-too-large',
  'internal',
  'stopping',
  'store-failed',
] as const;
export type ProblemKind = (typeof problemKinds)[number];

export function problem(status: number, kind: ProblemKind, detail: string): Problem {
  return { type: `urn:baseunit:problem:${kind}`, title: STATUS_CODES[status] ?? 'Error', status, detail };
}
