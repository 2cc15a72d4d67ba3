import { defineUnit, rgb, u8, u16 } from '../protocol/definition/index.js';

/** A lamp whose colour can be set or faded to; it reports the colour it shows. */
export default defineUnit({
  name: 'led-lamp',
  version: '1.0.0',
  kind: 'updatable',
  description: 'A strip of coloured light-emitting diodes',
  commands: {
    setColor: { number: 1, fields: { color: rgb() }, description: 'Show this colour at once' },
    fade: {
      number: 2,
      fields: { color: rgb(), durationMs: u16({ unit: 'ms', max: 60_000, default: 1_000 }) },
      description: 'Change to this colour little by little',
    },
  },
  reports: {
    state: { number: 3, fields: { color: rgb(), brightness: u8({ unit: '%', max: 100, default: 100 }) } },
  },
});
