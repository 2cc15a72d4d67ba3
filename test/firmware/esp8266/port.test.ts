import { beforeAll, expect, test } from 'vitest';
import { keyMarker } from '../../../protocol/iotsocket/key-marker.js';
import { toHex } from '../../../protocol/octets.js';
import { RESET_FRAME } from '../../../protocol/serial/frame.js';
import { improvCommands, improvRpc } from '../../../protocol/serial/improv.js';
import { encodeHelloAnswer } from '../../../protocol/unit/system-messages.js';
import ledLamp from '../../../units/led-lamp.js';
import { crypto, ScriptedBase, trackingOf, vectorKey, welcome } from '../runtime/driven-unit.js';
import { buildChip, Chip, layouts, resetReasons, wifi } from './chip.js';

/** A roll of the dice that makes every pause the longest that it can be. */
const LONGEST = 479_999;

let program: string;
beforeAll(async () => {
  program = await buildChip(layouts.ours);
}, 120_000);

const identity = (more: { base?: string; uid?: string } = {}) =>
  improvRpc.identity({ uid: 'kitchen-lamp', key: vectorKey, base: '', ...more });

/** A lamp that was told who it is, and is in the Wi-Fi. */
async function provisioned(base = ''): Promise<Chip> {
  const chip = new Chip(program);
  await chip.start();
  await chip.say(identity({ base }));
  await chip.say(improvRpc.wifi('my network', 'its password'));
  await chip.wifiIs(wifi.connected);
  return chip;
}

test('a new board serves nobody, says why, and takes who it is and its Wi-Fi over the serial line; both outlive its power', async () => {
  const chip = new Chip(program);
  const first = await chip.start();
  expect(first.text).toContain('W no key yet: this unit serves no base');
  expect(first.events).toContain('baud 115200');
  expect(first.events.join()).not.toMatch(/listen|join/);
  // No session is begun, so log lines go on.
  expect(toHex((await chip.pass(10_000)).uart)).not.toContain(toHex(RESET_FRAME));

  const device = await chip.say(improvRpc.device);
  expect(device.packets).toContainEqual({
    kind: 'result',
    command: improvCommands.device,
    texts: ['led-lamp', ledLamp.version, 'ESP8266', ''],
  });
  const named = await chip.say(identity());
  expect(named.packets).toContainEqual({ kind: 'result', command: improvCommands.identity, texts: [] });
  expect(named.events).toContain('listen 8888');

  const joining = await chip.say(improvRpc.wifi('my network', 'its password'));
  expect(joining.events).toEqual(['host kitchen-lamp', 'join my network its password']);
  expect(joining.packets).toContainEqual({ kind: 'state', state: 'provisioning' });
  const joined = await chip.wifiIs(wifi.connected);
  expect(joined.packets).toContainEqual({ kind: 'state', state: 'provisioned' });
  expect(joined.packets).toContainEqual({ kind: 'result', command: improvCommands.wifi, texts: [] });

  const again = await chip.start();
  expect(again.events).toEqual(['baud 115200', 'host kitchen-lamp', 'join my network its password', 'listen 8888']);
  expect(again.text).not.toContain('no key');
});

test('a Wi-Fi that refuses the password is told of, and the one before is joined again', async () => {
  const chip = await provisioned();
  await chip.say(improvRpc.wifi('another', 'wrong'));
  const refused = await chip.wifiIs(wifi.wrongPassword);
  expect(refused.packets).toContainEqual({ kind: 'error', error: 'unableToConnect' });
  expect(refused.events).toContain('join my network its password');
  expect((await chip.start()).events).toContain('join my network its password');
});

test('it serves a base over the network, and takes its commands', async () => {
  const chip = await provisioned();
  const base = new ScriptedBase(chip.unit);
  await base.serve();
  const answered = await base.request(7, Uint8Array.of(1, 1, 0, 0, 0, 255, 0, 0));
  expect(answered.events).toContain('setColor');
  expect(answered.transmissions[0]).toMatchObject({ kind: 'response', tracking: 7, code: 0 });
});

