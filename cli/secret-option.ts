import { Secrets } from '../base/config/secrets.js';
import { ConfigurationError } from '../protocol/errors.js';

/**
 * The secret that an option names, `env:NAME` or `file:path`: one that stands in the command line itself is shown to everybody
 * by `ps`. Throws ConfigurationError `config-invalid` or `secret-missing`.
 */
export function readSecretOption(named: string, option = '--secret'): string {
  if (!/^(env|file):/.test(named))
    throw new ConfigurationError('config-invalid', `${option}: write env:NAME or file:path, not the secret itself`);
  const secret = new Secrets(process.cwd(), process.env).read(named);
  if (secret.ok) return secret.text;
  throw new ConfigurationError('secret-missing', `${option} ${secret.what}`);
}
