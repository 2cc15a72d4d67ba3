import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Base } from '../../base/base-program.js';
import { loadConfiguration } from '../../base/config/load-config.js';
import { findRunning } from '../../base/config/running-file.js';
import { openHere } from '../../base/engine/embedded/sqlite-port.js';
import {
  defineHandler,
  type Handler,
  type HandlerContext,
  MemoryStatistics,
  type StatusApi,
} from '../../base/index.js';
import { loadHandlers } from '../../base/load-handlers.js';
import { systemClock, systemRandom } from '../../base/system.js';
import { QuietLog } from '../support/quiet-log.js';

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'baseunit-program-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function makeBase(content: object = {}, own: Partial<ConstructorParameters<typeof Base>[0]> = {}) {
  const folder = temporaryFolder();
  const file = join(folder, 'base.json');
  writeFileSync(file, JSON.stringify(content), { mode: 0o600 });
  const log = new QuietLog();
  const { configuration } = loadConfiguration(file, new Map());
  const machine = { clock: systemClock, random: systemRandom, openFile: openHere };
  const base = new Base({ configuration, token: 't', version: '0', stateFolder: folder, log, ...machine, ...own });
  onTestFinished(() => base.stop());
  return { base, log, folder };
}

const until = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** Serves one unit, `probe`, that answers every command with its own payload. */
const echo = (own: Partial<Handler> = {}): Handler =>
  defineHandler({
    name: 'echo',
    async listen(context) {
      context.addUnit({ uid: 'probe' }, async (_uid, { payload }) => ({ outcome: 'ok', payload: payload as never }));
      context.connected({ unit: 'probe', remoteAddress: 'here' });
      context.presence('probe', { state: 'online' });
      context.ready();
      await until(context.signal);
    },
    ...own,
  });

describe('the life of a base', () => {
  test('created, started, gracefully stopped; it tells command-line tools that it runs, and may be stopped twice', async () => {
    const { base, log, folder } = makeBase({ name: 'home', http: { listen: '127.0.0.1:0' } });
    expect([base.state, base.apiUrl]).toEqual(['created', undefined]);
    expect(() => base.units()).toThrow(/does not run/);
    base.use(echo());
    expect(await base.start()).toBe(base);
    expect(base.state).toBe('started');
    expect(await base.start()).toBe(base);
    expect(findRunning(folder)).toMatchObject({ pid: process.pid, url: base.apiUrl });
    expect(base.status()).toMatchObject({ name: 'home', state: 'started', connections: 1 });
    expect(base.connections()).toMatchObject([{ unit: 'probe', handler: 'echo' }]);
    expect(base.unit('probe')).toMatchObject({ state: 'online' });
    expect(await base.command({ unit: 'probe', command: 'request', payload: { a: 1 } })).toMatchObject({
      outcome: 'ok',
      source: 'program',
      payload: { format: 'json', value: { a: 1 } },
    });
    await Promise.all([base.stop(), base.stop()]);
    expect(base.state).toBe('gracefully_stopped');
    expect(findRunning(folder)).toBeUndefined();
    expect(log.lines.at(-1)).toMatchObject({ fields: { state: 'gracefully_stopped' }, message: 'stopped' });
    await base.stop();
  });

  test('stopped before it was started, or while it starts, it does not start', async () => {
    const { base } = makeBase();
    await base.stop();
    await expect(base.start()).rejects.toMatchObject({ code: 'stopped' });
    const { base: second } = makeBase();
    const starting = second.start();
    await second.stop();
    await expect(starting).rejects.toMatchObject({ code: 'stopped' });
    expect(second.state).toBe('created');
    const { base: third } = makeBase();
    await expect(third.start(AbortSignal.abort())).rejects.toMatchObject({ code: 'stopped' });
  });

  test('a handler whose `stopping` never resolves holds the stop up for its share, and no longer', async () => {
    const { base } = makeBase({ shutdownTimeoutS: 2 });
    await base.use(echo({ stopping: () => new Promise(() => {}) })).start();
    const from = performance.now();
    await base.stop();
    expect(performance.now() - from).toBeGreaterThan(200);
    expect(performance.now() - from).toBeLessThan(2_000);
    expect(base.state).toBe('gracefully_stopped');
  });

  test('while one handler tells others that the base stops, the rest take nobody any more', async () => {
    const { base } = makeBase();
    const told: string[] = [];
    let signalOfEcho: AbortSignal | undefined;
    const slow = echo({
      name: 'slow',
      async listen(context) {
        context.ready();
        await until(context.signal);
        told.push('slow lets go');
      },
      async stopping() {
        await until(signalOfEcho!);
        told.push('slow has told');
      },
    });
    const quick = echo({
      async listen(context) {
        signalOfEcho = context.signal;
        context.ready();
        await until(context.signal);
        told.push('echo lets go');
      },
    });
    await base.use(slow).use(quick).start();
    await base.stop();
    expect(told).toEqual(['echo lets go', 'slow has told', 'slow lets go']);
  });

  test('a handler that does not let go is left behind: the stop was forced, says which, and its command has an outcome', async () => {
    const { base, log } = makeBase({ shutdownTimeoutS: 2 });
    const hanging = defineHandler({
      name: 'hanging',
      listen: (context: HandlerContext) => {
        context.addUnit({ uid: 'stuck' }, () => new Promise(() => {}));
        context.presence('stuck', { state: 'online' });
        context.ready();
        return new Promise(() => {});
      },
    });
    await base.use(hanging).start();
    const asked = base.command({ unit: 'stuck', command: 'request', payload: 1 });
    const from = performance.now();
    await base.stop();
    expect(performance.now() - from).toBeLessThan(2_000);
    expect(base.state).toBe('stopped');
    expect(await asked).toMatchObject({ outcome: 'unknown' });
    expect(log.lines.some(({ fields, message }) => fields.dialect === 'hanging' && /did not end/.test(message))).toBe(
      true,
    );
  });
});

