import { createHmac } from 'node:crypto';
import { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import { defaultIotsocketLimits, type IotsocketLimits } from '../../../../base/dialects/iotsocket/iotsocket-limits.js';
import type { RedirectOptions } from '../../../../base/dialects/iotsocket/iotsocket-options.js';
import { Openings } from '../../../../base/dialects/iotsocket/openings.js';
import { CENTRAL_KEY as CENTRAL, Peer } from '../../../../base/dialects/iotsocket/peer.js';
import type { OpenedStream } from '../../../../base/dialects/iotsocket/sessions.js';
import { nodeCrypto, systemRandom } from '../../../../base/system.js';
import { ManualClock, settle } from '../../../support/manual-clock.js';
import { QuietLog } from '../../../support/quiet-log.js';
import { CENTRAL_KEY, KEY, uidHex } from './octet-peer.js';

/** The concentrator's end of a connection without a network: what it writes is kept, what it is sent it reads in that call. */
export class MemoryStream extends Duplex {
  /** In hexadecimal digits. */
  written = '';
  /** Each time, how many octets. */
  readonly writes: number[] = [];

  /** Octets of the client. */
  send(hex: string): void {
    this.push(Buffer.from(hex, 'hex'));
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written += chunk.toString('hex');
    this.writes.push(chunk.length);
    done();
  }

  /** What the concentrator has written, and whether it ended the connection: `…`: it goes on. */
  get state(): string {
    const isOver = this.destroyed || this.writableEnded;
    return `${this.written}${isOver ? '' : '…'}`;
  }

  get challenge(): string {
    return this.written.slice(4, 36);
  }
}

export interface OpeningRigOptions {
  readonly objects?: readonly string[];
  readonly limits?: Partial<IotsocketLimits>;
  readonly redirect?: RedirectOptions;
  readonly allowPlaintext?: boolean;
  readonly secureContext?: SecureContext;
  /** 16 octets, in hexadecimal digits; else others each time. */
  readonly challenge?: string;
}

const group = { telemetry: false, telemetryTokenLifeMs: 0, pingAfterMs: 15_000, deadAfterMs: 45_000 };

/** Openings without sockets and without sessions behind them, on a clock that is advanced by hand. */
export class OpeningRig {
  readonly clock = new ManualClock();
  readonly log = new QuietLog();
  readonly opened: (OpenedStream & { readonly uid: string })[] = [];
  readonly openings: Openings;
  readonly peers = new Map<string, Peer>();
  /** How many sessions there are said to be. */
  sessions = 0;
  /** How often a proof was computed. */
  proofs = 0;

  constructor(options: OpeningRigOptions = {}) {
    const { objects = ['ObjTest'], limits = {}, redirect, allowPlaintext = false, secureContext, challenge } = options;
    const peers = [new Peer('', CENTRAL_KEY, group), ...objects.map((uid) => new Peer(uid, KEY, group))];
    for (const peer of peers) this.peers.set(peer.key, peer);
    const crypto = nodeCrypto(systemRandom);
    this.openings = new Openings({
      limits: { ...defaultIotsocketLimits, ...limits },
      crypto: {
        hmac: (key, message) => {
          this.proofs += 1;
          return crypto.hmac(key, message);
        },
        random: (count) => (challenge === undefined ? crypto.random(count) : Buffer.from(challenge, 'hex')),
      },
      secureContext: () => secureContext,
      redirect,
      allowPlaintext,
      find: (key) => this.peers.get(key),
      sessions: () => this.sessions,
      open: (peer, opened) => void this.opened.push({ ...opened, uid: peer.uid }),
      clock: this.clock,
      log: this.log,
    });
    this.openings.start();
  }

  get central(): Peer {
    return this.peers.get(CENTRAL)!;
  }

  connect(address = '192.168.1.2', isTlsBelow = false): MemoryStream {
    const stream = new MemoryStream();
    this.openings.take(stream, address, isTlsBelow);
    return stream;
  }

  /** As far as the challenge. */
  async challenged(address?: string, initiation = '01000000'): Promise<MemoryStream> {
    const stream = this.connect(address);
    await settle();
    stream.send(initiation);
    await settle();
    if (!/^8000[0-9a-f]{32}$/.test(stream.written)) throw new Error(`the initiation was answered ${stream.state}`);
    return stream;
  }

  /** A login, as far as it is answered at once: `in`, or what was written after the challenge. */
  async login(uid: string, options: { key?: Uint8Array; address?: string; initiation?: string } = {}): Promise<string> {
    const stream = await this.challenged(options.address, options.initiation);
    const before = this.opened.length;
    stream.send(loginHex(uid, stream.challenge, options.key));
    await settle();
    return this.opened.length > before ? 'in' : stream.state.slice(36);
  }
}

/** The answer to a challenge, in hexadecimal digits. */
export function loginHex(uid: string, challenge: string, key: Uint8Array = KEY): string {
  const proof = createHmac('sha256', key).update(Buffer.from(challenge, 'hex')).digest('hex');
  return `${uidHex(uid)}${proof}`;
}
