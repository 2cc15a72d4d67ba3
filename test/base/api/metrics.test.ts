import { describe, expect, it } from 'vitest';
import { metrics } from '../../../base/api/metric-list.js';
import { outcomeKinds } from '../../../base/core/messages.js';
import { outcomeOf } from './known-units.js';
import { type RunningApi, startApi } from './running-api.js';

const help = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (\S.*)$/;
const type = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge)$/;
const sample =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)+\})? (-?[0-9.]+(?:e[+-]?\d+)?|NaN|[+-]Inf)$/;

/** Every sample by name and labels. Fails where a line is none of the exposition format, or comes twice, or in the wrong place. */
function read(text: string): Map<string, number> {
  expect(text.endsWith('\n')).toBe(true);
  const samples = new Map<string, number>();
  let described = '';
  let typed = '';
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, name, labels = '', value] = sample.exec(line) ?? [];
    if (name !== undefined) {
      expect([line, name]).toEqual([line, typed]);
      expect(samples.has(name + labels), line).toBe(false);
      samples.set(name + labels, Number(value));
    } else if (type.test(line)) {
      typed = type.exec(line)![1]!;
      expect([line, typed]).toEqual([line, described]);
    } else {
      expect(line).toMatch(help);
      described = help.exec(line)![1]!;
    }
  }
  return samples;
}

