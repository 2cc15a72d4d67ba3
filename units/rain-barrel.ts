import {
  bool,
  bytes,
  defineUnit,
  f32,
  i8,
  i16,
  i32,
  list,
  oneOf,
  rgb,
  text,
  u8,
  u16,
  u32,
} from '../protocol/definition/index.js';

/** A water barrel with a pump, a valve and a status light. Between them its messages use every field type. */
export default defineUnit({
  name: 'rain-barrel',
  version: '1.0.0',
  kind: 'read',
  description: 'Measures the water in a barrel, waters the garden on command',
  commands: {
    water: {
      number: 1,
      fields: {
        mode: oneOf(['drip', 'normal', 'flood'], { default: 'normal' }),
        litres: f32({ unit: 'l', min: 0, max: 200, default: 5, decimals: 1 }),
        beds: list(u8({ max: 15 }), 8),
      },
      reply: { startedAt: u32({ unit: 's' }), queue: u8({ max: 4 }) },
      timeoutMs: 10_000,
      description: 'Water these beds, one after the other; no beds: all',
    },
    stop: { number: 2, description: 'Close the valve and empty the queue' },
    configure: {
      number: 3,
      fields: {
        label: text(32, { default: 'barrel' }),
        light: rgb({ default: '#00ff00' }),
        calibration: bytes(16),
        offset: i16({ unit: 'mm', min: -500, max: 500 }),
        enabled: bool({ default: true }),
      },
    },
  },
  reports: {
    level: {
      number: 10,
      everyMs: 5_000,
      fields: {
        litres: f32({ unit: 'l', min: 0, max: 200, decimals: 1 }),
        waterTemperature: i8({ unit: '°C', min: -20, max: 60 }),
        flow: list(f32({ unit: 'l/min', min: 0, max: 50, decimals: 2 }), 4),
      },
    },
    valve: {
      number: 11,
      fields: {
        isOpen: bool(),
        mode: oneOf(['drip', 'normal', 'flood', 'off'], { default: 'off' }),
        runs: u32(),
        balance: i32({ unit: 'ml' }),
        lastMs: u16({ unit: 'ms' }),
        note: text(48),
      },
    },
  },
});
