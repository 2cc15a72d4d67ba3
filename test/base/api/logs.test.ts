import { describe, expect, it } from 'vitest';
import { logsSchema } from '../../../base/api/api-schemas.js';
import type { LogLine } from '../../../base/core/messages.js';
import { openStream, type RunningApi, startApi } from './running-api.js';

const path = '/api/v1/units/barrel/logs';

const line = (level: LogLine['level'], text: string, more: Partial<LogLine> = {}): LogLine => ({
  kind: 'log',
  unit: 'barrel',
  level,
  text,
  at: 5,
  ...more,
});

/** As the router does: kept, then told. */
function write({ units, bus }: RunningApi, ...lines: LogLine[]): void {
  for (const each of lines) {
    units.lines.push(each);
    bus.publish(each);
  }
}

describe('the log of a unit', () => {
  it('has its lines in order, with what was left out', async () => {
    const running = await startApi();
    write(running, line('debug', 'a'), line('error', 'b', { leftOut: 17 }), line('info', 'other', { unit: 'board' }));
    const { status, body } = await running.call(path);
    expect(status).toBe(200);
    expect(body).toEqual({
      unit: 'barrel',
      lines: [
        { level: 'debug', text: 'a', at: 5 },
        { level: 'error', text: 'b', at: 5, leftOut: 17 },
      ],
      lastEventId: expect.stringMatching(/^\d+$/),
    });
    expect(logsSchema.strict().parse(body)).toEqual(body);
  });

  it('is empty where nothing was written, of every kind of unit', async () => {
    const { call } = await startApi();
    for (const unit of ['barrel', 'board']) expect((await call(`/api/v1/units/${unit}/logs`)).body.lines).toEqual([]);
  });

  it('has a level and what is more serious, where that is asked', async () => {
    const running = await startApi();
    write(running, line('debug', 'd'), line('info', 'i'), line('warn', 'w'), line('error', 'e'));
    const texts = async (level: string) =>
      (await running.call(`${path}?level=${level}`)).body.lines.map(({ text }: LogLine) => text).join('');
    expect(await Promise.all(['debug', 'info', 'warn', 'error'].map(texts))).toEqual(['diwe', 'iwe', 'we', 'e']);
  });

  it('refuses another level, another question, and a unit that there is not', async () => {
    const { call } = await startApi();
    expect(await call(`${path}?level=loud`)).toMatchObject({ status: 400, body: { detail: /level/ } });
    expect((await call(`${path}?lines=3`)).status).toBe(400);
    expect(await call('/api/v1/units/nobody/logs')).toMatchObject({
      status: 404,
      body: { detail: expect.stringContaining('There is no unit "nobody"; there are: kitchen-lamp') },
    });
  });

  it('goes on in the event stream, with nothing twice and nothing missing', async () => {
    const running = await startApi();
    const first = await running.call(path);
    write(running, line('info', 'before'));
    const { body } = await running.call(path);
    expect(body.lines).toHaveLength(1);
    write(running, line('info', 'between'), line('info', 'other', { unit: 'board' }));
    const stream = (lastId: string) =>
      openStream(running.port, {
        path: '/api/v1/events?unit=barrel&kind=log',
        headers: `Last-Event-ID: ${lastId}\r\n`,
      });
    const [fromStart, fromThere] = await Promise.all([stream(first.body.lastEventId), stream(body.lastEventId)]);
    write(running, line('info', 'after'));
    const heard = async (client: typeof fromStart) =>
      [...(await client.until('"text":"after"')).matchAll(/"text":"(\w+)"/g)].map(([, text]) => text);
    expect(await heard(fromStart)).toEqual(['before', 'between', 'after']);
    expect(await heard(fromThere)).toEqual(['between', 'after']);
    expect(fromStart.received + fromThere.received).not.toContain('event: gap');
  });
});
