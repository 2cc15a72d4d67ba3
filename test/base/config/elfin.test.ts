import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { elfinLimitRanges } from '../../../base/config/elfin-limits-schema.js';
import { defaultElfinLimits } from '../../../base/dialects/elfin/elfin-limits.js';
import { type Certificates, makeCertificates } from '../uplinks/certificates.js';
import { configured, load, problems } from './config-file.js';
import { folderOfPairs } from './folder-of-pairs.js';

const tcp = '127.0.0.1:3001';
const wrong = (change: object) =>
  problems({ elfin: { tcp, ...change } }).map((line) => line.replace(/^elfin\.?/, '').trim());
const elfinOf = (elfin: object) => configured({ elfin }).elfin!;

let certificates: Certificates;
let others: Certificates;
beforeAll(() => {
  [certificates, others] = [makeCertificates(), makeCertificates()];
});

const folderWithPairs = (): string => folderOfPairs({ server: certificates, other: others });
const pair = { cert: 'server.crt', key: 'server.key' };
const inFolder = (elfin: object, folder = folderWithPairs()) => load({ elfin }, {}, folder);

describe('the elfin section', () => {
  it('is switched off where it is absent', () => {
    expect(configured({}).elfin).toBeUndefined();
  });

  it('has the defaults of the original', () => {
    expect(elfinOf({ tcp: '0.0.0.0' })).toEqual({
      listeners: [{ setting: 'tcp', listen: { host: '0.0.0.0', port: 3001 }, framing: 'segment', tls: undefined }],
      requireKnownUser: true,
      timeZone: 'Europe/Budapest',
      dateFormat: 'YYYY. MM. DD. HH:mm:ss',
      limits: defaultElfinLimits,
    });
  });

  it('listens in both framings, and over TLS, in this order', () => {
    const folder = folderWithPairs();
    const written = {
      tls: { listen: '0.0.0.0', ...pair },
      lineTcp: '127.0.0.1',
      tcp: '127.0.0.1',
      requireKnownUser: false,
      timeZone: 'America/New_York',
      dateFormat: 'YYYY-MM-DD HH:mm:ss',
      limits: { users: 5 },
    };
    const elfin = inFolder(written, folder).configuration.elfin!;
    expect(elfin.listeners).toEqual([
      { setting: 'tcp', listen: { host: '127.0.0.1', port: 3001 }, framing: 'segment', tls: undefined },
      { setting: 'lineTcp', listen: { host: '127.0.0.1', port: 3003 }, framing: 'line', tls: undefined },
      {
        setting: 'tls.listen',
        listen: { host: '0.0.0.0', port: 3002 },
        framing: 'segment',
        tls: { cert: join(folder, 'server.crt'), key: join(folder, 'server.key') },
      },
    ]);
    expect(elfin).toMatchObject({
      requireKnownUser: false,
      timeZone: 'America/New_York',
      dateFormat: 'YYYY-MM-DD HH:mm:ss',
      limits: { ...defaultElfinLimits, users: 5 },
    });
  });

  it.each([
    [{ tcp }, ['segment']],
    [{ tcp, framing: 'line' }, ['line']],
    [{ lineTcp: tcp }, ['line']],
    [{ tcp, framing: 'line', tls: { listen: '127.0.0.1', ...pair } }, ['line', 'line']],
    [{ tcp, tls: { listen: '127.0.0.1', ...pair, framing: 'line' } }, ['segment', 'line']],
    [{ tcp, framing: 'line', tls: { listen: '127.0.0.1', ...pair, framing: 'segment' } }, ['line', 'segment']],
    [{ framing: 'line', tls: { listen: '127.0.0.1', ...pair } }, ['line']],
  ])('%j has the framings %j', (written, framings) => {
    expect(inFolder(written).configuration.elfin!.listeners.map(({ framing }) => framing)).toEqual(framings);
  });

  it.each([
    [{ tcp: undefined }, ['listens nowhere; write "tcp": "0.0.0.0:3001"']],
    [{ tcp: 3001 }, ['tcp must be a string, not a number; write "0.0.0.0:3001"']],
    [{ framing: 'lines' }, ['framing must be "segment" or "line"']],
    [
      { tcp: undefined, lineTcp: tcp, framing: 'line' },
      ['framing has no meaning without elfin.tcp or elfin.tls; take it out'],
    ],
    [{ requireKnownUser: 'no' }, ['requireKnownUser must be true or false, not a string; write true or false']],
    [{ requireKnownUsers: true }, ['requireKnownUsers is unknown; did you mean requireKnownUser?']],
    [{ tls: {} }, [/^tls\.listen is missing/, /^tls\.cert is missing/, /^tls\.key is missing/]],
    [{ limits: { user: 5 } }, ['limits.user is unknown; did you mean users?']],
  ])('%j is refused, with what to write', (change, expected) => {
    expect(wrong(change)).toEqual(
      expected.map((each) => (typeof each === 'string' ? each : expect.stringMatching(each))),
    );
  });

  it('has no framing that nothing uses, where TLS has its own', () => {
    const tls = { listen: '127.0.0.1', ...pair, framing: 'line' };
    expect(() => inFolder({ framing: 'line', tls })).toThrow(
      /elfin\.framing has no meaning without elfin\.tcp; take it out/,
    );
  });

  it('has a certificate and the key of it', () => {
    const tls = { listen: '127.0.0.1', cert: 'server.crt', key: 'other.key' };
    expect(() => inFolder({ tls })).toThrow(
      /elfin\.tls\.key names the file other\.key, which is not the key of the cert/,
    );
  });
});

