import { expect, test } from 'vitest';
import { ImprovClient } from '../../cli/provision/improv-client.js';
import { concat, fromHex, toHex } from '../../protocol/octets.js';
import { encodeImprov, type ImprovPacket, improvRpc } from '../../protocol/serial/improv.js';
import { ImprovReader } from '../../protocol/serial/improv-reader.js';
import { ScriptedPort } from '../base/links/serial/scripted-port.js';
import { ManualClock } from '../support/manual-clock.js';

const result = (command: number, ...texts: string[]): ImprovPacket => ({ kind: 'result', command, texts });
const error = (which: Extract<ImprovPacket, { kind: 'error' }>['error']): ImprovPacket => ({
  kind: 'error',
  error: which,
});
const key = new Uint8Array(16).fill(0x4b);

function connected() {
  const [port, clock] = [new ScriptedPort(), new ManualClock()];
  const client = new ImprovClient(port, clock);
  void client.read();
  /** What it was told, once it is settled. */
  const heard = (): ImprovPacket[] => [...new ImprovReader().push(port.take())];
  const says = (...packets: ImprovPacket[]): Promise<void> => port.says(concat(...packets.map(encodeImprov)));
  return { port, clock, client, heard, says };
}

test('it ends what a base left on the line, and asks every second until the board has started', async () => {
  const { port, clock, client, heard, says } = connected();
  const state = client.state();
  await clock.advance(0);
  expect(toHex(port.written)).toMatch(/^0003ffff00494d50/);
  expect(heard()).toEqual([improvRpc.state]);
  await clock.advance(2_000);
  expect(heard()).toEqual([improvRpc.state, improvRpc.state]);
  await port.says(concat(new TextEncoder().encode('I (12) boot\r\n'), fromHex('00010304803aac00')));
  await says({ kind: 'state', state: 'ready' });
  expect(await state).toBe('ready');
  await clock.advance(0);
  expect(clock.waiting).toBe(0);
});

test('nothing that speaks Improv: given up after 10 s, with what to look at', async () => {
  const { clock, client, port } = connected();
  const state = client.state();
  state.catch(() => {});
  await port.says('21.5\r\n22.0\r\n');
  await clock.advance(10_000);
  await expect(state).rejects.toMatchObject({
    code: 'connect-timeout',
    message: expect.stringMatching(/within 10 s: is it the right port .*has the board been flashed/),
  });
  await clock.advance(1_000);
  expect(clock.waiting).toBe(0);
});

test('a board that is unplugged is said to be so, also to who asks afterwards', async () => {
  const { client, clock, port } = connected();
  const telling = client.wifi('home', 'secret');
  telling.catch(() => {});
  await clock.advance(0);
  await port.breaks();
  await expect(telling).rejects.toMatchObject({ code: 'link-lost', message: expect.stringContaining('unplugged') });
  await expect(client.wifi('home', 'secret')).rejects.toMatchObject({ code: 'link-lost' });
  expect(clock.waiting).toBe(0);
});

test('an error that is taken back is none; every other one is said in words', async () => {
  const { client, heard, says } = connected();
  const told = client.identity({ uid: 'hall', key, base: '' });
  await says(error('none'), { kind: 'state', state: 'ready' }, result(0x03, 'x'), result(0xb0));
  await told;
  expect(heard()).toEqual([improvRpc.identity({ uid: 'hall', key, base: '' })]);
  for (const [which, words] of [
    ['invalidRpc', /did not understand/],
    ['unknownRpc', /cannot be told that/],
    ['unableToConnect', /cannot join that Wi-Fi/],
    ['notAuthorised', /first minute/],
    ['unknown', /could not keep it/],
  ] as const) {
    const refused = client.identity({ uid: 'hall', key, base: '' });
    refused.catch(() => {});
    await says(error(which));
    await expect(refused).rejects.toMatchObject({ code: 'provisioning-failed', message: expect.stringMatching(words) });
  }
});

test('what a device says of itself cannot steer the terminal', async () => {
  const { client, says, clock } = connected();
  const device = client.device();
  await says(result(0x03, 'lamp\u001b[2J', '1.0.0', 'ESP8266'));
  expect(await device).toEqual({ definition: 'lamp\\u001b[2J', version: '1.0.0', chip: 'ESP8266', uid: '' });
  await clock.advance(0);
  expect(clock.waiting).toBe(0);
});

test('a port that breaks at the first octet is said so in the same words', async () => {
  const { client, clock, port } = connected();
  port.write = () => Promise.reject(new Error('EIO: i/o error, write'));
  await expect(client.state()).rejects.toMatchObject({ code: 'link-lost', message: expect.stringMatching(/broke/) });
  expect(clock.waiting).toBe(0);
});
