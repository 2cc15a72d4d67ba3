import { defineUnit, f32 } from '../protocol/definition/index.js';

/** Measures temperature and humidity and tells the base every two seconds. */
export default defineUnit({
  name: 'thermometer',
  version: '1.0.0',
  kind: 'read',
  description: 'Temperature and humidity of a room',
  reports: {
    reading: {
      number: 1,
      everyMs: 2_000,
      fields: {
        temperature: f32({ unit: '°C', min: -40, max: 85, decimals: 1 }),
        humidity: f32({ unit: '%', min: 0, max: 100, decimals: 1 }),
      },
    },
  },
});
