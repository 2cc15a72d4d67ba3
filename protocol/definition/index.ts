/** What a user's definition needs, and what is derived from it. */
export { type Decoded, decodeFields, type Encoded, encodeFields, type FieldRefusal, type Values } from './codec.js';
export { compareDescriptors, type Drift } from './compare.js';
export {
  type Board,
  boards,
  type CommandDefinition,
  type CommandOf,
  defineUnit,
  type Fields,
  type ReplyOf,
  type ReportDefinition,
  type ReportOf,
  type UnitDefinition,
  type UnitOptions,
} from './define-unit.js';
export { DefinitionError, type DefinitionProblem } from './definition-error.js';
export { descriptorOf } from './descriptor.js';
export {
  bool,
  bytes,
  type FieldType,
  type FieldValue,
  f32,
  i8,
  i16,
  i32,
  integerTypes,
  list,
  oneOf,
  rgb,
  text,
  u8,
  u16,
  u32,
  type ValueOf,
} from './field-types.js';
export { FINGERPRINT_OCTETS, fingerprintOctets, fingerprintOf } from './fingerprint.js';
export { layoutOf, maxOctetsOf, octetsOf, octetsOfFields } from './layout.js';
export { type MessageDefinition, messageByNumber, messagesOf } from './messages.js';
export { type Refusal, type RefusalCode, refusalOf } from './value-check.js';
