// Lines of text over TCP: a device says id=tank-1, then level=42, and answers the base's #7 {"pump":true} with #7 done.
import { once } from 'node:events';
import { createBase, defineHandler } from 'baseunit/base';

const lines = defineHandler({
  name: 'lines',
  async listen(context) {
    const devices = new Map();
    const deliver = async (uid, { wireId, payload, timeoutMs, sending }) => {
      const device = devices.get(uid);
      if (device === undefined) return { outcome: 'unreachable', reason: 'it is not connected' };
      await sending('once');
      return new Promise((end) => {
        device.asked = { number: String(wireId), end };
        device.carrier.write(Buffer.from(`#${wireId} ${JSON.stringify(payload.value)}\n`));
        device.connection.sent();
        context.clock.after(timeoutMs, () => end({ outcome: 'timeout', reason: 'it did not answer' }));
      });
    };
    const take = ({ carrier, proved }) => {
      const device = { carrier, connection: undefined, asked: undefined };
      let [uid, text] = [undefined, ''];
      const hear = (line) => {
        const [, number, answer, name, value] = /^(?:#(\d+) (.*)|(\w+)=(.+))$/.exec(line) ?? [];
        device.connection?.received();
        if (uid === undefined) {
          if (name !== 'id' || !context.addUnit({ uid: value }, deliver)) return carrier.destroy();
          proved(); // where devices have secrets: not before it has shown that it knows its own
          devices.get(value)?.carrier.destroy(); // the newest connection wins
          uid = value;
          devices.set(uid, device);
          device.connection = context.connected({ unit: uid, remoteAddress: carrier.remote, source: carrier });
          context.presence(uid, { state: 'online' });
        } else if (name) context.report({ uid, payload: { format: 'json', value: { [name]: Number(value) } } });
        else if (number === undefined || number !== device.asked?.number) context.refused(uid);
        else device.asked.end({ outcome: 'ok', payload: { format: 'utf8', value: answer } });
      };
      const octets = (chunk) => {
        const all = (text + Buffer.from(chunk).toString()).split('\n');
        text = all.pop().slice(0, 1_000); // a line without an end takes no memory
        for (const line of all) hear(line.trim());
      };
      const closed = () => {
        device.connection?.closed();
        device.asked?.end({ outcome: 'unknown', reason: 'the connection was lost before it answered' });
        if (devices.get(uid) !== device || !devices.delete(uid)) return; // a newer one is there
        context.presence(uid, { state: 'offline', reason: 'it is not connected' });
      };
      carrier.attach({ octets, closed, ended: () => carrier.end(), drained: () => {} });
    };
    for (const uid of context.knownUnits()) context.addUnit({ uid }, deliver); // away until they connect
    await context.accept({ host: '0.0.0.0', port: Number(process.env.PORT ?? 4_000) }, take);
    context.ready();
    await once(context.signal, 'abort');
  },
});

const base = await createBase({ config: process.argv[2] ?? 'base.json' });
await base.use(lines).run();
