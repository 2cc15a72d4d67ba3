import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Carrier } from '../../../base/links/carrier.js';
import { TcpDialer } from '../../../base/links/tcp-dialer.js';
import { concat, toHex } from '../../../protocol/octets.js';
import { ManualClock } from '../../support/manual-clock.js';

let server: Server;
let carrier: Carrier;
let peer: Socket;

/** What a carrier told its sink, and a promise for its end. */
class Heard {
  readonly events: string[] = [];
  octets = new Uint8Array(0);
  closed!: (error?: Error) => void;
  readonly end = new Promise<Error | undefined>((resolve) => {
    this.closed = resolve;
  });
  attach(to: Carrier): this {
    to.attach({
      octets: (chunk) => {
        this.octets = concat(this.octets, chunk) as Uint8Array<ArrayBuffer>;
      },
      drained: () => void this.events.push('drained'),
      ended: () => void this.events.push('ended'),
      closed: (error) => {
        this.events.push('closed');
        this.closed(error);
      },
    });
    return this;
  }
}

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const accepted = once(server, 'connection');
  carrier = await new TcpDialer(new ManualClock()).dial({ host: '127.0.0.1', port }, new AbortController().signal);
  [peer] = (await accepted) as [Socket];
  peer.on('error', () => {});
});
afterEach(async () => {
  carrier.destroy();
  peer.destroy();
  await new Promise((resolve) => server.close(resolve));
});

test('octets go both ways; what came before attach is not lost', async () => {
  peer.write(Uint8Array.of(1, 2));
  const heard = new Heard().attach(carrier);
  carrier.write(Uint8Array.of(9));
  const [chunk] = (await once(peer, 'data')) as [Uint8Array];
  expect(toHex(chunk)).toBe('09');
  peer.end(Uint8Array.of(3));
  peer.resume();
  carrier.end();
  expect(await heard.end).toBeUndefined();
  expect(toHex(heard.octets)).toBe('010203');
  expect(heard.events).toEqual(['ended', 'closed']);
});

test('half-close: the peer hears the end and may still answer', async () => {
  const heard = new Heard().attach(carrier);
  carrier.write(Uint8Array.of(7));
  carrier.end();
  peer.resume();
  await once(peer, 'end');
  peer.end(Uint8Array.of(8));
  expect(await heard.end).toBeUndefined();
  expect(toHex(heard.octets)).toBe('08');
});

test('a reset is told as an error', async () => {
  const heard = new Heard().attach(carrier);
  peer.resetAndDestroy();
  expect(await heard.end).toBeInstanceOf(Error);
  expect(heard.events).toEqual(['closed']);
});

test('a reset before anybody listens harms nobody, and is told to whoever attaches', async () => {
  peer.resetAndDestroy();
  await once(peer, 'close');
  const heard = new Heard().attach(carrier);
  await heard.end;
  expect(heard.events.filter((event) => event === 'closed')).toHaveLength(1);
});

test('destroy: closed follows once without an error, also when called twice; writes are then refused', async () => {
  const heard = new Heard().attach(carrier);
  carrier.destroy();
  carrier.destroy();
  expect(await heard.end).toBeUndefined();
  expect(carrier.write(Uint8Array.of(1))).toBe(false);
  expect(heard.events).toEqual(['closed']);
});

test('a peer that takes nothing: write says so, buffered counts, drained follows when it takes again', async () => {
  const heard = new Heard().attach(carrier);
  peer.pause();
  const block = new Uint8Array(256 * 1024);
  let sent = 0;
  while (sent < 64 && carrier.write(block)) sent += 1;
  expect(carrier.buffered).toBeGreaterThan(0);
  peer.resume();
  while (!heard.events.includes('drained')) await new Promise((resolve) => setImmediate(resolve));
  expect(carrier.buffered).toBe(0);
});
