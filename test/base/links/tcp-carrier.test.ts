import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Carrier } from '../../../base/links/carrier.js';
import { TcpCarrier } from '../../../base/links/tcp-carrier.js';
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

/** Names of the calls of the system that write to a socket, as they are made. */
function writesOf(socket: Socket): string[] {
  const calls: string[] = [];
  const { _handle: handle } = socket as unknown as { _handle: Record<string, (...given: unknown[]) => unknown> };
  for (const name of ['writev', 'writeBuffer']) {
    const write = handle[name]!;
    handle[name] = (...given) => {
      calls.push(name);
      return write.apply(handle, given);
    };
  }
  return calls;
}

test('several buffers go out in one write, in their order', async () => {
  const accepted = once(server, 'connection');
  const socket = connect((server.address() as { port: number }).port, '127.0.0.1');
  await once(socket, 'connect');
  const [end] = (await accepted) as [Socket];
  onTestFinished(() => void [socket, end].map((each) => each.destroy()));
  const several = new TcpCarrier(socket, 'there');
  new Heard().attach(several);
  const calls = writesOf(socket);
  const parts = Array.from({ length: 200 }, (_, index) => Uint8Array.of(index, index));
  expect(several.writeAll(parts)).toBe(true);
  expect(calls).toEqual(['writev']);
  several.writeAll([Uint8Array.of(201)]);
  several.writeAll([]);
  several.write(Uint8Array.of(202));
  expect(calls).toEqual(['writev', 'writeBuffer', 'writeBuffer']);
  const chunks: Uint8Array[] = [];
  end.on('data', (chunk) => void chunks.push(chunk));
  several.end();
  await once(end, 'end');
  expect(toHex(concat(...chunks))).toBe(toHex(concat(...parts, Uint8Array.of(201, 202))));
  end.end();
});

test('several buffers that a peer does not take: writeAll says so, and all of them come, in order, when it takes again', async () => {
  const heard = new Heard().attach(carrier);
  peer.pause();
  const BLOCK = 64 * 1024;
  let number = 0;
  /** Each of its octets is its number. */
  const next = (): Uint8Array => new Uint8Array(BLOCK).fill(number++);
  while (carrier.buffered === 0 && number < 1_000) carrier.writeAll([next(), next()]);
  expect(carrier.buffered).toBeGreaterThan(0);
  const before = carrier.buffered;
  expect(carrier.writeAll([next(), next(), next()])).toBe(false);
  expect(carrier.write(next())).toBe(false);
  expect(carrier.buffered).toBe(before + 4 * BLOCK);
  expect(heard.events).toEqual([]);
  let position = 0;
  let isInOrder = true;
  peer.on('data', (chunk: Uint8Array) => {
    for (const octet of chunk) {
      if (octet !== (Math.floor(position / BLOCK) & 0xff)) isInOrder = false;
      position += 1;
    }
  });
  peer.resume();
  while (position < number * BLOCK) await new Promise((resolve) => setImmediate(resolve));
  while (!heard.events.includes('drained')) await new Promise((resolve) => setImmediate(resolve));
  expect([isInOrder, position, carrier.buffered, heard.events]).toEqual([true, number * BLOCK, 0, ['drained']]);
});

test('a carrier that is gone takes nothing of several buffers', async () => {
  const heard = new Heard().attach(carrier);
  carrier.destroy();
  await heard.end;
  expect([carrier.writeAll([Uint8Array.of(1), Uint8Array.of(2)]), carrier.buffered]).toEqual([false, 0]);
});
