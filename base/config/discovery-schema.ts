import type { z } from 'zod';
import type { DiscoveryConfiguration } from './configuration.js';
import type { Definitions } from './definitions.js';
import { flag, section, text } from './schema-fields.js';

/** Linux: IFNAMSIZ is 16 with the octet that ends it. */
const MAX_INTERFACE_CHARACTERS = 15;

/** `discovery`. */
export function discoverySection() {
  return section({ interface: text('"eth0"', MAX_INTERFACE_CHARACTERS).optional(), announce: flag().optional() }, '{}');
}

/** What a checked `discovery` section says, in the form the base uses. */
export function discoveryOf(
  section: z.output<ReturnType<typeof discoverySection>>,
  definitions: Definitions,
): DiscoveryConfiguration {
  return {
    interface: section.interface,
    announce: section.announce ?? true,
    definitions: new Map(Array.from(definitions, ([name, { definition }]) => [name, definition])),
  };
}

/** The configured units that only discovery could find. */
export function undiscovered(known: unknown): { readonly path: readonly string[]; readonly what: string }[] {
  const units = typeof known === 'object' && known !== null ? Object.entries(known as object) : [];
  return units
    .filter(([, unit]) => (unit as { readonly address?: unknown } | undefined)?.address === 'mdns')
    .map(([uid]) => ({
      path: ['units', 'known', uid, 'address'],
      what: 'is "mdns", which needs the section "discovery": {}; write that, or an address',
    }));
}
