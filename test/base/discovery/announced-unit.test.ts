import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bestFirst, readAnnounced } from '../../../base/discovery/announced-unit.js';
import { readTxt, splitTxt } from '../../../base/discovery/service-txt.js';
import { announced, txtOf } from './announcements.js';

const octets = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = (...strings: string[]) => readTxt(strings.map(octets));

describe('a TXT record', () => {
  test('is attributes by name, whichever way the name is written; the first of a name counts', () => {
    expect(read('Version=1.0', 'version=2.0', 'flag', 'empty=', '', 'a=b=c')).toEqual(
      new Map([
        ['version', '1.0'],
        ['flag', ''],
        ['empty', ''],
        ['a', 'b=c'],
      ]),
    );
  });

  test('is none with an attribute without a name, a name or a value that none can be', () => {
    for (const string of ['=1', 'ä=1', `${'k'.repeat(33)}=1`, 'a=\u0007']) expect(read('ok=1', string)).toBeUndefined();
    expect(readTxt([Uint8Array.of(0x61, 0x3d, 0xff)])).toBeUndefined();
    expect(read(`${'k'.repeat(32)}=1`)?.size).toBe(1);
  });

  test('has at most 32 strings and 1 300 octets', () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => `k${index}=`);
    expect([read(...many(32))?.size, read(...many(33))]).toEqual([32, undefined]);
    // Four of 256 octets with their lengths, and one that fills it up.
    const long = Array.from({ length: 5 }, (_, index) => `k${index}=${'x'.repeat(252)}`);
    expect(read(...long, 'abc=123456789'.padEnd(19, 'x'))?.size).toBe(6);
    expect(read(...long, 'abc=123456789'.padEnd(20, 'x'))).toBeUndefined();
  });

  test('is cut into its strings, or is none', () => {
    expect(splitTxt(Uint8Array.of(1, 0x61, 0, 2, 0x62, 0x3d))).toEqual([
      Uint8Array.of(0x61),
      Uint8Array.of(),
      Uint8Array.of(0x62, 0x3d),
    ]);
    expect([splitTxt(Uint8Array.of()), splitTxt(Uint8Array.of(2, 0x61))]).toEqual([[], undefined]);
  });

  test('of any octets throws nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (record) => {
        const strings = splitTxt(record);
        if (strings !== undefined) readTxt(strings);
      }),
    );
  });
});

describe('what announces itself as a unit', () => {
  test('is one with all that it must say', () => {
    const txt = { mac: 'F0:FE:6B:01:02:03', board: 'd1_mini', fingerprint: '3C96BA97EE39B7C0', key: '19CC483E' };
    expect(readAnnounced(announced('lamp', { txt }))).toEqual({
      ok: true,
      unit: {
        uid: 'lamp',
        definition: 'led-lamp',
        version: '1.0.0',
        fingerprint: '3c96ba97ee39b7c0',
        key: { marker: '19cc483e' },
        mac: 'f0:fe:6b:01:02:03',
        board: 'd1_mini',
        host: 'lamp.local',
        addresses: [{ host: '10.0.0.1', port: 8888 }],
      },
    });
    for (const key of ['none', 'line'])
      expect(readAnnounced(announced('lamp', { txt: { key } }))).toMatchObject({ unit: { key } });
  });

  test.each([
    ['a name that is no UID', announced('seventeen-octets!'), /no UID/],
    ['an empty name', announced(''), /no UID/],
    ['a name that means another place in every URL', announced('..'), /no UID/],
    ['a name that breaks lines', announced('la\u2028mp'), /no UID/],
    ['control characters in its name', announced('la\nmp'), /no UID/],
    ['no TXT record', { ...announced('lamp'), txt: undefined }, /TXT/],
    ['no definition', announced('lamp', { txt: { definition: undefined } }), /definition/],
    ['a definition of 33 octets', announced('lamp', { txt: { definition: 'd'.repeat(33) } }), /definition/],
    ['a version of 25 octets', announced('lamp', { txt: { version: 'v'.repeat(25) } }), /version/],
    ['a fingerprint that is none', announced('lamp', { txt: { fingerprint: '3c96' } }), /fingerprint/],
    ['no word about its key', announced('lamp', { txt: { key: undefined } }), /key/],
    ['a key marker of 7 digits', announced('lamp', { txt: { key: '19cc483' } }), /key/],
    ['a mac that is none', announced('lamp', { txt: { mac: 'f0fe' } }), /mac/],
    ['a board of 33 characters', announced('lamp', { txt: { board: 'b'.repeat(33) } }), /board/],
    [
      'no address but the own',
      announced('lamp', { addresses: ['127.0.0.1', '::1', '0.0.0.0', '224.0.0.1'] }),
      /address/,
    ],
  ])('is none with %s', (_what, service, what) => {
    expect(readAnnounced(service)).toEqual({ ok: false, what: expect.stringMatching(what) });
  });

  test('at every bound it is still one', () => {
    const txt = { definition: 'd'.repeat(32), version: 'v'.repeat(24), board: 'b'.repeat(32) };
    expect(readAnnounced(announced('sixteen-octets-!', { txt }))).toMatchObject({ ok: true });
  });

  test('is dialled over IPv4 first, over a routed address before one of the link', () => {
    const all = ['fe80::1%eth0', '2001:db8::1', '169.254.1.1', '192.168.1.2', '10.0.0.1'];
    expect(bestFirst(all)).toEqual(['192.168.1.2', '10.0.0.1', '169.254.1.1', '2001:db8::1', 'fe80::1%eth0']);
  });

  test('is not dialled on this machine, nowhere, everywhere, or on a link nobody names', () => {
    const none = [
      '127.0.0.1',
      '127.9.9.9',
      '::1',
      '0:0:0:0:0:0:0:1',
      '::',
      '0.1.2.3',
      '224.0.0.251',
      '255.255.255.255',
    ];
    expect(bestFirst([...none, 'ff02::fb', '::ffff:127.0.0.1', 'fe80::1', 'lamp.local', ''])).toEqual([]);
  });

  test('whatever it is, nothing is thrown', () => {
    const service = fc.record({
      name: fc.string(),
      host: fc.string(),
      addresses: fc.array(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6())),
      port: fc.nat(70_000),
      txt: fc.option(
        fc.dictionary(fc.string(), fc.string()).map((pairs) => txtOf(pairs)),
        { nil: undefined },
      ),
    });
    fc.assert(fc.property(service, (any) => void readAnnounced(any)));
  });
});
