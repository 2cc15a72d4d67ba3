import {
  descriptorOf,
  fingerprintOctets,
  type MessageDefinition,
  messagesOf,
  type UnitDefinition,
} from '../protocol/definition/index.js';

/** What all units of one definition share. */
export interface UnitModel {
  readonly definition: UnitDefinition;
  /** The descriptor's octets. */
  readonly descriptor: Uint8Array;
  readonly fingerprint: Uint8Array;
  readonly messages: ReadonlyMap<number, MessageDefinition>;
}

export function unitModel(definition: UnitDefinition): UnitModel {
  const descriptor = descriptorOf(definition);
  return {
    definition,
    descriptor: new TextEncoder().encode(descriptor),
    fingerprint: fingerprintOctets(descriptor),
    messages: new Map(messagesOf(definition).map((message) => [message.number, message])),
  };
}
