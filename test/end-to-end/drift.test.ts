import { expect, test } from 'vitest';
import { loadDefinitions } from '../../base/config/definitions.js';
import { defineUnit, rgb, u8 } from '../../protocol/definition/index.js';
import { eventually, known, startFirmware, startHouse } from './support/house.js';

test('a definition changed after flashing: each difference is named by field, equal messages keep flowing, others are refused', async () => {
  const lamp = await startFirmware('led-lamp');
  const definitions = new Map(await loadDefinitions());
  const changed = defineUnit({
    name: 'led-lamp',
    version: '1.1.0',
    kind: 'updatable',
    commands: {
      setColor: { number: 1, fields: { color: rgb() } },
      fade: { number: 2, fields: { color: rgb(), durationMs: u8({ unit: 'ms' }) } },
      blink: { number: 4 },
    },
    reports: { state: { number: 3, fields: { color: rgb(), brightness: u8({ unit: '%', max: 100 }) } } },
  });
  definitions.set('led-lamp', { definition: changed, file: 'units/led-lamp.ts' });
  const { base, log } = await startHouse({ name: 'test', units: { known: known(lamp) } }, definitions);
  const send = (command: string, fields: object) =>
    base.router.command({ id: command, unit: 'led-lamp', command, fields: { ...fields }, source: 'test' });

  expect(await send('setColor', { color: '#0a0b0c' })).toMatchObject({ outcome: 'ok' });
  expect(await send('fade', { color: '#0a0b0c' })).toMatchObject({
    outcome: 'refused',
    reason: expect.stringMatching(/flash/),
  });
  expect(await send('blink', {})).toMatchObject({ outcome: 'refused', reason: expect.stringMatching(/flash/) });
  expect(base.router.get('led-lamp')?.drift).toEqual([
    'fade.durationMs is u16[ms,0..60000] there, u8[ms] here',
    'command blink is missing there',
  ]);
  await eventually('the equal report', () => base.router.get('led-lamp')?.last.state?.fields.color === '#0a0b0c');
  const said = log.find(({ message }) => message.startsWith('led-lamp runs led-lamp 1.0.0'));
  expect(said?.message).toMatch(/fade\.durationMs is u16.*Regenerate and flash/);
});