describe('elfin.timeZone', () => {
  it.each(['UTC', 'Europe/London', 'Asia/Kolkata'])('%s is one', (timeZone) => {
    expect(elfinOf({ tcp, timeZone }).timeZone).toBe(timeZone);
  });

  it.each([
    ['Europe/Budapset', '"Europe/Budapset" is no time zone; did you mean Europe/Budapest?'],
    ['Mars', '"Mars" is no time zone; write one as "Europe/Budapest"'],
    ['', 'is empty; write "Europe/Budapest"'],
    [1, 'must be a string, not a number; write "Europe/Budapest"'],
  ])('%j is none', (timeZone, what) => {
    expect(wrong({ timeZone })[0]).toBe(`timeZone ${what}`);
  });
});

describe('elfin.dateFormat', () => {
  it.each(['YYYY. MM. DD. HH:mm:ss', 'DD/MM/YYYY', 'YYYYMMDDHHmmss', '(ss)', 'HH|mm~', `ss${' '.repeat(62)}`])(
    '%j is one',
    (dateFormat) => {
      expect(elfinOf({ tcp, dateFormat }).dateFormat).toBe(dateFormat);
    },
  );

  const rule = 'write it of YYYY, MM, DD, HH, mm, ss, blanks and punctuation';
  it.each([
    ['hh:mm', `has "hh", which stands for nothing; ${rule}`],
    ['YYY-MM', `has "YYY", which stands for nothing; ${rule}`],
    ['YYYY-MM-DDTHH:mm', `has "T", which stands for nothing; ${rule}`],
    ['YYYY年', `has "年", which stands for nothing; ${rule}`],
    ['HH:mm 1', `has "1", which stands for nothing; ${rule}`],
    ['. : .', `has nothing of a date; ${rule}`],
    ['', 'is empty; write "YYYY. MM. DD. HH:mm:ss"'],
    [`ss${' '.repeat(63)}`, 'is longer than 64 characters; write "YYYY. MM. DD. HH:mm:ss"'],
    ['HH\n', 'has control characters; take them out'],
  ])('%j is none', (dateFormat, what) => {
    expect(wrong({ dateFormat })[0]).toBe(`dateFormat ${what}`);
  });
});