test('announces itself with the marker of its key, anew when it becomes another, which drops whoever it served', async () => {
  const chip = new Chip(program);
  await chip.start();
  await chip.say(identity());
  await chip.say(improvRpc.wifi('my network', ''));
  const { events } = await chip.wifiIs(wifi.connected);
  const said = events.filter((event) => /^(mdns|service|txt)/.test(event));
  const marker = (uid: string) => `txt key=${keyMarker(crypto, vectorKey, uid)}`;
  expect(said).toEqual([
    'mdns kitchen-lamp',
    'service kitchen-lamp _baseunit._tcp 8888',
    `txt version=${ledLamp.version}`,
    'txt definition=led-lamp',
    expect.stringMatching(/^txt fingerprint=[0-9a-f]{16}$/),
    'txt mac=5c:cf:7f:01:02:03',
    'txt board=esp8266',
    marker('kitchen-lamp'),
  ]);
  await new ScriptedBase(chip.unit).serve();
  const renamed = await chip.say(identity({ uid: 'hall_lamp' }));
  const more = await chip.loop(4);
  const all = [...renamed.events, ...more.events];
  expect(all).toEqual(
    expect.arrayContaining([
      'mdns-end',
      'mdns hall-lamp',
      'service hall_lamp _baseunit._tcp 8888',
      marker('hall_lamp'),
    ]),
  );
  expect(all).toContain('closed 0');
});

test('who it is can be changed for 60 s after power or the reset button, and not after a restart of its own or a wake', async () => {
  const chip = await provisioned();
  let names = 0;
  const mayChange = async (): Promise<boolean> => {
    names += 1;
    const { packets } = await chip.say(identity({ uid: `lamp-${names}` }));
    const isRefused = packets.some((packet) => packet.kind === 'error' && packet.error === 'notAuthorised');
    expect(isRefused).not.toBe(packets.some(({ kind }) => kind === 'result'));
    return !isRefused;
  };
  for (const reason of [resetReasons.power, resetReasons.button]) {
    await chip.start(reason);
    expect(await mayChange(), String(reason)).toBe(true);
    await chip.pass(60_000);
    expect(await mayChange(), String(reason)).toBe(false);
  }
  for (const reason of [resetReasons.restart, resetReasons.wake]) {
    await chip.start(reason);
    expect(await mayChange(), String(reason)).toBe(false);
  }
});

test('a Wi-Fi that is lost is joined again, at once and then in growing pauses, and the same base comes back', async () => {
  const chip = await provisioned();
  const joins = ({ events }: { readonly events: readonly string[] }): number =>
    events.filter((event) => event.startsWith('join')).length;
  await chip.unit.do(`roll ${LONGEST}`);
  expect(joins(await chip.wifiIs(wifi.disconnected))).toBe(1);
  for (const pauseMs of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
    expect(joins(await chip.pass(10_000 + pauseMs - 2)), String(pauseMs)).toBe(0);
    expect(joins(await chip.pass(1)), String(pauseMs)).toBe(1);
  }
  expect(joins(await chip.wifiIs(wifi.connected))).toBe(0);
  await new ScriptedBase(chip.unit, 3).serve();
});

test('with the address of a base it dials, once in its pauses, and does not listen; the base there is served', async () => {
  const chip = new Chip(program);
  await chip.start();
  const named = await chip.say(identity({ base: 'base.local:8887' }));
  expect(named.events).toEqual([]);
  await chip.say(improvRpc.wifi('my network', ''));
  // Nobody is dialled before the Wi-Fi is there.
  expect((await chip.pass(100)).events.join()).not.toContain('dial');
  const dialled = await chip.wifiIs(wifi.connected);
  expect(dialled.events.filter((event) => event.startsWith('dial'))[0]).toBe('dial base.local 8887');
  expect(dialled.text).toContain('W nobody answers at the address of the base');
  expect(dialled.events.join()).not.toMatch(/listen|mdns/);
  const base = new ScriptedBase(chip.unit);
  await base.serve();
  expect((await chip.pass(50_000)).events.join()).not.toContain('dial');
  await chip.unit.do('end 0');
  const after = [(await chip.pass(1)).events, (await chip.pass(60_000)).events].flat();
  expect(after).toContain('closed 0');
  expect(after).toContain('dial base.local 8887');
});

