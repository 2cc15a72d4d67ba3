import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type SelfChecked, selfCheck } from '../../base/self-check.js';
import { Watchdog } from '../../base/watchdog.js';
import { ManualClock, settle } from '../support/manual-clock.js';
import { QuietLog } from '../support/quiet-log.js';

const never = (): Promise<void> => new Promise(() => {});
const handler = (name: string, state: 'running' | 'failed' | 'ended') => ({
  name,
  state,
  faults: 0,
  counts: {},
  gauges: {},
});

function checked(own: Partial<SelfChecked> = {}): SelfChecked {
  return {
    apiUrl: undefined,
    probeStore: async () => {},
    status: () => ({ handlers: [handler('unit', 'running')] }),
    ...own,
  };
}

describe('the check that goes through the base', () => {
  const signal = (): AbortSignal => new AbortController().signal;

  test('is content with a store that answers, handlers that run, and an API that answers anything', async () => {
    const server = createServer((_request, response) => void response.writeHead(503).end('busy'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await selfCheck(checked({ apiUrl }), signal());
  });

  test('takes a connection that is cut for an answer, and one that is refused for none', async () => {
    const server = createTcpServer((socket) => void socket.resetAndDestroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await selfCheck(checked({ apiUrl }), signal());
    await new Promise((resolve) => server.close(resolve));
    await expect(selfCheck(checked({ apiUrl }), signal())).rejects.toThrow(/^the HTTP API failed: .*ECONNREFUSED/);
  });

  test('names a store that fails, and one that hangs once the signal aborts', async () => {
    const broken = checked({ probeStore: () => Promise.reject(new Error('the disk is gone')) });
    await expect(selfCheck(broken, signal())).rejects.toThrow('the store failed: the disk is gone');
    const abort = new AbortController();
    const hanging = selfCheck(checked({ probeStore: never }), abort.signal);
    abort.abort();
    await expect(hanging).rejects.toThrow('the store did not answer in time');
  });

  test('names an API that accepts and does not answer', async () => {
    const server = createTcpServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const abort = new AbortController();
    const hanging = selfCheck(checked({ apiUrl }), abort.signal);
    setImmediate(() => abort.abort());
    await expect(hanging).rejects.toThrow('the HTTP API did not answer in time');
  });

  test('names a handler of ours that ended; one of the user’s is contained, and no reason', async () => {
    const handlers = [handler('unit', 'running'), handler('iotsocket', 'failed'), handler('mine', 'failed')];
    await expect(selfCheck(checked({ status: () => ({ handlers }) }), signal())).rejects.toThrow(
      'the handlers failed: iotsocket is failed',
    );
    await selfCheck(
      checked({ status: () => ({ handlers: handlers.filter(({ name }) => name !== 'iotsocket') }) }),
      signal(),
    );
  });
});

describe('the watchdog', () => {
  function rig(check: (signal: AbortSignal) => Promise<void>) {
    const clock = new ManualClock();
    const log = new QuietLog();
    const told: number[] = [];
    const isWell = async (): Promise<void> => void told.push(clock.monotonic());
    const watchdog = new Watchdog({ withinMs: 30_000, check, isWell, clock, log });
    return { clock, log, told, watchdog };
  }

  test('tells after each check, three in the time within which one must succeed', async () => {
    const { clock, told, watchdog } = rig(async () => {});
    watchdog.start();
    await clock.advance(29_999);
    expect(told).toEqual([0, 10_000, 20_000]);
    watchdog.stop();
    watchdog.stop();
    await clock.advance(60_000);
    expect(told.length).toBe(3);
    expect(clock.waiting).toBe(0);
  });

  test('tells nothing while the check hangs, says why, and goes on when it does not any more', async () => {
    let isHanging = true;
    const { clock, log, told, watchdog } = rig((signal) =>
      isHanging
        ? new Promise((_resolve, reject) =>
            signal.addEventListener('abort', () => reject(new Error('the store hangs'))),
          )
        : Promise.resolve(),
    );
    watchdog.start();
    await clock.advance(9_999);
    expect(log.lines).toEqual([]);
    await clock.advance(20_001);
    expect(told).toEqual([]);
    expect(log.lines[0]).toMatchObject({ level: 'error', fields: { why: 'the store hangs' } });
    isHanging = false;
    await clock.advance(10_000);
    expect(told.length).toBeGreaterThan(0);
    expect(log.lines.at(-1)).toMatchObject({ level: 'info', message: 'the base is well again' });
    watchdog.stop();
    await settle();
    expect(clock.waiting).toBe(0);
  });
});
