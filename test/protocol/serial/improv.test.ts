import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, fromHex, toHex } from '../../../protocol/octets.js';
import {
  decodeImprovData,
  encodeImprov,
  type ImprovPacket,
  improvCommands,
  improvRpc,
} from '../../../protocol/serial/improv.js';
import { ImprovReader } from '../../../protocol/serial/improv-reader.js';
import { type ImprovVector, serialVectors } from './serial-vectors.js';

const sound = serialVectors.improv.filter(({ error }) => error === undefined);
const refused = serialVectors.improv.filter(({ error }) => error !== undefined);
const read = (octets: Uint8Array, reader = new ImprovReader()): ImprovPacket[] => [...reader.push(octets)];

/** The packet as the vectors write it. */
function asVector(packet: ImprovPacket): unknown {
  switch (packet.kind) {
    case 'state':
      return { state: packet.state };
    case 'error':
      // `notAuthorised` → `not-authorised`.
      return { error: packet.error.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`) };
    case 'rpc':
      return { rpc: { command: packet.command } };
    case 'result':
      return { result: { command: packet.command, texts: packet.texts } };
  }
}

/** What we would send for that RPC. */
function rpcOf({ command, wifiName, wifiPassword, uid, key, base }: NonNullable<ImprovVector['rpc']>): ImprovPacket {
  if (command === improvCommands.wifi) return improvRpc.wifi(wifiName!, wifiPassword!);
  if (command === improvCommands.identity) return improvRpc.identity({ uid: uid!, key: fromHex(key!), base: base! });
  if (command === improvCommands.state) return improvRpc.state;
  return { kind: 'rpc', command, data: new Uint8Array(0) };
}

describe.each(sound)('Improv: $name ($source)', ({ hex, value }) => {
  const octets = fromHex(hex);
  const { type, data, ...meant } = value!;

  test('decodes, and encodes again what was decoded', () => {
    const packet = decodeImprovData(type, fromHex(data))!;
    const { rpc } = meant;
    expect(asVector(packet)).toEqual(rpc === undefined ? meant : { rpc: { command: rpc.command } });
    expect(toHex(encodeImprov(packet))).toBe(hex);
    if (rpc !== undefined) expect(toHex(encodeImprov(rpcOf(rpc)))).toBe(hex);
  });

  test('is found one octet at a time, once, and behind any log line', () => {
    const reader = new ImprovReader();
    const cameAt: number[] = [];
    octets.forEach((octet, index) => {
      if (read(Uint8Array.of(octet), reader).length > 0) cameAt.push(index);
    });
    // At its checksum: the 0a behind it tells nothing.
    expect(cameAt).toEqual([octets.length - 2]);
    const noisy = concat(new TextEncoder().encode('boot\r\nIMPROV?IMIMPRO'), octets, Uint8Array.of(0), octets);
    expect(read(noisy)).toHaveLength(2);
  });
});

test.each(refused)('Improv: $name gives nothing, and the packet behind it comes ($source)', ({ hex }) => {
  const reader = new ImprovReader();
  expect(read(fromHex(hex), reader)).toEqual([]);
  expect(read(encodeImprov(improvRpc.state), reader)).toEqual([improvRpc.state]);
});

test('two packets inside one whose length is wrong both come, at its end', () => {
  const inner = encodeImprov({ kind: 'state', state: 'ready' });
  const octets = concat(fromHex('494d50524f560101'), Uint8Array.of(2 * inner.length), inner, inner, Uint8Array.of(1));
  expect(read(octets)).toEqual([
    { kind: 'state', state: 'ready' },
    { kind: 'state', state: 'ready' },
  ]);
});

test('a length that does not fit its packet is refused, and an unknown type is none', () => {
  for (const data of ['01', '0105', '010102', '01020361'])
    expect([decodeImprovData(3, fromHex(data)), decodeImprovData(4, fromHex(data))]).toContain(undefined);
  expect(decodeImprovData(4, fromHex('0102036161'))).toBeUndefined();
  expect(decodeImprovData(9, fromHex('00'))).toBeUndefined();
  expect(decodeImprovData(1, fromHex('0202'))).toBeUndefined();
  expect(decodeImprovData(1, fromHex('09'))).toEqual({ kind: 'state', state: undefined });
  expect(decodeImprovData(2, fromHex('77'))).toEqual({ kind: 'error', error: 'unknown' });
});

test('any octets never throw and never keep more than a packet', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), (pieces) => {
      const reader = new ImprovReader();
      for (const piece of pieces) {
        read(concat(fromHex('494d50524f5601'), piece), reader);
        expect(reader.pending).toBeLessThanOrEqual(9 + 255);
      }
    }),
  );
});
