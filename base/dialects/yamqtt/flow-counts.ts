/** What is counted of flows and clients since the start; shown in the handler's status and in the metrics. */
export class FlowCounts {
  /** Messages that were published, whether anybody was subscribed or not. */
  publications = 0;
  /** Publications times subscribers. Those that are dropped later are among them: no count goes down. */
  deliveries = 0;
  /** Messages, an `e` among them, that a client was too slow for, or gone before. */
  dropped = 0;
  /** Messages of clients that were answered with an `e`. */
  refusals = 0;
  /** Messages `e` of clients. */
  clientErrors = 0;
  /** Clients that were cut: they took nothing, or began a message and did not end it. */
  stalled = 0;
  unfinished = 0;
}
