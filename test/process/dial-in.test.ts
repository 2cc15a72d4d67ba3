import { expect, test } from 'vitest';
import { BaseProcess } from './support/base-process.js';
import { type Simulated, simulated } from './support/simulated.js';

const http = { listen: '127.0.0.1:0' };
const key = 'a5'.repeat(16);
const keyOf = (): Uint8Array => new Uint8Array(16).fill(0xa5);
const setColor = (color: string) => ({ command: 'setColor', fields: { color } });

/** A base that takes units that dial in, and where. */
async function startListening(known: object): Promise<{ readonly base: BaseProcess; readonly address: Address }> {
  const base = await BaseProcess.start({ http, units: { listen: '127.0.0.1:0', known } });
  const { address } = await base.logged('units may dial in');
  const [host = '', port = ''] = (address as string).split(':');
  return { base, address: { host, port: Number(port) } };
}

interface Address {
  readonly host: string;
  readonly port: number;
}

const dialIn = (
  definition: string,
  address: Address,
  options: Parameters<typeof simulated>[1] = {},
): Promise<Simulated> => simulated(definition, { dial: { address }, keyOf, ...options });

const applied = ({ events }: Simulated): number => events.filter(({ kind }) => kind === 'applied').length;

test('units behind a NAT dial in: they report, and take commands over the link that they made', async () => {
  const { base, address } = await startListening({
    thermometer: { definition: 'thermometer', key },
    'led-lamp': { definition: 'led-lamp', key },
  });
  expect(await base.send('led-lamp', setColor('#010101'))).toMatchObject({ outcome: 'unreachable' });
  await dialIn('thermometer', address);
  const lamp = await dialIn('led-lamp', address);
  await base.unitIs('thermometer', 'reported', ({ last }) => last.reading !== undefined);
  await lamp.heard('connected');
  expect(await base.send('led-lamp', setColor('#020202'))).toMatchObject({ outcome: 'ok' });
  expect(lamp.events).toContainEqual(expect.objectContaining({ kind: 'applied', fields: { color: '#020202' } }));
  await base.unitIs('led-lamp', 'told its colour', ({ last }) => last.state?.fields.color === '#020202');

  const goodbye = lamp.heard('disconnected');
  expect(await base.stop()).toMatchObject({ code: 0 });
  expect((await goodbye).reason).toBeUndefined();
});

test('a command with a time to wait is delivered when the unit dials in', async () => {
  const { base, address } = await startListening({ 'led-lamp': { definition: 'led-lamp', key } });
  const outcome = base.send('led-lamp', { ...setColor('#030303'), ttlS: 60 });
  await base.unitIs('led-lamp', 'had the command', ({ counts }) => counts.commands === 1);
  await dialIn('led-lamp', address);
  expect(await outcome).toMatchObject({ outcome: 'ok' });
});

test('the newest connection of a unit wins, and the older is told goodbye', async () => {
  const { base, address } = await startListening({ 'led-lamp': { definition: 'led-lamp', key } });
  const first = await dialIn('led-lamp', address);
  await first.heard('connected');
  const second = await dialIn('led-lamp', address);
  await second.heard('connected');
  expect((await first.heard('disconnected')).reason).toBeUndefined();
  await first.stop();
  await base.unitIs('led-lamp', 'online', ({ state }) => state === 'online');
  expect(await base.send('led-lamp', { ...setColor('#040404'), ttlS: 20 })).toMatchObject({ outcome: 'ok' });
  expect(applied(first)).toBe(0);
  expect(applied(second)).toBe(1);
});

test('a wrong key, an unknown UID, and a unit that is to be dialled are refused, said once, and disturb nobody', async () => {
  const { base, address } = await startListening({
    'led-lamp': { definition: 'led-lamp', key },
    thermometer: { definition: 'thermometer', key, address: '127.0.0.1:1' },
  });
  const lamp = await dialIn('led-lamp', address);
  await lamp.heard('connected');
  for (let round = 0; round < 2; round += 1) {
    const strangers = [
      await dialIn('led-lamp', address, { faults: [{ kind: 'wrong-key' }] }),
      await dialIn('led-lamp', address, { uid: 'stranger' }),
      await dialIn('thermometer', address),
    ];
    for (const stranger of strangers) {
      await stranger.heard('refusedConnection');
      await stranger.stop();
      expect(stranger.events.some(({ kind }) => kind === 'connected')).toBe(false);
    }
  }
  const isRefusal = ({ msg }: { readonly msg: string }): boolean => msg === 'a connection was refused';
  const reasons = base.log.filter(isRefusal).map(({ reason }) => reason as string);
  expect(reasons.some((reason) => /key/.test(reason))).toBe(true);
  expect(reasons.some((reason) => /stranger/.test(reason))).toBe(true);
  expect(base.log.some(({ level }) => level >= 50)).toBe(false);
  expect(lamp.events.some(({ kind }) => kind === 'disconnected')).toBe(false);
  expect(await base.send('led-lamp', setColor('#050505'))).toMatchObject({ outcome: 'ok' });
  const { state, version } = await base.unit('thermometer');
  expect([state, version]).toEqual(['offline', undefined]);
});
