import { describe, expect, test } from 'vitest';
import type { ServedUnit } from '../../../base/dialects/handler.js';
import { descriptorOf, fingerprintOctets } from '../../../protocol/definition/index.js';
import { fromHex, toHex } from '../../../protocol/octets.js';
import { decodeHelloAnswer } from '../../../protocol/unit/system-messages.js';
import thermometer from '../../../units/thermometer.js';
import { settle } from '../../support/manual-clock.js';
import type { ScriptOptions } from './scripted-unit.js';
import { hall, serving, unitOf } from './unit-rig.js';

describe('the opening', () => {
  test('a unit that proves itself and says hello is online; nothing was sent to it before', async () => {
    const base = await serving(hall);
    const unit = unitOf(base, hall);
    await unit.prove();
    await settle();
    expect(unit.heard()).toEqual([]);
    unit.send({ kind: 'ping' });
    await settle();
    expect(unit.heard()).toEqual([{ kind: 'pong' }]);
    expect(base.presence()).toEqual([]);
    unit.hello();
    await settle();
    const [answer] = unit.heard();
    expect(answer).toMatchObject({ kind: 'response', code: 0 });
    expect(answer?.kind === 'response' && decodeHelloAnswer(answer.payload.data)).toEqual({
      fingerprint: fingerprintOctets(descriptorOf(thermometer)),
      timeMs: base.clock.now(),
      acknowledged: 0,
      waiting: 0,
      udpPort: 0,
    });
    expect(base.presence()).toEqual(['online']);
    expect(base.router.get('hall')).toMatchObject({ version: '1.0.0', state: 'online' });
  });

  test.each<[string, ServedUnit, Partial<ScriptOptions>, string]>([
    ['a wrong key', hall, { key: new Uint8Array(16) }, 'offline: unit "hall" does not have the key configured for it'],
    [
      'another UID than the one configured there',
      hall,
      { uid: 'cellar' },
      'offline: at 10.0.0.1:8888 is unit "cellar", not "hall"; correct the address or the name',
    ],
  ])('%s: refused, nothing learnt, said once, tried again after 5 min', async (_, served, options, presence) => {
    const base = await serving(served);
    const unit = unitOf(base, served, options);
    expect(await unit.prove()).toBe(false);
    await settle();
    expect(unit.peer.isDestroyed).toBe(true);
    expect(base.presence()).toEqual([presence]);
    expect(base.warnings()).toHaveLength(1);
    await base.clock.advance(299_000);
    expect(base.dialled).toHaveLength(1);
    await base.clock.advance(1_000);
    expect(base.dialled).toHaveLength(2);
    await unitOf(base, served, options).prove();
    await settle();
    expect(base.warnings()).toHaveLength(1);
  });

  test.each([
    ['says nothing', ''],
    ['stops inside its initiation', '0103'],
    ['stops after its initiation', '01030000'],
    ['stops inside its proof', '01030000', '00'.repeat(63)],
  ])('a unit that %s is given 5 s', async (_, ...pieces) => {
    const base = await serving(hall);
    const { peer } = base.dialled[0]!;
    for (const piece of pieces) {
      peer.write(fromHex(piece));
      await settle();
    }
    await base.clock.advance(4_999);
    expect(peer.isDestroyed).toBe(false);
    await base.clock.advance(1);
    expect(peer.isDestroyed).toBe(true);
    expect(base.presence()[0]).toMatch(/^offline: the unit did not .* within 5 s$/);
  });

  test('a unit that proves itself and says no hello is given 5 s', async () => {
    const base = await serving(hall);
    const unit = unitOf(base, hall);
    await unit.prove();
    await base.clock.advance(5_000);
    expect(base.presence()).toEqual(['offline: the unit did not say hello within 5 s']);
  });

  test('a unit that always has one more hello to say is given 20 s in all', async () => {
    const base = await serving(hall);
    base.router.hello({ uid: 'hall', boot: 900, nonce: 1, version: '1' });
    const unit = unitOf(base, hall);
    await unit.prove();
    for (let second = 0; second < 18; second += 3) {
      unit.hello({ boot: 3 });
      await base.clock.advance(3_000);
    }
    unit.hello({ boot: 3 });
    await base.clock.advance(1_999);
    expect(unit.peer.isDestroyed).toBe(false);
    await base.clock.advance(1);
    expect(base.presence()).toEqual(['offline: the opening was not over within 20 s']);
  });

  test('an endless initiation keeps nothing', async () => {
    const base = await serving(hall);
    const { peer } = base.dialled[0]!;
    peer.write(new Uint8Array(1_000_000).fill(0xff));
    await settle();
    expect(toHex(peer.octets)).toBe('0000');
    expect(peer.isDestroyed).toBe(true);
  });
});
