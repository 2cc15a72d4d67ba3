import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { type AnsweringServer, boundAnswers, type Question } from '../../../base/discovery/bonjour/bound-answers.js';
import { containedSocket } from '../../../base/discovery/bonjour/contained-socket.js';
import { ManualClock } from '../../support/manual-clock.js';

/** It has one service, and answers as bonjour-service does: each question with a datagram. */
function answering() {
  const [mdns, clock, answered] = [new EventEmitter(), new ManualClock(), [] as Question[]];
  const server: AnsweringServer = {
    mdns,
    recordsFor: (name, type) => (name === 'base.local' && type === 'A' ? ['10.0.0.1'] : []),
    respondToQuery: ({ questions }) => void answered.push(...questions),
  };
  mdns.on('query', server.respondToQuery);
  boundAnswers(server, clock);
  const ask = (...questions: Question[]): void => void mdns.emit('query', { questions });
  return { ask, clock, told: () => answered.splice(0) };
}
const ours: Question = { name: 'base.local', type: 'A' };

test('what is asked over and over in one packet is answered once, what is not ours never', () => {
  const { ask, told } = answering();
  ask({ name: 'other.local', type: 'A' }, ...Array<Question>(1_000).fill(ours), { ...ours, type: 'ANY' });
  expect(told()).toEqual([ours, { ...ours, type: 'ANY' }]);
});

test('who asks all the time is answered so often in a second', async () => {
  const { ask, clock, told } = answering();
  for (let count = 0; count < 1_000; count += 1) ask(ours);
  expect(told()).toHaveLength(100);
  await clock.advance(1_000);
  for (let count = 0; count < 1_000; count += 1) ask(ours);
  expect(told()).toHaveLength(20);
});

test('a datagram that is longer than mDNS has them is not looked at', () => {
  const heard: number[] = [];
  const socket = containedSocket({ accepts: () => true, maxOctets: 9_000, failed: () => {} });
  socket.on('message', ({ length }) => void heard.push(length));
  for (const octets of [9_000, 9_001]) socket.emit('message', Buffer.alloc(octets), { address: '10.0.0.1' });
  socket.close();
  expect(heard).toEqual([9_000]);
});
