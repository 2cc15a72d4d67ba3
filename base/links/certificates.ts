import { X509Certificate } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { ConfigurationError, InternalError } from '../../protocol/errors.js';
import type { Clock, Timer } from '../core/clock.js';
import type { Log } from '../core/log.js';
import { readBounded } from '../engine/bounded-file.js';
import { type CertificatePair, MAX_PEM_OCTETS, problemOfPair, secureContextOf } from './certificate-pair.js';
import { WatchedFile } from './watched-file.js';

/** What could not be read is tried again though nothing changes: the cause may have been ours (no file handle left). */
const RETRY_MS = 5_000;

/** Absolute paths. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

export interface CertificatesOptions {
  readonly files: TlsFiles;
  /** How often is looked whether they changed. Default 500 ms. */
  readonly everyMs?: number;
  readonly clock: Clock;
  readonly log: Log;
}

interface Loaded {
  readonly pair: CertificatePair;
  readonly context: SecureContext;
}

/**
 * The certificate and the key of a server, read anew when their files change. Both are read and checked as a pair before
 * they are used; while they are no pair, the ones before stay, and the log says why, once.
 */
export class Certificates {
  readonly #options: CertificatesOptions;
  readonly #watch: WatchedFile;
  readonly #calls = new Set<() => void>();
  #loaded: Loaded | undefined;
  #retry: Timer | undefined;
  #reading: Promise<void> | undefined;
  #isChangedMeanwhile = false;
  #lastTrouble: string | undefined;
  #isStopped = false;

  constructor(options: CertificatesOptions) {
    this.#options = options;
    const { files, clock, everyMs } = options;
    this.#watch = new WatchedFile({
      paths: [files.cert, files.key],
      clock,
      changed: () => this.#reload(),
      ...(everyMs === undefined ? {} : { everyMs }),
    });
  }

  /** For sockets. What it gives may be another after a change: ask for each connection. TLS 1.2 and newer. */
  get context(): SecureContext {
    return this.#current.context;
  }

  /** For servers that make their context themselves. */
  get pem(): CertificatePair {
    return this.#current.pair;
  }

  /**
   * Reads them, and watches them from then on. ConfigurationError: `config-unreadable`, or `config-invalid` when they are
   * no pair. Call it once.
   */
  async start(): Promise<void> {
    await this.#watch.start();
    try {
      this.#use(await this.#read());
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  /** Calls after each change, with the new ones in {@link context} and {@link pem}. Gives what takes that back. */
  onChange(call: () => void): () => void {
    this.#calls.add(call);
    return () => void this.#calls.delete(call);
  }

  /** The ones it has stay; they are watched no more. May be called twice. */
  stop(): void {
    this.#isStopped = true;
    this.#watch.stop();
    this.#retry?.cancel();
    this.#calls.clear();
  }

  get #current(): Loaded {
    if (this.#loaded === undefined) throw new InternalError('internal', 'certificates are asked for before the start');
    return this.#loaded;
  }

  #use(pair: CertificatePair): void {
    this.#loaded = { pair, context: secureContextOf(pair) };
  }

  #reload(): void {
    this.#retry?.cancel();
    this.#isChangedMeanwhile = true;
    this.#reading ??= this.#readAnew().finally(() => {
      this.#reading = undefined;
    });
  }

  async #readAnew(): Promise<void> {
    while (this.#isChangedMeanwhile && !this.#isStopped) {
      this.#isChangedMeanwhile = false;
      await this.#replace();
    }
  }

  async #replace(): Promise<void> {
    const { clock, log, files } = this.#options;
    try {
      const pair = await this.#read();
      if (this.#isStopped) return;
      const wasTrouble = this.#lastTrouble !== undefined;
      this.#lastTrouble = undefined;
      const { cert, key } = this.#current.pair;
      if (pair.cert === cert && pair.key === key) {
        if (wasTrouble) log.info({ cert: files.cert }, 'the certificate can be read again; it is the same');
        return;
      }
      this.#use(pair);
    } catch (error) {
      if (this.#isStopped) return;
      const { message } = error as Error;
      if (message !== this.#lastTrouble) log.warn({}, `the certificate stays as it was: ${message}`);
      this.#lastTrouble = message;
      this.#retry = clock.after(RETRY_MS, () => this.#reload());
      return;
    }
    const { validTo } = new X509Certificate(this.#current.pair.cert);
    log.info({ cert: files.cert, validTo }, 'certificate read anew');
    for (const call of [...this.#calls]) call();
  }

  async #read(): Promise<CertificatePair> {
    const { files } = this.#options;
    const [cert, key] = await Promise.all([readPem(files.cert), readPem(files.key)]);
    const problem = problemOfPair({ cert, key });
    if (problem === undefined) return { cert, key };
    throw new ConfigurationError('config-invalid', `the file ${files[problem.of]} ${problem.what}`);
  }
}

async function readPem(path: string): Promise<string> {
  try {
    return Buffer.from(await readBounded(path, MAX_PEM_OCTETS)).toString('utf8');
  } catch (cause) {
    const why =
      (cause as NodeJS.ErrnoException).code === 'ENOENT'
        ? 'does not exist'
        : `cannot be read: ${(cause as Error).message}`;
    throw new ConfigurationError('config-unreadable', `the file ${path} ${why}`, { cause });
  }
}
