import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import PusherServer from 'pusher';
import { addressText } from '../base/core/address.js';
import { projectRoot } from '../base/project-root.js';
import { systemClock, systemRandom } from '../base/system.js';
import { clientOptions, createClient, dropClient } from '../base/uplinks/pusher/pusher-client.js';
import { freePort } from '../cli/free-port.js';
import { buildNative } from '../codegen/native-build.js';
import { toHex } from '../protocol/octets.js';
import { FirmwareUnit } from '../simulator/firmware-unit.js';
import { runBase } from './base-process.js';
import { type Distribution, distribution } from './distribution.js';
import { until } from './waiting.js';

/** One row: how long it took, in ms, from the call of `trigger` until the firmware printed that it has applied the command. */
export interface LatencyRow {
  readonly what: string;
  readonly barMs: number | undefined;
  readonly ms: Distribution;
}

const HELD_SAMPLES = 200;
/** Each waits until the link has closed for idleness, some 2 s. */
const ON_DEMAND_SAMPLES = 15;
const app = { id: 'bench', key: 'bench-key', secret: 'bench-secret' };
const channel = 'private-requests';

/** From event to applied, through the hub, the base as a process of its own, and compiled firmware, all on loopback. */
export async function commandLatency(): Promise<readonly LatencyRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'baseunit-bench-'));
  const ends: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  try {
    const barrel = await firmware('rain-barrel', folder);
    ends.push(() => barrel.unit.stop());
    const lamp = await firmware('led-lamp', folder);
    ends.push(() => lamp.unit.stop());
    const port = await freePort();
    const file = join(folder, 'base.json');
    const configuration = {
      name: 'bench',
      http: { listen: '127.0.0.1:0' },
      units: { known: { 'rain-barrel': barrel.known, 'led-lamp': lamp.known } },
      hub: { listen: `127.0.0.1:${port}`, apps: [app] },
      pusher: { key: app.key, appId: app.id, secret: app.secret, host: '127.0.0.1', port, tls: false, channel },
    };
    writeFileSync(file, JSON.stringify(configuration), { mode: 0o600 });
    const base = runBase(file);
    ends.push(() => base.stop());

    const server = new PusherServer({
      appId: app.id,
      key: app.key,
      secret: app.secret,
      host: '127.0.0.1',
      port: String(port),
      useTLS: false,
      timeout: 5_000,
    });
    const options = { key: app.key, host: '127.0.0.1', port, tls: false };
    await until(() =>
      server.get({ path: '/channels', params: {} }).then(
        () => true,
        () => false,
      ),
    );
    const client = createClient(
      app.key,
      clientOptions(options, ({ socketId, channelName }, answer) =>
        answer(null, server.authorizeChannel(socketId, channelName)),
      ),
      () => {},
    );
    ends.push(() => dropClient(client));
    const subscription = client.subscribe(channel);
    await new Promise((resolve) => subscription.bind('pusher:subscription_succeeded', resolve));
    const subscribers = async (): Promise<number> => {
      const response = await server.get({ path: `/channels/${channel}`, params: { info: 'subscription_count' } });
      return ((await response.json()) as { readonly subscription_count?: number }).subscription_count ?? 0;
    };
    await until(async () => (await subscribers()) === 2);
    await until(async () => (await base.state('rain-barrel')) === 'online');

    const trigger = (event: string, data: unknown) => server.trigger(channel, event, data);
    const command = (unit: string, name: string, fields: object) =>
      trigger('command', { id: toHex(systemRandom.octets(8)), unit, command: name, fields });

    const hubOnly = await sample(HELD_SAMPLES, (index) => {
      const heard = new Promise((resolve) => subscription.bind(`bench-${index}`, resolve));
      return { send: () => trigger(`bench-${index}`, {}), done: heard };
    });
    const held = await sample(HELD_SAMPLES, (index) => {
      const light = `#${(index + 1).toString(16).padStart(6, '0')}`;
      return { send: () => command('rain-barrel', 'configure', { light }), done: barrel.printed(light) };
    });
    const onDemand = await sample(ON_DEMAND_SAMPLES, async (index) => {
      await until(async () => (await base.state('led-lamp')) === 'idle');
      const color = `#${(index + 1).toString(16).padStart(6, '0')}`;
      return { send: () => command('led-lamp', 'setColor', { color }), done: lamp.printed(color) };
    });
    return [
      { what: 'hub alone: trigger → pusher-js handler', barMs: undefined, ms: hubOnly },
      { what: 'held link: trigger → applied by compiled firmware', barMs: 20, ms: held },
      { what: 'on demand: trigger → dialled, opened, applied', barMs: 50, ms: onDemand },
    ];
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

interface Round {
  readonly send: () => Promise<unknown>;
  readonly done: Promise<unknown>;
}

async function sample(count: number, round: (index: number) => Round | Promise<Round>): Promise<Distribution> {
  const ms: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const { send, done } = await round(index);
    const startedAt = performance.now();
    const sent = send();
    await done;
    ms.push(performance.now() - startedAt);
    await sent;
  }
  return distribution(ms);
}

async function firmware(name: string, folder: string) {
  const { program } = await buildNative(name, { root: projectRoot });
  const key = systemRandom.octets(16);
  let waiting: { readonly text: string; readonly resolve: () => void } | undefined;
  const unit = new FirmwareUnit({
    uid: name,
    program,
    key,
    listen: { host: '127.0.0.1', port: 0 },
    stateFile: join(folder, `${name}.state`),
    clock: systemClock,
    hear: (event) => {
      if (event.kind === 'printed' && waiting !== undefined && event.line.includes(waiting.text)) waiting.resolve();
    },
  });
  await unit.start();
  const address = addressText(unit.address!);
  return {
    unit,
    known: { definition: name, address, key: toHex(key) },
    /** The next line with this text. */
    printed: (text: string) =>
      new Promise<void>((resolve) => {
        waiting = { text, resolve };
      }),
  };
}