describe('what a program may replace', () => {
  test('where figures of connections are kept, and the status API', async () => {
    const statistics = new MemoryStatistics(systemClock);
    const calls: string[] = [];
    const statusApi: StatusApi = {
      async start({ status, connections }) {
        calls.push(`${status.status().state} ${connections.size}`);
        return { url: 'http://mine.example' };
      },
      async stop() {
        calls.push('stop');
      },
      get subscribers(): number {
        throw new Error('mine');
      },
    };
    const { base } = makeBase({}, { statistics, statusApi });
    await base.use(echo()).start();
    expect(statistics.size).toBe(1);
    expect(base.connectorUrl).toBe('http://mine.example');
    expect(base.status().sseSubscribers).toBe(0);
    await base.stop();
    expect(calls).toEqual(['created 0', 'stop']);
  });

  test('whoever hears of messages may fail, at once or later, and nobody else notices', async () => {
    let heard = 0;
    const fail = (): Promise<void> => {
      heard += 1;
      if (heard === 1) throw new Error('at once');
      return Promise.reject(undefined);
    };
    const { base, log } = makeBase({}, { hear: fail });
    await base.use(echo()).start();
    expect(await base.command({ unit: 'probe', command: 'request', payload: 1 })).toMatchObject({ outcome: 'ok' });
    const errors = log.lines.filter(({ level }) => level === 'error').map(({ fields }) => fields.error);
    expect(errors).toEqual(expect.arrayContaining(['at once', 'undefined']));
  });

  test('topics can be heard before it starts', async () => {
    const { base } = makeBase();
    const heard: string[] = [];
    base.topics.subscribe('connections::established', ({ unit }) => void heard.push(unit));
    await base.use(echo()).start();
    await base.stop();
    expect(heard).toEqual(['probe']);
  });
});

describe('handlers that cannot be used', () => {
  test.each([
    [{ ...echo(), name: 'Echo' }, /"Echo" is no name/],
    [{ ...echo(), name: 'connector' }, /"connector".*itself/],
    [{ name: 'mine' } as Handler, /needs a name, and a function listen/],
    [undefined as unknown as Handler, /needs a name/],
  ])('are refused, with why', (handler, why) => {
    expect(() => makeBase().base.use(handler)).toThrow(why);
  });

  test('two of one name, and one that comes too late', async () => {
    const { base } = makeBase();
    expect(() => base.use(echo()).use(echo())).toThrow(/named "echo" already/);
    await base.start();
    expect(() => base.use(echo({ name: 'late' }))).toThrow(/before it starts/);
  });

  test('modules of the configuration: one handler or a list; what is none is refused by its path', async () => {
    const folder = temporaryFolder();
    const module = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const one = module('one.mjs', 'export default { name: "one", async listen() {} }');
    const list = module('list.mjs', 'export default ["two", "three"].map((name) => ({ name, async listen() {} }))');
    expect((await loadHandlers([one, list])).map(({ name }) => name)).toEqual(['one', 'two', 'three']);
    const cases = [
      [[module('none.mjs', 'export const handler = 1')], /none\.mjs is no handler/],
      [[module('broken.mjs', 'throw new Error("oh")')], /broken\.mjs cannot be loaded: oh/],
      [[module('ours.mjs', 'export default { name: "unit", async listen() {} }')], /ours\.mjs: .*"unit"/],
      [[one, one], /one\.mjs: there is a handler named "one" already/],
    ] as const;
    for (const [paths, why] of cases)
      await expect(loadHandlers(paths)).rejects.toMatchObject({
        code: 'config-invalid',
        message: expect.stringMatching(why),
      });
  });
});
