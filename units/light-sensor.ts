import { defineUnit, u16 } from '../protocol/definition/index.js';

/** The original light sensor: a bare number a line, once a second. Readable with telnet, no key, no proof. */
export default defineUnit({
  name: 'light-sensor',
  version: '1.0.0',
  kind: 'read',
  wire: 'line',
  boards: ['nodemcuv2', 'd1_mini', 'uno'],
  description: 'Ambient light at the analogue input, 0 (dark) to 1023 (bright)',
  reports: {
    light: { number: 1, everyMs: 1_000, fields: { level: u16({ max: 1023 }) } },
  },
});
