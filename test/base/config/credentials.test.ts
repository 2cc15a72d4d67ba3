import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { credentialName, readablePath } from '../../../base/config/credentials.js';
import { loadConfiguration } from '../../../base/config/load-config.js';

test('names are files’ own, with nothing in them that means something to systemd', () => {
  expect(credentialName('/home/pi/keys/kitchen lamp%.key')).toMatch(/^kitchen_lamp_\.key\.[0-9a-f]{12}$/);
  expect(credentialName('/a/lamp.key')).not.toBe(credentialName('/b/lamp.key'));
});

test('in a service, the configuration and its secrets are read from systemd’s copies; without a copy, from their place', () => {
  const folder = mkdtempSync(join(tmpdir(), 'baseunit-credentials-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const copies = join(folder, 'copies');
  mkdirSync(copies);
  const file = join(folder, 'base.json');
  const secret = join(folder, 'hook');
  const copyOf = (path: string): string => join(copies, credentialName(path));
  const environment = { CREDENTIALS_DIRECTORY: copies };
  writeFileSync(file, '{"name":"of the place"}', { mode: 0o600 });
  writeFileSync(secret, 'of the place', { mode: 0o600 });
  expect(readablePath(file, environment)).toBe(file);
  expect(readablePath(file, {})).toBe(file);

  const webhooks = [{ url: 'https://example.org', secret: 'file:hook' }];
  writeFileSync(copyOf(file), JSON.stringify({ name: 'of the copy', webhooks }));
  expect(readablePath(file, environment)).toBe(copyOf(file));
  const read = () => loadConfiguration(file, new Map(), environment).configuration;
  expect(read()).toMatchObject({ name: 'of the copy', file, webhooks: [{ secret: 'of the place' }] });
  writeFileSync(copyOf(secret), 'of the copy\n');
  expect(read()).toMatchObject({ file, webhooks: [{ secret: 'of the copy' }] });
});
