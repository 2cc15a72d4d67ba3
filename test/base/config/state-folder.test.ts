import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { apiTokenPath, openApiToken, readApiToken } from '../../../base/config/api-token.js';
import { announceRunning, findRunning, withdrawRunning } from '../../../base/config/running-file.js';
import { openStateFolder, stateFolderPath } from '../../../base/config/state-folder.js';
import { temporaryFolder } from './temporary-folder.js';

const mode = (path: string) => statSync(path).mode & 0o777;
const counting = {
  octets: (count: number) => Uint8Array.from({ length: count }, (_, index) => index),
  fraction: () => 0,
};

describe('the state folder', () => {
  it('is systemd’s where there is one', () => {
    expect(
      stateFolderPath({ environment: { STATE_DIRECTORY: '/var/lib/baseunit' }, configFile: '/etc/base.json' }),
    ).toBe('/var/lib/baseunit');
    expect(stateFolderPath({ environment: { STATE_DIRECTORY: '/var/lib/a:/var/lib/b' } })).toBe('/var/lib/a');
  });

  it('is beside the configuration file, or in the current folder', () => {
    expect(stateFolderPath({ environment: {}, configFile: '/etc/home/base.json' })).toBe('/etc/home/.baseunit');
    expect(stateFolderPath({ environment: { STATE_DIRECTORY: '' }, currentFolder: '/srv' })).toBe('/srv/.baseunit');
    expect(stateFolderPath({ environment: {} })).toBe(resolve('.baseunit'));
  });

  it('is made for its owner alone, and may be there', () => {
    const options = { environment: {}, currentFolder: temporaryFolder() };
    const path = openStateFolder(options);
    expect(mode(path)).toBe(0o700);
    expect(openStateFolder(options)).toBe(path);
  });

  it('that cannot be made is said', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, '.baseunit'), '');
    expect(() => openStateFolder({ environment: {}, currentFolder: folder })).toThrow(
      expect.objectContaining({ code: 'config-unreadable', message: expect.stringContaining('STATE_DIRECTORY') }),
    );
  });
});

describe('the API token', () => {
  it('is made once, of 32 random octets, for its owner alone', () => {
    const folder = temporaryFolder();
    expect(readApiToken(folder)).toBeUndefined();
    const token = openApiToken(folder, counting);
    expect(Buffer.from(token, 'base64url')).toEqual(Buffer.from(counting.octets(32)));
    expect(mode(apiTokenPath(folder))).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['api-token']);
    const others = { ...counting, octets: () => new Uint8Array(32) };
    expect(openApiToken(folder, others)).toBe(token);
    expect(readApiToken(folder)).toBe(token);
  });

  it('is made though a crash left a half-written file with another mode', () => {
    const folder = temporaryFolder();
    writeFileSync(`${apiTokenPath(folder)}.new`, 'half');
    chmodSync(`${apiTokenPath(folder)}.new`, 0o666);
    const token = openApiToken(folder, counting);
    expect(readFileSync(apiTokenPath(folder), 'utf8')).toBe(`${token}\n`);
    expect(mode(apiTokenPath(folder))).toBe(0o600);
  });

  it('that others could read is theirs no more', () => {
    const folder = temporaryFolder();
    const token = openApiToken(folder, counting);
    chmodSync(apiTokenPath(folder), 0o644);
    expect(openApiToken(folder, counting)).toBe(token);
    expect(mode(apiTokenPath(folder))).toBe(0o600);
  });

  it.each(['', 'short', `${'x'.repeat(44)}`, `${'x'.repeat(42)}!`])(
    'a file that holds %j instead is refused, not used',
    (text) => {
      const folder = temporaryFolder();
      writeFileSync(apiTokenPath(folder), text, { mode: 0o600 });
      expect(() => openApiToken(folder, counting)).toThrow(
        expect.objectContaining({ code: 'config-unreadable', message: expect.stringContaining('delete it') }),
      );
      expect(readFileSync(apiTokenPath(folder), 'utf8')).toBe(text);
    },
  );

  it('that cannot be written or read is said', () => {
    expect(() => openApiToken(join(temporaryFolder(), 'none'), counting)).toThrow(
      expect.objectContaining({ code: 'config-unreadable', message: expect.stringContaining('cannot be written') }),
    );
    const folder = temporaryFolder();
    mkdirSync(apiTokenPath(folder));
    expect(() => openApiToken(folder, counting)).toThrow(
      expect.objectContaining({ code: 'config-unreadable', message: expect.stringContaining('cannot be read') }),
    );
  });
});

describe('the running base', () => {
  const base = {
    pid: process.pid,
    url: 'http://127.0.0.1:8889',
    startedAt: 1_700_000_000_000,
    configFile: '/home/pi/base.json',
  };

  it('is found while it runs', () => {
    const folder = temporaryFolder();
    expect(findRunning(folder)).toBeUndefined();
    announceRunning(folder, base);
    expect(findRunning(folder)).toEqual(base);
    expect(mode(join(folder, 'running.json'))).toBe(0o600);
    withdrawRunning(folder, base.pid);
    withdrawRunning(folder, base.pid);
    expect(findRunning(folder)).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('that was killed is recognised by its process', () => {
    const folder = temporaryFolder();
    announceRunning(folder, base);
    expect(findRunning(folder, (pid) => pid !== base.pid)).toBeUndefined();
    // Above the greatest process number a Linux kernel gives out (2²²).
    announceRunning(folder, { ...base, pid: 4_194_305 });
    expect(findRunning(folder)).toBeUndefined();
  });

  it('is another user’s, and runs all the same', () => {
    const folder = temporaryFolder();
    announceRunning(folder, { ...base, pid: 1 });
    expect(findRunning(folder)?.pid).toBe(1);
  });

  it('is not withdrawn by an earlier one that stops late', () => {
    const folder = temporaryFolder();
    announceRunning(folder, base);
    withdrawRunning(folder, base.pid + 1);
    expect(existsSync(join(folder, 'running.json'))).toBe(true);
  });

  it.each(['', '{', '[]', '{"pid":0,"url":"http://x","startedAt":1}', '{"pid":1,"url":"file:///etc","startedAt":1}'])(
    'is not found through %j',
    (text) => {
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'running.json'), text);
      expect(findRunning(folder, () => true)).toBeUndefined();
    },
  );
});
