import { describe, expect, it } from 'vitest';
import { yamqttLimitRanges } from '../../../base/config/yamqtt-limits-schema.js';
import { defaultYamqttLimits } from '../../../base/dialects/yamqtt/yamqtt-limits.js';
import { configured, KEY, load, problems } from './config-file.js';

const tcp = '127.0.0.1:1884';
const lamp = { definition: 'led-lamp', address: '192.0.2.1', key: KEY };
const light = { definition: 'light-sensor', address: '192.0.2.2' };
const units = {
  known: {
    'kitchen-lamp': lamp,
    hall: light,
    'hall.light': { ...light, address: '192.0.2.3' },
    roof: { ...light, address: '192.0.2.4' },
  },
};

const yamqttOf = (yamqtt: object) => configured({ units, yamqtt: { tcp, ...yamqtt } }).yamqtt!;
const wrong = (change: object, known: object = units) =>
  problems({ units: known, yamqtt: { tcp, ...change } }).map((line) => line.replace(/^yamqtt\.?/, '').trim());
const reportOf = (report: string) => yamqttOf({ flows: { 42: { report } } }).flows.get(42)!.report;
const commandOf = (command: string) => yamqttOf({ flows: { 42: { command } } }).flows.get(42)!.command;

describe('the yamqtt section', () => {
  it('is switched off where it is absent', () => {
    expect(configured({}).yamqtt).toBeUndefined();
  });

  it('has the port of the original, and no rules', () => {
    expect(configured({ yamqtt: { tcp: '0.0.0.0' } }).yamqtt).toEqual({
      listen: { host: '0.0.0.0', port: 1884 },
      flows: new Map(),
      limits: defaultYamqttLimits,
    });
  });

  it('has rules by numbers', () => {
    const flows = {
      1: { report: 'hall.light' },
      65535: { command: 'kitchen-lamp.set', report: 'board.telemetry' },
    };
    expect(yamqttOf({ flows }).flows).toEqual(
      new Map([
        [1, { report: { unit: 'hall', report: 'light', field: undefined } }],
        [
          65535,
          {
            report: { unit: 'board', report: 'telemetry' },
            command: { unit: 'kitchen-lamp', command: 'set' },
          },
        ],
      ]),
    );
  });

  it.each([
    [{ tcp: undefined }, ['tcp is missing; write "0.0.0.0:1884"']],
    [{ listen: tcp }, [expect.stringMatching(/^listen is unknown/)]],
    [{ flows: [] }, ['flows must be an object, not a list; write { "42": { "report": "thermometer.reading" } }']],
    [{ flows: { 42: 'hall.light' } }, [expect.stringMatching(/^flows\.42 must be an object, not a string/)]],
    [
      { flows: { 42: {} } },
      ['flows.42 says nothing; write "report": "thermometer.reading", "command": "kitchen-lamp.set" or both'],
    ],
    [
      { flows: { 42: { reports: 'hall.light', command: 'kitchen-lamp.set' } } },
      ['flows.42.reports is unknown; did you mean report?'],
    ],
    [{ flows: { 42: { report: 5 } } }, [expect.stringMatching(/^flows\.42\.report must be a string, not a number/)]],
    [{ flows: { 42: { report: '' } } }, ['flows.42.report is empty; write "thermometer.reading"']],
  ])('%j is refused, with what to write', (change, expected) => {
    expect(wrong(change)).toEqual(expected);
  });

  it.each(['0', '65536', '042', '-1', '1.5', '4e3', 'x', '', ' 1', '100000', '__proto'])('%j is no flow', (flow) => {
    expect(wrong({ flows: { [flow]: { report: 'hall.light' } } })).toEqual([
      `flows.${flow} is no flow; write a whole number from 1 to 65535, as "42"`.trim(),
    ]);
  });

  it('listens where nothing else does', () => {
    expect(problems({ elfin: { tcp }, yamqtt: { tcp: '0.0.0.0:1884' } })).toEqual([
      expect.stringMatching(
        /^yamqtt\.tcp 0\.0\.0\.0:1884 cannot be listened at twice: elfin\.tcp is 127\.0\.0\.1:1884/,
      ),
    ]);
  });
});

