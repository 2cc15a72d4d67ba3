import { execFile } from 'node:child_process';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { buildGenerator } from '../../bench/load/generator.js';

const PAYLOAD = 100;
/** Messages before the fault. */
const BEFORE = 10;

/** What goes to the other end instead of these octets. */
type Fault = (octets: Buffer) => Buffer;

let server: Server;
afterEach(() => new Promise((resolve) => server.close(resolve)));

/** Pairs by their first line, as the plain pipe's; the two of a pair get each other's octets, with a fault once. */
async function startPipe(fault?: Fault): Promise<number> {
  const waiting = new Map<string, Socket>();
  let passed = 0;
  const join = (from: Socket, to: Socket): void => {
    from.on('data', (octets) => {
      passed += 1;
      to.write(passed === BEFORE && fault !== undefined ? fault(octets) : octets);
    });
    from.write('\n');
  };
  server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (line) => {
      const other = waiting.get(line.toString());
      waiting.set(line.toString(), socket);
      if (other === undefined) return;
      join(socket, other);
      join(other, socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

describe('the load of tunnels', () => {
  let program: string;
  beforeAll(async () => {
    program = await buildGenerator();
  });

  function run(port: number): Promise<{ readonly said: string; readonly result: string }> {
    const words = ['--protocol', 'pipe', '--port', String(port), '--pid', String(process.pid), '--count', '3'];
    const times = ['--payload', String(PAYLOAD), '--warm-up-ms', '10', '--ms', '100'];
    return new Promise((resolve) => {
      execFile(program, ['tunnels', ...words, ...times, '--patience-ms', '300'], (_error, result, said) =>
        resolve({ said, result }),
      );
    });
  }

  test('pairs talk to each other, and what they take is told', async () => {
    const { said, result } = await run(await startPipe());
    expect(said).toBe('');
    const found = JSON.parse(result) as { delivered: number; cpuUs: number; p50Us: number; p99Us: number };
    expect(found.delivered).toBeGreaterThan(0);
    expect(found.cpuUs).toBeGreaterThan(0);
    expect(found.p99Us).toBeGreaterThanOrEqual(found.p50Us);
  });

  test.each<[string, Fault, string]>([
    ['a message that is missing', () => Buffer.alloc(0), '1 pairs have no answer'],
    [
      "another pair's message",
      (octets) => {
        octets[11]! ^= 1;
        return octets;
      },
      "got what is another pair's",
    ],
    [
      'an old answer',
      (octets) => {
        octets[7]! ^= 1;
        return octets;
      },
      'got what is no answer to its question',
    ],
    [
      'an octet that is not as it was sent',
      (octets) => {
        octets[PAYLOAD - 1]! ^= 0x80;
        return octets;
      },
      'got other octets than were sent',
    ],
  ])('%s is said, and is no measurement', async (_what, fault, said) => {
    const found = await run(await startPipe(fault));
    expect(found.result).toBe('');
    expect(found.said).toContain(said);
  });
});
