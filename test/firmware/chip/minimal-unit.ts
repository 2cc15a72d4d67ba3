import { defineUnit, u8, u16 } from '../../../protocol/definition/index.js';

/** The least that a unit can be and still have all of a session: one report, one command. */
export const minimalUnit = defineUnit({
  name: 'minimal',
  version: '1.0.0',
  kind: 'read',
  reports: { value: { number: 2, fields: { level: u16({ max: 1023 }) } } },
  commands: { set: { number: 1, fields: { level: u8({ max: 100 }) } } },
});