describe('a report rule', () => {
  it('names a report of a typed unit, or one field of it', () => {
    expect(reportOf('roof.light')).toEqual({ unit: 'roof', report: 'light' });
    expect(reportOf('roof.light.level')).toEqual({ unit: 'roof', report: 'light', field: 'level' });
  });

  it('belongs to the longest unit that it begins with', () => {
    expect(reportOf('hall.light')).toEqual({ unit: 'hall', report: 'light' });
    expect(reportOf('hall.light.light')).toEqual({ unit: 'hall.light', report: 'light' });
    expect(reportOf('hall.light.light.level')).toEqual({ unit: 'hall.light', report: 'light', field: 'level' });
  });

  it('names what a unit reports that is not typed', () => {
    expect(reportOf('board.telemetry')).toEqual({ unit: 'board', report: 'telemetry' });
    expect(reportOf('F0:FE:6B:01:02:03.telemetry')).toEqual({ unit: 'F0:FE:6B:01:02:03', report: 'telemetry' });
    expect(reportOf('a.b.c.telemetry')).toEqual({ unit: 'a.b.c', report: 'telemetry' });
  });

  const strangers = 'For a unit that is not typed write "<unit>.telemetry"';
  it.each([
    ['hall.lihgt', 'names the report "lihgt", which hall does not have; did you mean hall.light?'],
    ['hall.temperature', 'names the report "temperature", which hall does not have; it has hall.light'],
    ['hall.constructor', 'names the report "constructor", which hall does not have; it has hall.light'],
    ['hall', 'names no report of hall; it has hall.light'],
    ['hall.', 'names no report of hall; it has hall.light'],
    ['hall.telemetry', 'names the report "telemetry", which hall does not have; it has hall.light'],
    ['roof.light.levle', 'names the field "levle", which roof.light does not have; did you mean roof.light.level?'],
    ['kitchen-lamp.set', 'names a report of kitchen-lamp, which has none'],
    [
      'kitchenlamp.state',
      `"kitchenlamp.state" begins with no unit of units.known; did you mean kitchen-lamp? ${strangers}`,
    ],
    ['board.reading', `"board.reading" begins with no unit of units.known; ${strangers}`],
    ['.telemetry', `".telemetry" begins with no unit of units.known; ${strangers}`],
    ['telemetry', `"telemetry" begins with no unit of units.known; ${strangers}`],
    ['board.telemetry.celsius', `"board.telemetry.celsius" begins with no unit of units.known; ${strangers}`],
    [
      `${'b'.repeat(129)}.telemetry`,
      'names a unit whose name is none: it has 1 to 128 characters, and no control characters',
    ],
  ])('%s is refused', (report, what) => {
    expect(wrong({ flows: { 42: { report } } })).toEqual([`flows.42.report ${what}`]);
  });

  it('of a unit that is wrong itself tells nothing more', () => {
    const known = { known: { hall: { ...light, definition: 'light-sensors' } } };
    expect(wrong({ flows: { 42: { report: 'hall.lihgt' } } }, known)).toEqual([
      expect.stringMatching(/^units\.known\.hall\.definition .*did you mean light-sensor/),
    ]);
    for (const definition of [{}, 5, { reports: {} }]) {
      const file = { known: { hall: { ...light, definition } } };
      expect(wrong({ flows: { 42: { report: 'hall.x', command: 'hall.x' } } }, file)).toHaveLength(1);
    }
    expect(wrong({ flows: { 42: { report: 'hall.x' } } }, [])).toHaveLength(2);
  });
});

describe('a command rule', () => {
  it('names a command of a typed unit, or what units take that are not', () => {
    expect(commandOf('kitchen-lamp.set')).toEqual({ unit: 'kitchen-lamp', command: 'set' });
    expect(commandOf('board.request')).toEqual({ unit: 'board', command: 'request' });
    expect(commandOf('a.b.query')).toEqual({ unit: 'a.b', command: 'query' });
  });

  const strangers = 'For a unit that is not typed write "<unit>.request" or "<unit>.query"';
  it.each([
    ['kitchen-lamp.sett', 'names the command "sett", which kitchen-lamp does not have; did you mean kitchen-lamp.set?'],
    ['kitchen-lamp.query', 'names the command "query", which kitchen-lamp does not have; it has kitchen-lamp.set'],
    ['kitchen-lamp', 'names no command of kitchen-lamp; it has kitchen-lamp.set'],
    ['hall.on', 'names a command of hall, which has none'],
    ['hal.telemetry', `"hal.telemetry" begins with no unit of units.known; did you mean hall? ${strangers}`],
  ])('%s is refused', (command, what) => {
    expect(wrong({ flows: { 42: { command } } })).toEqual([`flows.42.command ${what}`]);
  });

  it('and a report rule of one flow are told each', () => {
    expect(
      wrong({ flows: { 42: { report: 'hall.x', command: 'hall.x' }, 43: { command: 'kitchen-lamp.x' } } }),
    ).toEqual([
      expect.stringMatching(/^flows\.42\.report /),
      expect.stringMatching(/^flows\.42\.command /),
      expect.stringMatching(/^flows\.43\.command /),
    ]);
  });
});

