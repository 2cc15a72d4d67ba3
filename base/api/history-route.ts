import type { FastifyInstance } from 'fastify';
import type { Clock } from '../core/clock.js';
import type { History, HistoryQuery, Resolution } from '../core/store.js';
import type { UnitsPort } from '../core/units-port.js';
import { checkInput, historyQuery } from './api-schemas.js';
import { routeDocs } from './openapi.js';
import { problem } from './problem.js';
import { chosenReport, reportingOf, type Shown } from './reporting.js';
import { sendProblem } from './send-problem.js';
import { sendUnknownUnit, type UnitRoute } from './unknown-unit.js';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const DEFAULT_LIMIT = 1_000;

/** `/units/{unit}/history`: the course of one report, in columns. */
export function historyRoute(app: FastifyInstance, units: UnitsPort, clock: Clock): void {
  app.get<UnitRoute>('/units/:unit/history', { schema: routeDocs.history }, async (request, reply) => {
    const { unit } = request.params;
    const reporting = reportingOf(units, unit);
    if (reporting === undefined) return sendUnknownUnit(reply, units, unit);
    const bad = (detail: string) => sendProblem(reply, problem(400, 'bad-request', detail));
    const query = checkInput(historyQuery, request.query, 'the query');
    if (!query.ok) return bad(query.detail);
    const { limit = DEFAULT_LIMIT, resolution = 'auto', to = clock.now() + 1 } = query.value;
    const { from = Math.max(0, to - DAY_MS) } = query.value;
    if (from >= to) return bad(`from: ${from} is not before to, ${to}`);
    const chosen = chosenReport(reporting, query.value.report);
    if (!chosen.ok) return bad(chosen.detail);
    const { report, shown } = chosen;
    const asked = { unit, report, from, to, limit };
    const candidates = resolution === 'auto' ? fitting(shown, to - from, limit) : [resolution];
    return { unit, report, from, to, ...(await finest(units, asked, candidates)) };
  });
}

/** The resolutions that may fit, finest first. What comes at no fixed rate may always fit as it is. */
function fitting({ everyMs, hasCourse }: Shown, spanMs: number, limit: number): Resolution[] {
  if (!hasCourse) return ['raw'];
  return [
    ...(everyMs === undefined || spanMs <= limit * everyMs ? (['raw'] as const) : []),
    ...(spanMs <= limit * MINUTE_MS ? (['minute'] as const) : []),
    'hour',
  ];
}

/**
 * The first of these resolutions that has something in that time, all of it within the limit: readings as reported are
 * kept for days only, and more may have come than was expected. Where none has, the coarsest that has something at all.
 */
async function finest(
  units: UnitsPort,
  query: Omit<HistoryQuery, 'resolution'>,
  candidates: readonly Resolution[],
): Promise<History & { readonly resolution: Resolution }> {
  let best: (History & { readonly resolution: Resolution }) | undefined;
  for (const resolution of candidates) {
    const history = await units.history({ ...query, resolution });
    if (best === undefined || history.at.length > 0) best = { resolution, ...history };
    if (history.at.length > 0 && !history.isCut) break;
  }
  return best!;
}
