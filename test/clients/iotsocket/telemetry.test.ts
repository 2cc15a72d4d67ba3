import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { type Payload, systemPlatform } from '../../../clients/iotsocket/index.js';
import { MAX_DATAGRAM_OCTETS } from '../../../clients/iotsocket/object-client.js';
import { MAX_UNSENT_DATAGRAMS, TelemetrySocket } from '../../../clients/iotsocket/telemetry-socket.js';
import { toHex } from '../../../protocol/octets.js';
import { connectedObject, testObject } from './support/clients.js';
import { ScriptedPeer, within } from './support/scripted-peer.js';

interface Sink {
  readonly port: number;
  readonly datagrams: { readonly hex: string; readonly from: RemoteInfo }[];
  /** Resolves when so many have come. */
  came(count: number): Promise<void>;
}

async function sink(host = '127.0.0.1'): Promise<Sink> {
  const socket: Socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, host, resolve));
  onTestFinished(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  const datagrams: Sink['datagrams'] = [];
  let look = (): void => {};
  socket.on('message', (octets, from) => {
    datagrams.push({ hex: toHex(octets), from });
    look();
  });
  const came = (count: number): Promise<void> =>
    within(`${count} datagrams`, (resolve) => {
      look = () => {
        if (datagrams.length >= count) resolve();
      };
      look();
    });
  return { port: socket.address().port, datagrams, came };
}

const READING: Payload = { format: 'ascii', value: '21.5' };

test('goes with the token, from the address of the session; the last token counts', async () => {
  const udp = await sink();
  const { object, connection, heard } = await connectedObject({ udp: { port: udp.port } });
  expect([object.hasTelemetry, object.telemetry(READING)]).toEqual([false, false]);
  connection.send('500102030405060708');
  await heard.event('token');
  expect([object.hasTelemetry, object.telemetry(READING)]).toEqual([true, true]);
  await udp.came(1);
  connection.send('50ffffffffffffffff');
  await heard.event('token', 2);
  object.telemetry({ format: 'json', value: {} });
  await udp.came(2);
  expect(udp.datagrams.map(({ hex }) => hex)).toEqual(['010203040506070810000432312e35', 'ffffffffffffffffa000027b7d']);
  const [first, second] = udp.datagrams.map(({ from }) => from);
  expect([first!.address, second!.port]).toEqual(['127.0.0.1', first!.port]);
  expect(connection.socket.remoteAddress).toBe('127.0.0.1');
});

test('a token dies with its session', async () => {
  const udp = await sink();
  const { object, connection, heard, peer } = await connectedObject({ udp: { port: udp.port } });
  connection.send('500102030405060708');
  await heard.event('token');
  connection.socket.destroy();
  await heard.event('closed');
  expect([object.hasTelemetry, object.telemetry(READING)]).toEqual([false, false]);
  await Promise.all([peer.opened(), object.connect()]);
  expect(object.telemetry(READING)).toBe(false);
});

test('without a UDP port a token is taken, and telemetry is not sent', async () => {
  const { object, connection } = await connectedObject();
  connection.send('50010203040506070810');
  await connection.expects('20');
  expect(object.telemetry(READING)).toBe(false);
});

test('as long as passes in one piece; one octet longer is refused', async () => {
  const udp = await sink();
  const { object, connection, heard } = await connectedObject({ udp: { port: udp.port } });
  connection.send('500102030405060708');
  await heard.event('token');
  const most = MAX_DATAGRAM_OCTETS - 11;
  expect(object.telemetry({ format: 'ascii', value: 'x'.repeat(most) })).toBe(true);
  await udp.came(1);
  expect(udp.datagrams[0]!.hex).toHaveLength(2 * MAX_DATAGRAM_OCTETS);
  expect(() => object.telemetry({ format: 'ascii', value: 'x'.repeat(most + 1) })).toThrow(/1389/);
});

test('no more waits for the system than the bound', async () => {
  const udp = await sink();
  const telemetry = new TelemetrySocket({
    addresses: { local: '127.0.0.1', remote: '127.0.0.1' },
    port: udp.port,
    failed: (error) => expect.unreachable(error.message),
  });
  telemetry.open();
  onTestFinished(() => telemetry.close());
  const send = () => telemetry.send(new Uint8Array(8), { format: 0, options: 0, data: new Uint8Array(0) });
  for (let count = 0; count < MAX_UNSENT_DATAGRAMS; count += 1) expect(send()).toBe(true);
  expect(send()).toBe(false);
  await udp.came(MAX_UNSENT_DATAGRAMS);
  expect(send()).toBe(true);
  telemetry.close();
  expect(send()).toBe(false);
  telemetry.close();
});

test('an address that is not ours is told, not thrown', async () => {
  let failed!: (error: Error) => void;
  const failure = new Promise<Error>((resolve) => (failed = resolve));
  const addresses = { local: '192.0.2.1', remote: '127.0.0.1' };
  const telemetry = new TelemetrySocket({ addresses, port: 1, failed });
  telemetry.open();
  expect(telemetry.isOpen).toBe(true);
  expect((await failure).message).toMatch(/EADDRNOTAVAIL/);
  expect(telemetry.isOpen).toBe(false);
});

const other = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === 'IPv4' && !address.internal)?.address;

test.runIf(other !== undefined)('over another interface it comes from there', async () => {
  const udp = await sink(other!);
  const peer = await ScriptedPeer.start(other!);
  const { object, heard } = testObject({ host: other!, port: peer.port, udp: { port: udp.port } });
  const [connection] = await Promise.all([peer.opened(undefined, undefined, '500102030405060708'), object.connect()]);
  await heard.event('token');
  object.telemetry(READING);
  await udp.came(1);
  expect(udp.datagrams[0]!.from.address).toBe(connection.socket.remoteAddress);
});

test('with the machine’s own clock and cryptography it is the same', async () => {
  const udp = await sink();
  const { object, connection, heard } = await connectedObject({ udp: { port: udp.port }, platform: systemPlatform });
  connection.send('500102030405060708');
  await heard.event('token');
  object.telemetry(READING);
  await udp.came(1);
});