describe('yamqtt.limits', () => {
  const atBounds = (which: 0 | 1, past = 0) =>
    Object.fromEntries(Object.entries(yamqttLimitRanges).map(([name, range]) => [name, range[which] + past]));

  it('have a range each, with the default in it', () => {
    expect(Object.keys(yamqttLimitRanges).sort()).toEqual(Object.keys(defaultYamqttLimits).sort());
    for (const [name, [min, max]] of Object.entries(yamqttLimitRanges)) {
      const value = defaultYamqttLimits[name as 'clients'];
      expect(min <= value && value <= max, name).toBe(true);
    }
  });

  it.each([0, 1] as const)('are taken at their bounds (%d)', (which) => {
    expect(yamqttOf({ limits: atBounds(which) }).limits).toEqual(atBounds(which));
  });

  it.each([
    [0, -1],
    [1, 1],
  ] as const)('are refused past their bounds (%d, %d)', (which, past) => {
    const refused = Object.entries(yamqttLimitRanges).map(
      ([name, [min, max]]) => `limits.${name} must be ${min} to ${max}`,
    );
    expect(wrong({ limits: atBounds(which, past) })).toEqual(expect.arrayContaining(refused));
  });

  it('that contradict each other are refused, at the one that is written', () => {
    expect(wrong({ limits: { subscriptions: 5 } })).toEqual([
      'limits.subscriptions is 5, less than subscriptionsPerClient, which is 1024 unless you write another',
    ]);
    expect(wrong({ limits: { silentClientsPerAddress: 1_025 } })).toEqual([
      'limits.silentClientsPerAddress is 1025, more than silentClients, which is 1024 unless you write another',
    ]);
    expect(wrong({ limits: { unsentOctets: 67_108_864, commandsAtOnce: 16 } })).toEqual([]);
    expect(wrong({ limits: { unsentOctets: 67_108_865, commandsAtOnce: 15 } })).toEqual([
      'limits.unsentOctets is 67108865, more than unsentOctetsInAll, which is 67108864 unless you write another',
      'limits.commandsAtOnce is 15, less than commandsPerClient, which is 16 unless you write another',
    ]);
  });
});

describe('what should be known at the start', () => {
  const warningsOf = (yamqtt: object) =>
    load({ units, yamqtt }).warnings.filter((warning) => warning.startsWith('yamqtt'));
  const open =
    'yamqtt.tcp: whoever reaches it can publish on every flow and hear every flow; YAMQTT has no passwords and no TLS';

  it('flows on a network', () => {
    expect(warningsOf({ tcp: '0.0.0.0', flows: { 1: { report: 'hall.light' } } })).toEqual([open]);
  });

  it('loudly, flows on a network that command units', () => {
    const flows = Object.fromEntries(
      ['kitchen-lamp.set', 'a.query', 'b.request', 'c.query', 'd.query'].map((command, index) => [
        index + 1,
        { command },
      ]),
    );
    const loud = 'yamqtt.flows: WHOEVER REACHES yamqtt.tcp CAN COMMAND';
    expect(warningsOf({ tcp: '[::]', flows: { 1: flows[1] } })).toEqual([
      open,
      `${loud} kitchen-lamp.set, with no password. Take the "command" out, or listen at 127.0.0.1`,
    ]);
    expect(warningsOf({ tcp: '[::]', flows })[1]).toContain(
      `${loud} kitchen-lamp.set, a.query, b.request and 2 more, with no password`,
    );
  });

  it('nothing of it on this machine alone', () => {
    expect(warningsOf({ tcp, flows: { 1: { command: 'kitchen-lamp.set' } } })).toEqual([]);
  });
});
