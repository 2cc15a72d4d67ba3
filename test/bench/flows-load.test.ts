import { execFile } from 'node:child_process';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { buildGenerator } from '../../bench/load/generator.js';

const RECORD = 1_024;
const MESSAGE = 3 * RECORD;
/** Messages that subscribers are sent before the fault. */
const BEFORE = 10;

/** What becomes of one message on its way to one subscriber. */
type Fault = (send: (message: Buffer) => void, message: Buffer) => void;

let server: Server;
afterEach(() => new Promise((resolve) => server.close(resolve)));

/** A relay of YAMQTT's messages, of whole messages a write, with so many faults. */
async function startRelay(fault?: Fault, faults = 1): Promise<number> {
  const subscribers = new Map<number, Set<Socket>>();
  let sent = 0;
  const take = (socket: Socket, message: Buffer): void => {
    const flow = Number.parseInt(message.toString('latin1', RECORD, RECORD + 5), 10);
    const sockets = subscribers.get(flow) ?? new Set();
    subscribers.set(flow, sockets);
    if (message[0] === 's'.charCodeAt(0)) {
      sockets.add(socket);
      return;
    }
    message.write('m');
    for (const to of sockets) {
      const send = (octets: Buffer): void => void to.write(octets);
      sent += 1;
      if (sent >= BEFORE && sent < BEFORE + faults && fault !== undefined) fault(send, message);
      else send(message);
    }
  };
  server = createServer((socket) => {
    let rest: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      for (; rest.length >= MESSAGE; rest = rest.subarray(MESSAGE))
        take(socket, Buffer.from(rest.subarray(0, MESSAGE)));
    });
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

describe('the load of flows', () => {
  let program: string;
  beforeAll(async () => {
    program = await buildGenerator();
  });

  function run(port: number, words: readonly string[]): Promise<{ readonly said: string; readonly result: string }> {
    const all = ['flows', '--protocol', 'yamqtt', '--port', String(port), '--pid', String(process.pid), ...words];
    const times = ['--warm-up-ms', '10', '--ms', '100'];
    return new Promise((resolve) => {
      execFile(program, [...all, ...times], (_error, result, said) => resolve({ said, result }));
    });
  }

  test.each([
    [1, 1, 1],
    [1, 3, 16],
    [3, 1, 1],
    [3, 2, 16],
  ])('%i publishers and %i subscribers get everything through, %i messages a write', async (from, to, write) => {
    const port = await startRelay();
    const words = ['--publishers', String(from), '--subscribers', String(to), '--run', String(write)];
    const { said, result } = await run(port, words);
    expect(said).toBe('');
    const { delivered, cpuUs } = JSON.parse(result) as { delivered: number; cpuUs: number };
    expect(delivered).toBeGreaterThan(0);
    expect(cpuUs).toBeGreaterThan(0);
  });

  test('no more are under way than its window has, and it is said how many never came', async () => {
    const port = await startRelay(() => {}, Infinity);
    const { said, result } = await run(port, ['--window', '8', '--run', '4', '--patience-ms', '300']);
    expect(result).toBe('');
    expect(said).toContain('8 messages did not come');
  });

  test.each<[string, Fault, string]>([
    ['a message that is missing', () => {}, 'got message'],
    [
      'a message that comes twice',
      (send, message) => {
        send(message);
        send(message);
      },
      'got message',
    ],
    [
      'another octet in the head',
      (send, message) => {
        message[RECORD - 1] = 1;
        send(message);
      },
      'with another head',
    ],
    [
      'another octet in the data',
      (send, message) => {
        message[MESSAGE - 1]! ^= 1;
        send(message);
      },
      'with other data',
    ],
    [
      'what a client is told of dropped messages',
      (send, message) => {
        message.fill(0);
        message.write('e');
        message.write('0', RECORD);
        message.write('dropped 1 messages', 2 * RECORD);
        send(message);
      },
      'was sent e 0: dropped 1 messages',
    ],
  ])('%s is said, and is no measurement', async (_what, fault, said) => {
    const found = await run(await startRelay(fault), ['--publishers', '2', '--subscribers', '2']);
    expect(found.result).toBe('');
    expect(found.said).toContain(said);
  });
});
