import { describe, expect, it } from 'vitest';
import type { Carrier } from '../../base/links/carrier.js';
import { TcpDialer } from '../../base/links/tcp-dialer.js';
import { nodeCrypto, systemClock, systemRandom } from '../../base/system.js';
import { closeCodes } from '../../protocol/iotsocket/transmission.js';
import { UnitConnection } from '../../simulator/unit-connection.js';
import { HEARD_MS, MAX_WAITING, UnitLinks } from '../../simulator/unit-links.js';
import rainBarrel from '../../units/rain-barrel.js';
import { ManualClock, settle } from '../support/manual-clock.js';
import { KEY } from './support/dialled-unit.js';
import { type PipeEnd, pipe } from './support/pipe.js';
import { RawBase } from './support/raw-base.js';
import { startBase, startUnits, stopAfterEach } from './support/running.js';
import { soon } from './support/soon.js';

stopAfterEach();

describe('a unit that one base holds', () => {
  it('tells a second base 02 and goes on with the first', async () => {
    const fleet = await startUnits({ definition: rainBarrel });
    const first = await startBase(fleet.believed());
    await soon(() => expect(first.state('rain-barrel-1')).toBe('online'));
    const second = await startBase(fleet.believed());
    await soon(() => expect(second.router.get('rain-barrel-1')?.reason).toBe('another base holds the unit'));
    expect(await first.command('rain-barrel-1', 'stop')).toMatchObject({ outcome: 'ok' });
    expect(await second.command('rain-barrel-1', 'stop')).toMatchObject({ outcome: 'unreachable' });
    expect(fleet.of('connected')).toHaveLength(1);
  });

  it('serves the second when the first has gone', async () => {
    const fleet = await startUnits({ definition: rainBarrel });
    const first = await startBase(fleet.believed());
    await soon(() => expect(first.state('rain-barrel-1')).toBe('online'));
    await first.stop();
    const second = await startBase(fleet.believed());
    await soon(() => expect(second.state('rain-barrel-1')).toBe('online'));
    expect(fleet.of('disconnected')).toHaveLength(1);
  });

  it('is not blocked by one that connects and leaves without a word', async () => {
    const fleet = await startUnits({ definition: rainBarrel });
    const address = fleet.units[0]!.address!;
    const dialer = new TcpDialer(systemClock);
    const signal = new AbortController().signal;
    const mute: Carrier[] = [];
    for (let count = 0; count < 3; count += 1) mute.push(await dialer.dial(address, signal));
    for (const carrier of mute) carrier.destroy();
    const base = await startBase(fleet.believed());
    await soon(() => expect(base.state('rain-barrel-1')).toBe('online'));
  });
});

describe('the links of a unit', () => {
  function bench() {
    const clock = new ManualClock();
    let nowMs = 0;
    const up: UnitConnection[] = [];
    const down: UnitConnection[] = [];
    const links = new UnitLinks({
      connect: (carrier) => {
        const connection: UnitConnection = new UnitConnection({
          carrier,
          uid: 'unit-1',
          key: KEY,
          crypto: nodeCrypto(systemRandom),
          clock,
          openingMs: 5_000,
          events: {
            proved: () => links.proved(connection),
            request: () => {},
            response: () => {},
            closed: (error) => links.closed(connection, error),
          },
        });
        return connection;
      },
      monotonic: () => nowMs,
      linkUp: (connection) => up.push(connection),
      linkDown: (connection) => down.push(connection),
    });
    const offer = (): PipeEnd => {
      const ends = pipe();
      links.offer(ends.unit);
      return ends.base;
    };
    const laterMs = (ms: number): void => {
      nowMs = ms;
    };
    return { links, clock, up, down, offer, laterMs };
  }

  it('close the first with A1 when it was not heard for 60 s, and keep the second', async () => {
    const { links, up, down, offer, laterMs } = bench();
    const first = new RawBase(offer(), KEY);
    await settle();
    laterMs(HEARD_MS);
    const second = new RawBase(offer(), KEY);
    await settle();
    expect(first.closeCode).toBe(closeCodes.freeingResources);
    expect(second.closeCode).toBeUndefined();
    expect(links.link).toBe(up[1]);
    expect(down).toEqual([up[0]]);
    expect(links.size).toBe(1);
  });

  it('keep the first that was heard a moment less than 60 s ago', async () => {
    const { links, up, offer, laterMs } = bench();
    const first = new RawBase(offer(), KEY);
    await settle();
    laterMs(HEARD_MS - 1);
    const second = new RawBase(offer(), KEY);
    await settle();
    expect(second.closeCode).toBe(closeCodes.tooMuchLoad);
    expect(first.closeCode).toBeUndefined();
    expect(up).toHaveLength(1);
    expect(links.size).toBe(1);
  });

  it('let one prove itself at a time, 5 s long; four more wait, and one past them is cut', async () => {
    const { clock, up, offer, links } = bench();
    const stranger = offer();
    stranger.attach({ octets: () => {}, drained: () => {}, ended: () => {}, closed: () => {} });
    const waiting = Array.from({ length: MAX_WAITING }, () => offer());
    const onePast = offer();
    await settle();
    expect(onePast.isClosed).toBe(true);
    expect(links.size).toBe(1 + MAX_WAITING);
    const base = new RawBase(waiting[0]!, KEY);
    await clock.advance(4_999);
    expect(up).toHaveLength(0);
    await clock.advance(1);
    expect(stranger.isClosed).toBe(true);
    expect(up).toHaveLength(1);
    expect(base.isClosed).toBe(false);
  });
});
