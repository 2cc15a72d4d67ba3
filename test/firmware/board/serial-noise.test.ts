import { afterAll, beforeAll, expect, test } from 'vitest';
import { SeededRandom } from '../../../simulator/seeded-random.js';
import type { LineProgram } from '../runtime/cpp-program.js';
import { digits, octets, startBoardDriver } from './board-driver.js';

const PING = '0410f3c100';
const MAX_CHUNK = 240;

let program: LineProgram;
beforeAll(async () => {
  program = await startBoardDriver();
}, 180_000);
afterAll(async () => expect(await program.stop()).toEqual({ status: 0, complaints: '' }));

const line = (command: string): Promise<string> => program.ask(`line ${command}`);

/** A line with a session in which something has come. */
async function begin(): Promise<void> {
  await line('new 0');
  await line('loop');
  await line('open');
  await line(`in ${PING}`);
  expect(await line('read')).toBe('10');
}

test('noise never yields a wrong value: what is read is what was sent, up to where the session ends', async () => {
  const random = new SeededRandom('a long cable beside a motor');
  const below = (count: number): number => Math.floor(random.fraction() * count);
  let ended = 0;
  let unharmed = 0;
  for (let round = 0; round < 400; round += 1) {
    await begin();
    if (round % 2 === 0) await line('served');
    const sent: Buffer[] = [];
    let wire: Buffer = Buffer.alloc(0);
    for (let chunks = 0; chunks < 4; chunks += 1) {
      const chunk = Buffer.from(Array.from({ length: 1 + below(MAX_CHUNK) }, () => below(chunks === 0 ? 3 : 256)));
      sent.push(chunk);
      wire = Buffer.concat([wire, octets(await program.ask(`frame ${digits(chunk)}`))]);
    }
    wire = harmed(wire, round % 7, below);
    await line(`in ${digits(wire)}`);
    let got = '';
    for (let loops = 0; loops < 60 && !got.endsWith('lost'); loops += 1) got += (await line('read')).replace('-', '');
    const whole = digits(Buffer.concat(sent));
    const read = got.replace(/ lost$/, '');
    expect(whole.startsWith(read), `round ${round}: ${read} of ${whole}`).toBe(true);
    if (got.endsWith('lost')) ended += 1;
    else if (read === whole) unharmed += 1;
  }
  expect(ended).toBeGreaterThan(200);
  expect(unharmed).toBeGreaterThan(50);
});

/** One kind of damage; never so much that a whole frame is gone, which the tags of the session must notice. */
function harmed(wire: Buffer, kind: number, below: (count: number) => number): Buffer {
  const at = below(wire.length);
  const before = wire.subarray(0, at);
  const after = wire.subarray(at);
  if (kind === 0) return Buffer.concat([before, Buffer.from([after[0]! ^ (1 << below(8))]), after.subarray(1)]);
  if (kind === 1) return Buffer.concat([before, after.subarray(1)]);
  if (kind === 2) return Buffer.concat([before, after.subarray(0, 1), after]);
  if (kind === 3)
    return Buffer.concat([before, Buffer.from(Array.from({ length: 1 + below(300) }, () => below(256))), after]);
  if (kind === 4)
    return Buffer.concat([before, after.subarray(Math.min(1 + below(40), Math.max(1, after.indexOf(0))))]);
  if (kind === 5) return Buffer.concat([before, Buffer.from('\r\nI joined\r\n'), after]);
  // Harmless: a 00 more behind a frame.
  const end = wire.indexOf(0) + 1;
  return Buffer.concat([wire.subarray(0, end), Buffer.from([0]), wire.subarray(end)]);
}
