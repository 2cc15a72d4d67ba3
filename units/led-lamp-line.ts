import { defineUnit, rgb } from '../protocol/definition/index.js';

/** The original lamp: a colour on a line, no answer, no key, no proof. */
export default defineUnit({
  name: 'led-lamp-line',
  version: '1.0.0',
  kind: 'updatable',
  wire: 'line',
  boards: ['nodemcuv2', 'd1_mini', 'uno'],
  description: 'The original lamp, commanded with one line of text',
  commands: {
    setColor: { number: 1, fields: { color: rgb() } },
  },
});
