import { onTestFinished } from 'vitest';
import { YamqttClient } from '../../../clients/yamqtt/index.js';
import { eventually, type House, startHouse } from './house.js';

export interface YamqttServer extends House {
  readonly port: number;
  /** What its handler counts, and has. */
  count(name: string): number;
  /** Resolves when clients have so many subscriptions in all. */
  subscribed(subscriptions: number): Promise<void>;
  /** A client of ours, connected, closed after the test. */
  client(): Promise<YamqttClient>;
}

/** A base with flows. `flows` are its rules, `more` the rest of its configuration; port 0: a free one. */
export async function startYamqtt(flows: object = {}, more: object = {}, port = 0): Promise<YamqttServer> {
  const house = await startHouse({ ...more, yamqtt: { tcp: `127.0.0.1:${port}`, flows } });
  const { address } = house.log.find(({ message }) => /YAMQTT/.test(message))!.fields;
  const taken = Number(/:(\d+)$/.exec(String(address))![1]);
  const count = (name: string): number => {
    const handler = house.base.status().handlers.find((each) => each.name === 'yamqtt');
    return handler?.counts[name] ?? handler?.gauges[name] ?? 0;
  };
  return {
    ...house,
    port: taken,
    count,
    subscribed: (subscriptions) =>
      eventually(`${subscriptions} subscriptions`, () => count('subscriptions') === subscriptions),
    client: async () => {
      const client = new YamqttClient({ host: '127.0.0.1', port: taken });
      onTestFinished(() => client.close());
      await client.connect();
      return client;
    },
  };
}
