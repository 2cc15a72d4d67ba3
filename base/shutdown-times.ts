/** How the parts of a base share the one time that its stop may take. All in ms. */
export interface ShutdownTimes {
  /** All of it: what runs on then is ended by force. */
  readonly allMs: number;
  /** Handlers: told `stopping`, then let go of their links. Two seconds of it are a unit's that does not answer a goodbye. */
  readonly handlersMs: number;
  /** Each receiver, and each HTTP server: what is due or under way ends, or is cut short. */
  readonly graceMs: number;
  /** The same for the channel and for the hub, of which the one may wait for the other. */
  readonly hubGraceMs: number;
  /** Counted from its begin, when each phase of the stop is over: units, then centrals, last the store. */
  readonly phasesMs: { readonly first: number; readonly middle: number; readonly last: number };
}

/**
 * Units first and longest, since commands under way end with them; then centrals, which are told; a tenth for the store.
 * The last hundredths are for the process to say how it ended, and to end by itself.
 */
export function shutdownTimes(allMs: number): ShutdownTimes {
  const share = (part: number): number => Math.floor(allMs * part);
  return {
    allMs,
    handlersMs: share(0.5),
    graceMs: share(0.25),
    hubGraceMs: share(0.15),
    phasesMs: { first: share(0.6), middle: share(0.9), last: share(0.97) },
  };
}