async function scrape({ call }: RunningApi): Promise<Map<string, number>> {
  const { status, headers, body } = await call('/metrics');
  expect(status).toBe(200);
  expect(headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  return read(body);
}

describe('the metrics', () => {
  it('are of the exposition format, each with its help and its type', async () => {
    const running = await startApi();
    const { body } = await running.call('/metrics');
    read(body);
    for (const { name, kind, help: text } of metrics) {
      expect(body).toContain(`# HELP ${name} ${text}\n# TYPE ${name} ${kind}\n`);
      expect(name.endsWith('_total')).toBe(kind === 'counter');
    }
    expect(new Set(metrics.map(({ name }) => name)).size).toBe(metrics.length);
  });

  it('say what the parts of the base say', async () => {
    const running = await startApi();
    const { figures } = running;
    figures.units = [
      { dialect: 'unit', state: 'online', count: 3 },
      { dialect: 'unit', state: 'offline', count: 1 },
      { dialect: 'my-own', state: 'online', count: 7 },
    ];
    figures.waiting = { commands: 4, queries: 2 };
    figures.sseSubscribers = 5;
    figures.delay = { meanS: 0.001, p99S: 0.02, maxS: 0.5 };
    Object.assign(figures, { kept: 6, lost: 8, commits: 9, dropped: 10 });
    figures.handlers = [
      { name: 'unit', state: 'running', faults: 0, counts: {}, gauges: {} },
      {
        name: 'my-own',
        state: 'failed',
        faults: 2,
        counts: { refused: 11, 'odd "name"\\\n': 12 },
        gauges: { clients: 3 },
      },
    ];
    running.outbox.second.isDisabled = true;
    running.outbox.second.kill(13);
    const samples = await scrape(running);
    const expected = {
      'info{version="1.2.3"}': 1,
      start_time_seconds: Date.UTC(2026, 0, 1) / 1_000,
      'units{dialect="unit",state="online"}': 3,
      'units{dialect="unit",state="offline"}': 1,
      'units{dialect="my-own",state="online"}': 7,
      'waiting{kind="command"}': 4,
      'waiting{kind="query"}': 2,
      'outbox_waiting{endpoint="webhook-1"}': 3,
      'outbox_octets{endpoint="webhook-1"}': 1_234,
      'outbox_dead_letters{endpoint="dashboard"}': 13,
      'outbox_working{endpoint="webhook-1"}': 1,
      'outbox_working{endpoint="dashboard"}': 0,
      'outbox_delivered_total{endpoint="webhook-1"}': 17,
      'outbox_refused_total{endpoint="webhook-1"}': 1,
      store_commits_waiting: 9,
      lost_readings_total: 8,
      kept_transmissions: 6,
      'handler_running{handler="unit"}': 1,
      'handler_running{handler="my-own"}': 0,
      'handler_faults_total{handler="my-own"}': 2,
      'handler_events_total{handler="my-own",event="refused"}': 11,
      'handler_gauge{handler="my-own",gauge="clients"}': 3,
      'handler_events_total{handler="my-own",event="odd \\"name\\"\\\\\\n"}': 12,
      topic_faults_total: 0,
      topic_events_dropped_total: 10,
      statistics_faults_total: 0,
      event_streams: 5,
      active_handles: 12,
      memory_allocated_bytes: 64.5 * 1_024 * 1_024,
      memory_heap_bytes: 20.25 * 1_024 * 1_024,
      memory_system_bytes: 1_024 * 1_024 * 1_024,
      event_loop_delay_mean_seconds: 0.001,
      event_loop_delay_p99_seconds: 0.02,
      event_loop_delay_max_seconds: 0.5,
    };
    for (const [name, value] of Object.entries(expected))
      expect([name, samples.get(`baseunit_${name}`)]).toEqual([name, value]);
  });

  it('count messages and connections by handler, also of connections that are closed', async () => {
    const running = await startApi();
    const { connections } = running.figures;
    const open = (unit: string, handler: string, buffered = 0) =>
      connections.opened({ unit, remoteAddress: '10.0.0.1:1', source: { buffered } }, handler);
    const first = open('secret-name', 'connector', 100);
    const second = open('b', 'connector', 250);
    open('c', 'unit');
    for (const each of [first, first, second]) each.received();
    first.sent();
    const before = await scrape(running);
    const figure = (samples: Map<string, number>, name: string, handler: string) =>
      samples.get(`baseunit_${name}{handler="${handler}"}`);
    expect(figure(before, 'connections', 'connector')).toBe(2);
    expect(figure(before, 'buffered_octets', 'connector')).toBe(350);
    expect(figure(before, 'buffered_octets_max', 'connector')).toBe(250);
    second.closed();
    first.closed();
    first.closed();
    const after = await scrape(running);
    expect(figure(after, 'connections', 'connector')).toBe(0);
    expect(figure(after, 'buffered_octets', 'connector')).toBe(0);
    expect(figure(after, 'buffered_octets_max', 'connector')).toBe(0);
    for (const samples of [before, after]) {
      expect(figure(samples, 'connections', 'unit')).toBe(1);
      expect(figure(samples, 'connections_established_total', 'connector')).toBe(2);
      expect(figure(samples, 'received_messages_total', 'connector')).toBe(3);
      expect(figure(samples, 'sent_messages_total', 'connector')).toBe(1);
      expect(figure(samples, 'received_messages_total', 'unit')).toBe(0);
      expect(JSON.stringify([...samples])).not.toContain('secret-name');
    }
  });

  it('count reports, commands and outcomes of each kind', async () => {
    const running = await startApi();
    const { bus } = running;
    const request = { id: 'a', unit: 'secret-name', command: 'stop', source: 'api' };
    const before = await scrape(running);
    expect(before.get('baseunit_reports_total')).toBe(0);
    for (const outcome of outcomeKinds) expect(before.get(`baseunit_outcomes_total{outcome="${outcome}"}`)).toBe(0);
    const report = { id: 'a/1/1', unit: 'secret-name', report: 'x', fields: {}, boot: 1, sequence: 1 };
    bus.publish({ kind: 'report', ...report, measuredAt: 1, receivedAt: 1 });
    bus.publish({ kind: 'report', ...report, measuredAt: 1, receivedAt: 1 });
    bus.publish({ kind: 'command', ...request, fields: {}, acceptedAt: 1, expiresAt: 2 });
    for (const outcome of ['ok', 'refused', 'refused'] as const) bus.publish(outcomeOf(request, { outcome }));
    const samples = await scrape(running);
    expect(samples.get('baseunit_reports_total')).toBe(2);
    expect(samples.get('baseunit_commands_total')).toBe(1);
    expect(samples.get('baseunit_outcomes_total{outcome="ok"}')).toBe(1);
    expect(samples.get('baseunit_outcomes_total{outcome="refused"}')).toBe(2);
    expect(samples.get('baseunit_outcomes_total{outcome="timeout"}')).toBe(0);
    expect(JSON.stringify([...samples])).not.toContain('secret-name');
  });

  it('leave out what is no count, and have all others', async () => {
    const running = await startApi();
    const counts = { good: 1, below: -1, none: Number.NaN, endless: Number.POSITIVE_INFINITY };
    running.figures.handlers = [{ name: 'odd', state: 'running', faults: 0, counts, gauges: {} }];
    const samples = await scrape(running);
    const events = [...samples.keys()].filter((name) => name.startsWith('baseunit_handler_events_total'));
    expect(events).toEqual(['baseunit_handler_events_total{handler="odd",event="good"}']);
  });

  it('have one line for each label, whatever the number of connections is', async () => {
    const running = await startApi();
    for (let index = 0; index < 10_000; index += 1)
      running.figures.connections.opened({ unit: `u${index}`, remoteAddress: '10.0.0.1:1' }, 'connector');
    const samples = await scrape(running);
    expect(samples.get('baseunit_connections{handler="connector"}')).toBe(10_000);
    expect(samples.size).toBeLessThan(80);
  });

  it('measure the event loop while the API runs, and nothing is left behind', async () => {
    const { api, figures, bus } = await startApi();
    expect(figures.loop).toEqual(['start']);
    await api.stop();
    expect(figures.loop).toEqual(['start', 'stop']);
    expect(bus.hearers).toBe(0);
  });
});