test('a base that has another key is dialled again after 5 min, one that is not there in growing pauses', async () => {
  const chip = await provisioned('192.168.1.2');
  await expect(new ScriptedBase(chip.unit).open(new Uint8Array(16))).rejects.toThrow(/proof/);
  await chip.unit.give(0, Uint8Array.of(0));
  await chip.unit.do(`roll ${LONGEST}`);
  const dials = async (ms: number) => (await chip.pass(ms)).events.filter((event) => event.startsWith('dial')).length;
  await chip.loop(3);
  expect(await dials(299_000)).toBe(0);
  expect(await dials(1_001)).toBe(1);
  // Nobody is there, and the pauses grow; once the Wi-Fi was lost and is back, somebody may be.
  for (let count = 0; count < 6; count += 1) expect(await dials(60_000)).toBe(1);
  expect(await dials(10_000)).toBe(0);
  await chip.wifiIs(wifi.disconnected);
  await chip.unit.do(`wifi ${wifi.connected}`);
  expect(await dials(600)).toBe(1);
});

test('over the serial line it begins a session every 2 s, and makes way for a base that comes over the network', async () => {
  const chip = await provisioned();
  const begun = await chip.pass(2_000);
  expect(toHex(begun.uart)).toContain(toHex(RESET_FRAME));
  expect(toHex((await chip.pass(1_000)).uart)).not.toContain(toHex(RESET_FRAME));
  // Nobody answers there, and the base need not wait for that.
  const base = new ScriptedBase(chip.unit);
  await base.serve();
  // A base is served: nobody at the serial line is looked for any more.
  expect(toHex((await chip.pass(10_000)).uart)).toBe('');
  await chip.unit.do('end 0');
  await chip.loop();
  expect(toHex((await chip.pass(2_000)).uart)).toContain(toHex(RESET_FRAME));
});

test('a base at the serial line is served; no log line gets between its frames, and no other base is dialled meanwhile', async () => {
  const chip = await provisioned('base.local');
  const base = new ScriptedBase(chip.bySerial);
  // Nor once somebody is there: dialling takes seconds in which an opening would be given up.
  const hello = (await base.open()).transmissions[0];
  expect((await base.loop()).events.join()).not.toContain('dial');
  await base.answer(trackingOf(hello), 0, encodeHelloAnswer(welcome));
  const answered = await base.request(7, Uint8Array.of(1, 1, 0, 0, 0, 255, 0, 0));
  expect(answered.transmissions[0]).toMatchObject({ kind: 'response', tracking: 7, code: 0 });
  expect(answered.events).toContain('setColor');
  // Over a line that is shared, what is no frame would end the session.
  expect((await chip.bySerial.do('log hello')).events).toEqual([]);
  const logged = await base.loop();
  expect(logged.transmissions[0]).toMatchObject({ kind: 'request' });
  expect((await base.pass(14_000)).events.join()).not.toContain('dial');
});

test('sleep: as long as it is told to, but no longer than the chip can', async () => {
  const chip = new Chip(program);
  await chip.start();
  expect((await chip.unit.do('nap 600000')).events).toEqual(['sleep 600000000']);
  expect((await chip.unit.do('nap 86400000')).events).toEqual(['sleep 12000000000']);
});

test('a line unit needs no key, listens, and says so; its serial line provisions and does nothing else', async () => {
  const chip = new Chip(program, 'light');
  expect((await chip.start()).events).toContain('listen 8888');
  await chip.say(improvRpc.wifi('my network', ''));
  const { events } = await chip.wifiIs(wifi.connected);
  // Without a UID it is known by its MAC.
  expect(events).toEqual(expect.arrayContaining(['service unit-010203 _baseunit._tcp 8888', 'txt key=line']));
  expect((await chip.pass(10_000)).uart.length).toBe(0);
  // There is nobody that a line unit could dial.
  expect((await chip.say(identity({ base: 'base.local' }))).events).toContain('listen 8888');
});

test('where the file system reaches into the sectors of the settings it says so, writes nothing and serves nobody', async () => {
  const chip = new Chip(await buildChip(layouts.full));
  const { text, events } = await chip.start();
  expect(text).toMatch(/^E the file system reaches into .*eagle\.flash\.4m2m\.ld/m);
  expect(events).not.toContain('listen 8888');
  expect((await chip.say(identity())).packets).toContainEqual({ kind: 'error', error: 'unknown' });
}, 60_000);
