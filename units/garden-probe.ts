import { bool, defineUnit, f32, u8 } from '../protocol/definition/index.js';

/** Stands in a flower bed, on a battery: wakes every ten minutes, measures, tells the base, and sleeps again. */
export default defineUnit({
  name: 'garden-probe',
  version: '1.0.0',
  kind: 'read',
  sleep: '10 min',
  description: 'Moisture of the soil, measured on a battery',
  commands: {
    setDryBelow: {
      number: 1,
      fields: { dryBelow: u8({ unit: '%', max: 100, default: 30 }) },
      description: 'From now on the soil is dry below so much moisture',
    },
  },
  reports: {
    soil: {
      number: 2,
      everyMs: 600_000,
      fields: {
        moisture: u8({ unit: '%', max: 100 }),
        battery: f32({ unit: 'V', min: 0, max: 6, decimals: 2 }),
        isDry: bool(),
      },
    },
  },
});