describe('elfin.limits', () => {
  const atBounds = (which: 0 | 1, past = 0) =>
    Object.fromEntries(Object.entries(elfinLimitRanges).map(([name, range]) => [name, range[which] + past]));

  it('have a range each, with the default in it', () => {
    expect(Object.keys(elfinLimitRanges).sort()).toEqual(Object.keys(defaultElfinLimits).sort());
    for (const [name, [min, max]] of Object.entries(elfinLimitRanges)) {
      const value = defaultElfinLimits[name as 'users'];
      expect(min <= value && value <= max, name).toBe(true);
    }
  });

  it.each([0, 1] as const)('are taken at their bounds (%d)', (which) => {
    expect(elfinOf({ tcp, limits: atBounds(which) }).limits).toEqual(atBounds(which));
  });

  it.each([
    [0, -1],
    [1, 1],
  ] as const)('are refused past their bounds (%d, %d)', (which, past) => {
    const refused = Object.entries(elfinLimitRanges).map(
      ([name, [min, max]]) => `limits.${name} must be ${min} to ${max}`,
    );
    expect(wrong({ limits: atBounds(which, past) })).toEqual(expect.arrayContaining(refused));
  });

  it('that contradict each other are refused, at the one that is written', () => {
    expect(wrong({ limits: { devicesPerUser: 16_385 } })).toEqual([
      'limits.devicesPerUser is 16385, more than devices, which is 16384 unless you write another',
    ]);
    expect(wrong({ limits: { unproved: 8 } })).toEqual([
      'limits.unproved is 8, less than unprovedPerAddress, which is 16 unless you write another',
    ]);
  });
});

describe('listeners of one port', () => {
  it.each([
    [{ tcp, lineTcp: tcp }, 'elfin.lineTcp 127.0.0.1:3001 cannot be listened at twice: elfin.tcp is 127.0.0.1:3001'],
    [
      { tcp, tls: { listen: '0.0.0.0:3001' } },
      'elfin.tls.listen 0.0.0.0:3001 cannot be listened at twice: elfin.tcp is 127.0.0.1:3001',
    ],
  ])('%j are refused', (elfin, expected) => {
    expect(problems({ elfin })).toContainEqual(expect.stringContaining(expected));
  });

  it('are refused beside those of other sections', () => {
    expect(problems({ http: { listen: tcp }, elfin: { tcp } })).toEqual([
      expect.stringMatching(/^elfin\.tcp .* twice: http\.listen is/),
    ]);
    expect(problems({ elfin: { tcp: '127.0.0.1:0', lineTcp: '127.0.0.1:0' } })).toEqual([]);
  });
});

describe('what should be known at the start', () => {
  const warningsOf = (elfin: object) => inFolder(elfin).warnings;
  const inClear = (name: string) =>
    expect.stringMatching(
      new RegExp(`^elfin\\.${name} is without TLS: whoever is on the way reads uuids, secrets .*unless the user has`),
    );
  const loud = expect.stringMatching(/^elfin\.requireKnownUser is false: WHOEVER REACHES THE GATEWAY IS A USER/);
  const tls = { listen: '0.0.0.0', ...pair };

  it('a gateway on a network in clear, each listener', () => {
    expect(warningsOf({ tcp: '0.0.0.0' })).toEqual([inClear('tcp')]);
    expect(warningsOf({ tcp, lineTcp: '192.168.1.5', tls })).toEqual([inClear('lineTcp')]);
  });

  it('one that takes every user', () => {
    expect(warningsOf({ tls, requireKnownUser: false })).toEqual([loud]);
    expect(warningsOf({ tcp: '0.0.0.0', requireKnownUser: false })).toEqual([inClear('tcp'), loud]);
  });

  it('nothing of it on this machine alone, or with TLS', () => {
    expect(warningsOf({ tcp, lineTcp: '[::1]', requireKnownUser: false })).toEqual([]);
    expect(warningsOf({ tls, tcp: 'localhost' })).toEqual([]);
  });
});
