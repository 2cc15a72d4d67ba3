import type { UnitDefinition } from '../protocol/definition/index.js';
import { budgetsOf, type Share } from './budget.js';
import { type MessageSize, messageSizes } from './transmissions.js';

/** Octets that firmware takes of a memory, and may take of it. */
export type MemorySize = Pick<Share, 'octets' | 'limit'>;

/** What `baseunit generate` tells of a unit. */
export interface UnitSizes {
  readonly unit: string;
  readonly boards: readonly { readonly board: string; readonly ram: MemorySize; readonly flash: MemorySize }[];
  readonly messages: readonly MessageSize[];
}

export function unitSizes(definition: UnitDefinition): UnitSizes {
  const sizeOf = ({ octets, limit }: Share): MemorySize => ({ octets, limit });
  return {
    unit: definition.name,
    boards: budgetsOf(definition).map(({ board, ram, flash }) => ({ board, ram: sizeOf(ram), flash: sizeOf(flash) })),
    messages: messageSizes(definition),
  };
}
