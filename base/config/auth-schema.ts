import { z } from 'zod';
import { suggest } from '../core/suggest.js';
import type { HttpAuthentication } from '../links/http-authentication.js';
import { always, expected, headerSecret, secret, section, text } from './schema-fields.js';
import type { Secrets } from './secrets.js';

const kinds = ['none', 'basic', 'bearer'] as const;
type Kind = (typeof kinds)[number];

/** What each kind needs beside its name. */
const fieldsOf: Readonly<Record<Kind, readonly ('user' | 'password' | 'token')[]>> = {
  none: [],
  basic: ['user', 'password'],
  bearer: ['token'],
};
const examples = { user: '"home"', password: '"env:NAME" or "file:path"', token: '"env:NAME" or "file:path"' } as const;
const KIND_EXAMPLE = '"none", "basic" or "bearer"';

/** Who may use a server over HTTP: nobody is asked (`none`), a user with a password (RFC 7617), or who has a token (RFC 6750). */
export function authSection(secrets: Secrets) {
  const shape = {
    kind: kind(),
    user: text(examples.user)
      .refine((user) => !user.includes(':'), { error: 'has a colon, which no name of a user may have (RFC 7617)' })
      .optional(),
    password: secret(secrets)
      .refine((password) => password === undefined || !/\p{Cc}/u.test(password), {
        error: 'has control characters, which no password may have (RFC 7617)',
      })
      .optional(),
    token: headerSecret(secrets).optional(),
  };
  return section(shape, '{ "kind": "bearer", "token": "env:NAME" }').superRefine((auth, context) => {
    // A kind that is none was refused already.
    if (!kinds.includes(auth.kind!)) return;
    const say = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    const needed = fieldsOf[auth.kind!];
    for (const name of ['user', 'password', 'token'] as const) {
      if (needed.includes(name) && !(name in auth)) say(name, `is missing; write ${examples[name]}`);
      if (!needed.includes(name) && name in auth)
        say(name, `has no meaning for the kind ${JSON.stringify(auth.kind)}; take it out`);
    }
  }, always);
}

/** What a checked section says, in the form the servers use. */
export function authOf({ kind, user, password, token }: z.output<ReturnType<typeof authSection>>): HttpAuthentication {
  if (kind === 'basic') return { kind, user: user!, password: password! };
  return kind === 'bearer' ? { kind, token: token! } : { kind: 'none' };
}

function kind() {
  return z.string({ error: expected('a string', KIND_EXAMPLE) }).transform((written, context): Kind | undefined => {
    const known = kinds.find((name) => name === written);
    if (known !== undefined) return known;
    const near = suggest(written, kinds);
    const advice = near === undefined ? `write ${KIND_EXAMPLE}` : `did you mean "${near}"?`;
    context.addIssue({ code: 'custom', message: `is no kind of authentication; ${advice}`, input: undefined });
    return undefined;
  });
}
