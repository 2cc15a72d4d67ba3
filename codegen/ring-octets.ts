import type { UnitDefinition } from '../protocol/definition/index.js';
import { unitView } from './unit-view.js';

/** `sizeof(bu::Reading)` (bu_report_ring.h). */
const READING_OCTETS = 8;

/** The most that a ring may take: bu_session_unit.h holds the compiler to it. */
export const MAX_RING_OCTETS = 16 * 1024;

/** Readings and their values, with the place in which the next one is written (bu_session_unit.h); 0 for a line unit. */
export function ringOctets(definition: UnitDefinition): number {
  if (definition.wire === 'line') return 0;
  return (definition.ring + 1) * (READING_OCTETS + Math.max(1, unitView(definition, '').maxReportOctets));
}
