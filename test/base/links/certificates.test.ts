import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect, TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { MAX_PEM_OCTETS, problemOfPair } from '../../../base/links/certificate-pair.js';
import { Certificates } from '../../../base/links/certificates.js';
import { WATCH_EVERY_MS } from '../../../base/links/watched-file.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { QuietLog } from '../../support/quiet-log.js';
import { temporaryFolder } from '../config/temporary-folder.js';
import { makeCertificates, type Certificates as Pem } from '../uplinks/certificates.js';

let old: Pem;
let renewed: Pem;
beforeAll(() => {
  [old, renewed] = [makeCertificates(), makeCertificates()];
});

const openssl = (...words: string[]): string => execFileSync('openssl', words, { encoding: 'utf8', stdio: 'pipe' });

/** Certificate and key of `old`, in a folder of their own. */
function rig() {
  const folder = temporaryFolder();
  const files = { cert: join(folder, 'server.crt'), key: join(folder, 'server.key') };
  const write = ({ cert, key }: { cert?: string; key?: string }): void => {
    if (cert !== undefined) writeFileSync(files.cert, cert);
    if (key !== undefined) writeFileSync(files.key, key);
  };
  write(old);
  const [clock, log] = [new ManualClock(), new QuietLog()];
  const certificates = new Certificates({ files, clock, log });
  onTestFinished(() => certificates.stop());
  return {
    files,
    write,
    clock,
    log,
    certificates,
    logged: (level: string) => log.lines.filter((line) => line.level === level).map(({ message }) => message),
    /** Lets it look at the files, until this holds. */
    until: async (holds: () => boolean): Promise<void> => {
      await clock.advance(WATCH_EVERY_MS);
      while (!holds()) await settle(1);
    },
  };
}

/** The certificate that a server with this context shows, in PEM. */
async function shownBy(certificates: Certificates, options: ConnectionOptions): Promise<string> {
  const server = createServer((socket) => {
    const secure = new TLSSocket(socket, { isServer: true, secureContext: certificates.context });
    secure.on('error', () => socket.destroy());
  }).listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = connect({ host: '127.0.0.1', port, servername: 'localhost', ...options });
    try {
      await once(client, 'secureConnect');
      return client.getPeerX509Certificate()!.toString().trim();
    } finally {
      client.destroy();
    }
  } finally {
    server.close();
  }
}

