import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UNIT_SERVICE } from '../../base/discovery/mdns.js';
import { compiled } from './support/compiled.js';
import { type Heard, MdnsMachine } from './support/mdns-machine.js';
import { killed, type LabHost, NetworkLab, whyNoLab } from './support/network-lab.js';

const why = whyNoLab();
if (why !== undefined) process.stderr.write(`LEFT OUT: "mDNS over real multicast" ${why}\n`);

const txt = ['version=1.0', 'definition=led-lamp', 'fingerprint=3c96ba97ee39b7c0', 'key=none'];
const attribute = ({ txt: pairs }: Heard, key: string): string | undefined =>
  pairs?.find(([name]) => name === key)?.[1];

describe.skipIf(why !== undefined)('mDNS over real multicast, by both libraries', () => {
  let lab: NetworkLab;
  let [one, two, three, four] = [] as unknown as [LabHost, LabHost, LabHost, LabHost];
  let avahiHost: LabHost;
  let plainHost: LabHost;
  /** The same contract holds for both. */
  let listeners: readonly MdnsMachine[];

  beforeAll(async () => {
    await compiled();
    lab = await NetworkLab.start();
    const names = ['with-avahi', 'without', 'one', 'two', 'three', 'four'];
    const hosts: LabHost[] = [];
    for (const name of names) hosts.push(await lab.host(name));
    const [withAvahi, without] = hosts as [LabHost, LabHost];
    [one, two, three, four] = hosts.slice(2) as [LabHost, LabHost, LabHost, LabHost];
    avahiHost = withAvahi;
    plainHost = without;
    await Promise.all([withAvahi, one, two, four].map((host) => host.startAvahi()));
    listeners = await Promise.all([
      MdnsMachine.start('mdns', withAvahi),
      MdnsMachine.start('bonjour-service', without),
    ]);
    for (const listener of listeners) listener.browse(UNIT_SERVICE);
  });
  afterAll(() => lab?.close());

  const all = <T>(act: (listener: MdnsMachine) => Promise<T>): Promise<T[]> => Promise.all(listeners.map(act));

  test.concurrent('a service appears, with all it says; its port changes; it goes', async () => {
    let unit = await one.publish('hall', UNIT_SERVICE, 8888, txt);
    for (const service of await all((each) => each.hears('hall', 'appeared'))) {
      expect(service).toMatchObject({ name: 'hall', host: 'one.local', addresses: [one.address], port: 8888 });
      expect(attribute(service, 'definition')).toBe('led-lamp');
      expect(attribute(service, 'fingerprint')).toBe('3c96ba97ee39b7c0');
    }
    await killed(unit, 'SIGTERM');
    unit = await one.publish('hall', UNIT_SERVICE, 9999, [...txt, 'board=native']);
    for (const service of await all((each) => each.hears('hall', 'changed', ({ port }) => port === 9999)))
      expect(attribute(service, 'board')).toBe('native');
    await killed(unit, 'SIGTERM');
    await all((each) => each.hearsNoMore('hall'));
  });

  test.concurrent('it moves to another machine, when the first has said goodbye, and when it has not', async () => {
    const first = await one.publish('attic', UNIT_SERVICE, 8888, txt);
    await all((each) => each.hears('attic', 'appeared', ({ addresses }) => addresses.includes(one.address)));
    await killed(first, 'SIGTERM');
    const second = await four.publish('attic', UNIT_SERVICE, 8888, txt);
    await all((each) => each.hears('attic', 'moved', ({ addresses }) => addresses.join() === four.address));
    // The power of that machine fails: nobody says goodbye.
    await four.killAvahi();
    await killed(second);
    const third = await one.publish('attic', UNIT_SERVICE, 8889, txt);
    const isBack = ({ addresses, port }: Heard): boolean => addresses.join() === one.address && port === 8889;
    await all((each) => each.hears('attic', 'moved back', isBack));
    await killed(third, 'SIGTERM');
  });

  test.concurrent('twenty services at once are all heard', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `unit-${String(index).padStart(2, '0')}`);
    const units: ChildProcess[] = await Promise.all(
      names.map((name, index) => [one, two][index % 2]!.publish(name, UNIT_SERVICE, 9000 + index, txt)),
    );
    await all((each) =>
      Promise.all(names.map((name, index) => each.hears(name, 'appeared', ({ port }) => port === 9000 + index))),
    );
    await Promise.all(units.map((unit) => killed(unit, 'SIGTERM')));
    await all((each) => Promise.all(names.map((name) => each.hearsNoMore(name))));
  });

  test.concurrent('what both announce is heard by the other, and gone when they close', async () => {
    const [byAvahi, byBonjour] = await Promise.all([
      MdnsMachine.start('mdns', one),
      MdnsMachine.start('bonjour-service', three),
    ]);
    const service = { type: UNIT_SERVICE, port: 8080, txt: { name: 'home', version: '1.2.3' } };
    byAvahi!.advertise({ ...service, name: 'by-avahi' });
    byBonjour!.advertise({ ...service, name: 'by-bonjour' });
    for (const [name, host] of [
      ['by-avahi', one],
      ['by-bonjour', three],
    ] as const)
      for (const heard of await all((each) => each.hears(name, 'appeared'))) {
        expect(heard).toMatchObject({ host: `${host.name}.local`, addresses: [host.address], port: 8080 });
        expect([attribute(heard, 'name'), attribute(heard, 'version')]).toEqual(['home', '1.2.3']);
      }
    await Promise.all([byAvahi!.close(), byBonjour!.close()]);
    await all((each) => Promise.all([each.hearsNoMore('by-avahi'), each.hearsNoMore('by-bonjour')]));
  });

  test.concurrent('garbage hurts nobody: a TXT record that is none is told as such, and noise is not heard', async () => {
    const noise = `const { createSocket } = require('node:dgram');
      const socket = createSocket('udp4');
      const head = Buffer.from('000084000000000400000000', 'hex');
      socket.bind(() => {
        for (let index = 0; index < 300; index += 1) {
          const body = require('node:crypto').randomBytes(1 + (index * 7) % 600);
          socket.send(index % 2 ? body : Buffer.concat([head, body]), 5353, '224.0.0.251');
        }
        socket.close();
      });`;
    const noisy = three.spawn([process.execPath, '-e', noise]);
    await new Promise((resolve) => noisy.once('exit', resolve));
    const bad = await one.publish('bad', UNIT_SERVICE, 8888, ['=nameless', 'version=1']);
    const good = await two.publish('good', UNIT_SERVICE, 8888, txt);
    for (const service of await all((each) => each.hears('bad', 'appeared'))) expect(service.txt).toBeUndefined();
    for (const service of await all((each) => each.hears('good', 'appeared')))
      expect(attribute(service, 'version')).toBe('1.0');
    await Promise.all([bad, good].map((unit) => killed(unit, 'SIGTERM')));
    await all((each) => each.hearsNoMore('bad'));
    expect(listeners.map(({ child }) => child.exitCode)).toEqual([null, null]);
  });

  test('the machine itself may get another address: what it asks from there is answered', async () => {
    const unit = await one.publish('later', '_later._tcp', 8888, txt);
    await Promise.all([avahiHost.readdress('10.77.0.101'), plainHost.readdress('10.77.0.102')]);
    // One after the other: what is answered to one, all hear.
    for (const listener of [...listeners].reverse()) {
      listener.browse('_later._tcp');
      await listener.hears('later', 'appeared');
    }
    await killed(unit, 'SIGTERM');
    await all((each) => each.hearsNoMore('later'));
  });

  test('the Avahi daemon may hang: who asks it goes on all the same', async () => {
    const [unit, asking] = await Promise.all([
      one.publish('slow', UNIT_SERVICE, 8888, txt),
      MdnsMachine.start('mdns', avahiHost),
    ]);
    asking.browse(UNIT_SERVICE);
    await asking.hears('slow', 'appeared');
    avahiHost.signalAvahi('SIGSTOP');
    try {
      // Each service is asked for anew after 5 s.
      await new Promise((resolve) => setTimeout(resolve, 7_000));
      const late = new Promise((resolve) => setTimeout(resolve, 5_000, 'too late'));
      expect(await Promise.race([asking.close(), late])).toBeUndefined();
    } finally {
      avahiHost.signalAvahi('SIGCONT');
      await killed(asking.child);
    }
    await killed(unit, 'SIGTERM');
  });

  test('the Avahi daemon may crash and come back', async () => {
    const [byAvahi] = listeners;
    await avahiHost.killAvahi();
    await byAvahi!.says(/lost the Avahi daemon/);
    await avahiHost.startAvahi();
    const unit = await one.publish('after', UNIT_SERVICE, 8888, txt);
    await all((each) => each.hears('after', 'appeared'));
    await killed(unit, 'SIGTERM');
  });
});
