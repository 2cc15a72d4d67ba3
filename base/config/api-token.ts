import { chmodSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigurationError } from '../../protocol/errors.js';
import type { Random } from '../core/random.js';
import { writeDurably } from '../engine/durable-file.js';

/** Nobody guesses 256 bits. */
const TOKEN_OCTETS = 32;
/** 32 octets in base64url. */
const written = /^[A-Za-z0-9_-]{43}$/;
const OWNER_ONLY = 0o600;

/** Where the API's bearer token is, for messages that say so. */
export function apiTokenPath(stateFolder: string): string {
  return join(stateFolder, 'api-token');
}

/**
 * The API's bearer token: 32 random octets in base64url, made at the first start, the same ever after. Only its owner may
 * read the file; a mode that let others is set back. Never log what this returns. ConfigurationError `config-unreadable`
 * when the file cannot be read or written, or holds something else.
 */
export function openApiToken(stateFolder: string, random: Random): string {
  const path = apiTokenPath(stateFolder);
  return readApiToken(stateFolder) ?? makeToken(path, random);
}

/** The token a base made, for command-line tools; `undefined` when none did yet. Throws as {@link openApiToken}. */
export function readApiToken(stateFolder: string): string | undefined {
  const path = apiTokenPath(stateFolder);
  let text: string;
  try {
    if ((statSync(path).mode & 0o077) !== 0 && process.platform !== 'win32') chmodSync(path, OWNER_ONLY);
    text = readFileSync(path, 'utf8').trim();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unusable(path, `cannot be read: ${(cause as Error).message}`, cause);
  }
  if (written.test(text)) return text;
  throw unusable(path, 'does not hold the API token it should; delete it, and the next start makes a new one');
}

function makeToken(path: string, random: Random): string {
  const token = Buffer.from(random.octets(TOKEN_OCTETS)).toString('base64url');
  try {
    writeDurably(path, `${token}\n`);
  } catch (cause) {
    throw unusable(path, `cannot be written: ${(cause as Error).message}`, cause);
  }
  return token;
}

function unusable(path: string, why: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError('config-unreadable', `the file ${path} ${why}`, { cause });
}
