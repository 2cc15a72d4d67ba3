import type { EventLoop, Figures } from './api/figures.js';
import type { Router } from './core/router.js';
import type { Topics } from './core/topics.js';
import type { EmbeddedEngine } from './engine/embedded/embedded-engine.js';

/** What the metrics ask of the parts of a base. */
export function baseFigures(parts: {
  readonly router: Router;
  readonly engine: Pick<EmbeddedEngine, 'commitsWaiting'>;
  readonly topics: Topics;
  readonly eventLoop: EventLoop;
}): Figures {
  const { router, engine, topics, eventLoop } = parts;
  return {
    census: () => router.census(),
    keptTransmissions: () => router.kept.count,
    lostReadings: () => router.lostReadings,
    commitsWaiting: () => engine.commitsWaiting,
    droppedTopicEvents: () => topics.dropped,
    eventLoop,
  };
}