describe('certificates', () => {
  it('are read at the start, and serve TLS', async () => {
    const { certificates } = rig();
    await certificates.start();
    expect(certificates.pem).toEqual({ cert: old.cert, key: old.key });
    expect(await shownBy(certificates, { ca: old.ca })).toBe(old.cert.trim());
  });

  it('serve nothing below TLS 1.2', async () => {
    const { certificates } = rig();
    await certificates.start();
    const ancient = {
      ca: old.ca,
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    } as const;
    await expect(shownBy(certificates, ancient)).rejects.toThrow(/version/i);
    const { ciphers: _, ...modern } = ancient;
    expect(await shownBy(certificates, { ...modern, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' })).toBe(
      old.cert.trim(),
    );
  });

  it('are others when both files have changed, and that is told', async () => {
    const { certificates, write, until, logged } = rig();
    await certificates.start();
    let told = 0;
    const leave = certificates.onChange(() => {
      told += 1;
    });
    write(renewed);
    await until(() => told === 1);
    expect(certificates.pem).toEqual({ cert: renewed.cert, key: renewed.key });
    expect(await shownBy(certificates, { ca: renewed.ca })).toBe(renewed.cert.trim());
    expect(logged('info')).toEqual(['certificate read anew']);
    leave();
    write(old);
    await until(() => certificates.pem.cert === old.cert);
    expect(told).toBe(1);
  });

  it('stay as they were while the files are no pair, which is said once', async () => {
    const { certificates, write, until, logged, clock, files } = rig();
    await certificates.start();
    const { context } = certificates;
    write({ key: renewed.key });
    await until(() => logged('warn').length === 1);
    expect(logged('warn')).toEqual([
      expect.stringContaining(`the certificate stays as it was: the file ${files.key} is not the key`),
    ]);
    expect(certificates.context).toBe(context);
    // Many looks, and some attempts, later.
    for (let look = 0; look < 30; look += 1) {
      await clock.advance(WATCH_EVERY_MS);
      while (clock.waiting < 2) await settle();
    }
    expect(logged('warn')).toHaveLength(1);
    write({ cert: renewed.cert });
    await until(() => certificates.context !== context);
    expect(certificates.pem).toEqual({ cert: renewed.cert, key: renewed.key });
    expect(logged('warn').join()).not.toContain(renewed.key.split('\n')[1]);
  });

  it('stay as they were while a file is gone; the same one back is no change', async () => {
    const { certificates, write, until, logged, files } = rig();
    await certificates.start();
    let told = 0;
    certificates.onChange(() => {
      told += 1;
    });
    rmSync(files.cert);
    await until(() => logged('warn').length === 1);
    expect(logged('warn')[0]).toContain(`the file ${files.cert} does not exist`);
    write({ cert: old.cert });
    await until(() => logged('info').length === 1);
    expect(logged('info')).toEqual(['the certificate can be read again; it is the same']);
    expect([told, certificates.pem.cert]).toEqual([0, old.cert]);
    rmSync(files.cert);
    await until(() => logged('warn').length === 2);
  });

  it('may be longer than others, up to a bound', async () => {
    const { certificates, write, until, logged } = rig();
    await certificates.start();
    const longest = renewed.cert.padEnd(MAX_PEM_OCTETS, '\n');
    write({ cert: longest, key: renewed.key });
    await until(() => certificates.pem.cert === longest);
    write({ cert: `${longest}\n` });
    await until(() => logged('warn').length === 1);
    expect(logged('warn')[0]).toContain(`at most ${MAX_PEM_OCTETS} are read`);
  });

  it('that cannot be used at the start are an error, and nothing is left running', async () => {
    for (const [change, code, what] of [
      [{ key: renewed.key }, 'config-invalid', 'is not the key of the certificate'],
      [{ cert: 'nonsense' }, 'config-invalid', 'holds no certificate'],
      [{ key: 'nonsense' }, 'config-invalid', 'holds no private key'],
    ] as const) {
      const { certificates, write, clock } = rig();
      write(change);
      await expect(certificates.start()).rejects.toMatchObject({ code, message: expect.stringContaining(what) });
      expect(clock.waiting).toBe(0);
    }
    const { certificates, files } = rig();
    rmSync(files.key);
    await expect(certificates.start()).rejects.toMatchObject({
      code: 'config-unreadable',
      message: expect.stringContaining(`the file ${files.key} does not exist`),
    });
  });

  it('are not watched after the stop, which may come twice', async () => {
    const { certificates, write, clock } = rig();
    await certificates.start();
    certificates.stop();
    certificates.stop();
    write(renewed);
    await clock.advance(60_000);
    await settle(20);
    expect([clock.waiting, certificates.pem.cert]).toEqual([0, old.cert]);
  });

  it('are stopped though an attempt is waiting', async () => {
    const { certificates, write, until, logged, clock } = rig();
    await certificates.start();
    write({ key: 'nonsense' });
    await until(() => logged('warn').length === 1);
    certificates.stop();
    expect(clock.waiting).toBe(0);
  });

  it('cannot be had before the start', () => {
    expect(() => rig().certificates.context).toThrow(expect.objectContaining({ code: 'internal' }));
  });
});

describe('a certificate and a key', () => {
  it('are a pair, or it is said which of them is wrong', () => {
    expect(problemOfPair(old)).toBeUndefined();
    expect(problemOfPair({ cert: old.cert + old.ca, key: old.key })).toBeUndefined();
    expect(problemOfPair({ cert: old.cert, key: renewed.key })).toMatchObject({ of: 'key' });
    expect(problemOfPair({ cert: old.key, key: old.key })).toMatchObject({ of: 'cert' });
    expect(problemOfPair({ cert: '', key: '' })).toMatchObject({ of: 'cert' });
  });

  it('a chain in the wrong order is no pair', () => {
    expect(problemOfPair({ cert: old.ca + old.cert, key: old.key })).toMatchObject({
      of: 'key',
      what: expect.stringContaining('the first must be that of this server'),
    });
  });

  it('a key with a passphrase cannot be used', () => {
    const file = join(temporaryFolder(), 'plain.key');
    writeFileSync(file, old.key);
    const encrypted = [
      openssl('pkcs8', '-topk8', '-in', file, '-passout', 'pass:secret'),
      openssl('ec', '-in', file, '-aes128', '-passout', 'pass:secret'),
    ];
    for (const key of encrypted) {
      expect(key).toContain('ENCRYPTED');
      expect(problemOfPair({ cert: old.cert, key })).toMatchObject({
        of: 'key',
        what: expect.stringContaining('is encrypted'),
      });
    }
  });
});
