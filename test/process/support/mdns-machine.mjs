/**
 * A machine that listens to mDNS with one of the base's two libraries, and announces: what it hears it prints, a line of
 * JSON each; what it is to do comes in on stdin, the same way. The sources are compiled by then.
 * `node mdns-machine.mjs mdns|bonjour-service`.
 */
import { createInterface } from 'node:readline';

const { systemClock: clock, systemRandom: random } = await import('../../../dist/base/system.js');
const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const said = (level) => (fields, message) => print({ log: level, message, ...fields });
const log = { debug() {}, info: said('info'), warn: said('warn'), error: said('error') };
const options = { interface: 'eth0', clock, random, log };

const mdns = await (process.argv[2] === 'mdns' ? avahi() : bonjour());

async function avahi() {
  const { loadAvahi } = await import('../../../dist/base/discovery/avahi/avahi-library.js');
  const { AvahiMdns } = await import('../../../dist/base/discovery/avahi/avahi-mdns.js');
  return new AvahiMdns(options, await loadAvahi());
}

async function bonjour() {
  const { BonjourMdns } = await import('../../../dist/base/discovery/bonjour/bonjour-mdns.js');
  return new BonjourMdns(options).start();
}

const acts = {
  browse: ({ type }) =>
    mdns.browse(type, (event) => {
      const { service } = event;
      print(
        service === undefined ? event : { ...event, service: { ...service, txt: service.txt && [...service.txt] } },
      );
    }),
  advertise: ({ service }) => mdns.advertise(service),
  close: async () => {
    await mdns.close();
    print({ kind: 'closed' });
    process.stdin.destroy();
  },
};
createInterface({ input: process.stdin }).on('line', (line) => {
  const act = JSON.parse(line);
  void acts[act.do](act);
});
print({ kind: 'ready' });
