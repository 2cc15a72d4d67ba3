import { execFileSync } from 'node:child_process';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { known, startFirmware, startHouse } from '../end-to-end/support/house.js';

/** Addresses of the test's own network; a /30 holds the two ends. */
const HOST_END = '10.213.77.1';
const LAMP = '10.213.77.2';

/**
 * A lamp that is configured and unplugged: its cable (a veth pair) leads into a network namespace where nobody has the
 * address, so every SYN is dropped without an answer. False where such a network cannot be made.
 */
function unpluggedLamp(): boolean {
  const id = process.pid.toString(36);
  const [namespace, here, there] = [`bu-${id}`, `bu${id}a`, `bu${id}b`];
  const ip = (...words: string[]): string =>
    execFileSync('ip', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  try {
    ip('netns', 'add', namespace);
  } catch {
    return false;
  }
  onTestFinished(() => {
    ip('netns', 'delete', namespace);
  });
  ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', namespace);
  ip('address', 'add', `${HOST_END}/30`, 'dev', here);
  ip('link', 'set', here, 'up');
  ip('-n', namespace, 'link', 'set', there, 'up');
  const mac = /link\/ether (\S+)/.exec(ip('-n', namespace, 'link', 'show', there))![1]!;
  ip('neigh', 'add', LAMP, 'lladdr', mac, 'dev', here, 'nud', 'permanent');
  return true;
}

/** Whether a SYN to the lamp is really left without an answer: else the test would prove nothing. */
function isSilent(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: LAMP, port: 8888 });
    const settle = (silent: boolean): void => {
      socket.destroy();
      resolve(silent);
    };
    socket.setTimeout(500, () => settle(true));
    socket.on('connect', () => settle(false));
    socket.on('error', () => settle(false));
  });
}

test('one unplugged lamp delays no other unit', async (context) => {
  if (!unpluggedLamp()) {
    process.stderr.write(
      'LEFT OUT: "one unplugged lamp delays no other unit" needs root, to make a network namespace\n',
    );
    context.skip('needs root, to make a network namespace');
  }
  expect(await isSilent()).toBe(true);
  const lamp = await startFirmware('led-lamp');
  const { base } = await startHouse({
    name: 'test',
    units: { known: { unplugged: { definition: 'led-lamp', address: LAMP, key: lamp.key }, ...known(lamp) } },
  });
  const send = (unit: string, id: string) =>
    base.router.command({ id, unit, command: 'setColor', fields: { color: '#0f0f0f' }, source: 'test' });

  let isOver = false;
  const unplugged = send('unplugged', 'u').finally(() => {
    isOver = true;
  });
  for (let round = 0; round < 20; round += 1) expect((await send('led-lamp', `l-${round}`)).outcome).toBe('ok');
  expect(isOver).toBe(false);
  expect(await unplugged).toMatchObject({
    outcome: 'unreachable',
    reason: expect.stringMatching(/did not answer within 5 s/),
  });
});
