import type { EventEmitter } from 'node:events';
import type { Clock } from '../../core/clock.js';
import { TokenBucket } from '../../core/token-bucket.js';

/** Datagrams that answer questions. RFC 6762 §6: nobody need be told the same twice in a second. */
const ANSWERS = { perSecond: 20, burst: 100 } as const;
/** Of one packet that are looked at; a resolver that asks for one service asks four. */
const MAX_QUESTIONS = 100;
const TYPES = ['PTR', 'SRV', 'TXT', 'A', 'AAAA'];

export interface Question {
  readonly name: string;
  readonly type: string;
}
interface Query {
  readonly questions: readonly Question[];
}

/** What of bonjour-service's server is used: it hears `query` of its multicast-dns, and answers each question of it. */
export interface AnsweringServer {
  readonly mdns: EventEmitter;
  recordsFor(name: string, type: string): readonly unknown[];
  respondToQuery(query: Query): void;
}

/**
 * Bounds what others can make the library send: it answers each question with a datagram to everybody, also the thousandth
 * of one packet, which says the same. What it announces by itself, and its goodbyes, are not bound.
 */
export function boundAnswers(server: AnsweringServer, clock: Pick<Clock, 'monotonic'>): void {
  const answers = new TokenBucket(ANSWERS, clock.monotonic());
  server.mdns.removeAllListeners('query');
  server.mdns.on('query', ({ questions }: Query) => {
    const asked = new Map(questions.map((question) => [`${question.type} ${question.name.toLowerCase()}`, question]));
    const answered = [...asked.values()].slice(0, MAX_QUESTIONS).filter(({ name, type }) => {
      const types = type === 'ANY' ? TYPES : [type];
      const isOurs = types.some((each) => server.recordsFor(name, each).length > 0);
      return isOurs && answers.take(clock.monotonic());
    });
    if (answered.length > 0) server.respondToQuery({ questions: answered });
  });
}
