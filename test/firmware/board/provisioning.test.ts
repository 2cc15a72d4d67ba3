import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { LineProgram } from '../runtime/cpp-program.js';
import { startBoardDriver } from './board-driver.js';

const vectors = JSON.parse(readFileSync('test/vectors/serial-frames.json', 'utf8')) as {
  readonly improv: readonly { readonly name: string; readonly hex: string }[];
};
const vector = (name: string): string => {
  const found = vectors.improv.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no vector "${name}"`);
  return found.hex;
};

const WIFI = vector('RPC: Wi-Fi settings');
const STATE = vector('RPC: current state');
const IDENTITY = vector('RPC: identity, the unit listens');
const OTHER_IDENTITY = vector('RPC: identity, the unit dials its base');
const READY = vector('state: ready, no Wi-Fi yet');
const PROVISIONING = vector('state: provisioning');
const PROVISIONED = vector('state: provisioned');
const NO_ERROR = vector('error: none');
const NOT_AUTHORISED = vector('error: not authorised');
const INVALID = vector('error: invalid RPC packet');
const IDENTIFIED = vector('result: identity');
/** Where the data of an RPC begins, in its packet. */
const RPC_DATA = 11;
const hex = (text: string): string => Buffer.from(text).toString('hex');
const KEY = '43434343434343434444444444444444';
const LISTENING = `${hex('ObjTest')} ${KEY}`;
const HOUSE = `${hex('house')} ${hex('correct horse')}`;

let program: LineProgram;
let now = 0;
beforeAll(async () => {
  program = await startBoardDriver();
}, 180_000);
afterAll(async () => expect(await program.stop()).toEqual({ status: 0, complaints: '' }));

/** The program starts, at a clock that soon passes 2^32. */
async function start(isPowerUp = true): Promise<void> {
  now = 2 ** 32 - 1_000;
  await program.ask(`line new ${now}`);
  await program.ask(`provision begin ${now} ${isPowerUp ? 1 : 0}`);
}
beforeEach(async () => {
  await program.ask('provision new');
  await start();
});

interface Happened {
  readonly said: string;
  /** What the port was asked for. */
  readonly asked: string;
}
async function loop(): Promise<Happened> {
  const asked = await program.ask(`provision loop ${now}`);
  return { asked, said: (await program.ask('line out')).replace(/^-$/, '') };
}
async function give(packet: string): Promise<Happened> {
  await program.ask(`line in ${packet}`);
  return loop();
}
async function pass(ms: number): Promise<Happened> {
  now = (now + ms) % 2 ** 32;
  return loop();
}
const inFlash = (): Promise<string> => program.ask('provision flash');
const inUse = (): Promise<string> => program.ask('provision used');

describe('Wi-Fi settings', () => {
  test('are kept when they work', async () => {
    expect(await give(WIFI)).toEqual({ said: PROVISIONING, asked: 'join house' });
    expect(await inFlash()).toBe('- - - - -');
    expect(await give(STATE)).toEqual({ said: PROVISIONING, asked: '' });
    await program.ask('provision wifi joined');
    const { said, asked } = await pass(29_999);
    expect(asked).toBe('store');
    expect(said).toBe(PROVISIONED + vector('result: Wi-Fi settings, no page to go to'));
    expect(await inFlash()).toBe(`- - ${HOUSE} -`);
    expect(await give(STATE)).toEqual({
      said: PROVISIONED + vector('result: current state, no page to go to'),
      asked: '',
    });
  });

  test.each([
    ['refused', 0],
    ['joining', 30_000],
  ])('that are still %s after %i ms are not, and the Wi-Fi before them is joined again', async (how, ms) => {
    await program.ask('provision wifi joined');
    await give(WIFI);
    await program.ask('provision wifi joining');
    expect((await give(vector('RPC: Wi-Fi settings without a password'))).asked).toBe('join open');
    if (ms > 0) expect(await pass(ms - 1)).toEqual({ said: '', asked: '' });
    await program.ask(`provision wifi ${how}`);
    expect(await pass(1)).toEqual({ said: vector('error: unable to connect') + PROVISIONED, asked: 'join house' });
    expect(await inFlash()).toBe(`- - ${HOUSE} -`);
    expect(await inUse()).toBe(`- - ${HOUSE} -`);
  });

  test('that are none end what is being tried, and leave a Wi-Fi that works alone', async () => {
    await program.ask('provision wifi joined');
    await give(WIFI);
    expect(await give(packet('01020000'))).toEqual({ said: INVALID, asked: '' });
    await program.ask('provision wifi joining');
    await give(vector('RPC: Wi-Fi settings without a password'));
    expect(await give(packet('01020000'))).toEqual({ said: INVALID + PROVISIONED, asked: 'join house' });
    expect(await inUse()).toBe(`- - ${HOUSE} -`);
  });

  test('that flash does not take are not used either', async () => {
    await program.ask('provision cannot-store');
    await give(WIFI);
    await program.ask('provision wifi joined');
    expect((await loop()).said).toBe(vector('error: unknown') + READY);
    expect(await inUse()).toBe('- - - - -');
  });
});

describe('the identity', () => {
  test('is taken while there is no key, however long the unit runs, and used from then on', async () => {
    await pass(3_000_000_000);
    expect(await give(IDENTITY)).toEqual({ said: IDENTIFIED, asked: 'store;identity' });
    expect(await inFlash()).toBe(`${LISTENING} - - -`);
    expect(await inUse()).toBe(await inFlash());
  });

  test('is taken again within 60 s of power-up, and not later: not when the clock has come round either', async () => {
    await give(IDENTITY);
    expect(await pass(59_999)).toEqual({ said: '', asked: '' });
    expect((await give(OTHER_IDENTITY)).said).toBe(IDENTIFIED);
    expect(await inFlash()).toBe(
      `${hex('hall-light')} 0102030405060708090a0b0c0d0e0f10 - - ${hex('192.168.1.2:8888')}`,
    );
    await pass(1);
    expect(await give(IDENTITY)).toEqual({ said: NOT_AUTHORISED, asked: '' });
    await pass(2 ** 31);
    await pass(2 ** 31 - 60_000);
    expect((await give(IDENTITY)).said).toBe(NOT_AUTHORISED);
    expect(await inFlash()).toMatch(hex('hall-light'));
  });

  test('is not taken after a restart of the unit by itself', async () => {
    await give(IDENTITY);
    await start(false);
    expect((await give(OTHER_IDENTITY)).said).toBe(NOT_AUTHORISED);
    await start(true);
    expect((await give(OTHER_IDENTITY)).said).toBe(IDENTIFIED);
  });

  test('that it has already may be told at any time, and changes nothing; one octet off it may not', async () => {
    await give(IDENTITY);
    await pass(100_000);
    expect(await give(IDENTITY)).toEqual({ said: IDENTIFIED, asked: '' });
    const right = Buffer.from(IDENTITY, 'hex');
    for (let at = RPC_DATA; at < right.length - 2; at += 1) {
      const packet = Buffer.from(right);
      packet[at]! ^= 1;
      packet[packet.length - 2] = packet.subarray(0, -2).reduce((sum, octet) => (sum + octet) & 0xff);
      expect((await give(packet.toString('hex'))).said, `octet ${at}`).toBe(NOT_AUTHORISED);
    }
    expect(await inUse()).toBe(await inFlash());
  });

  test('leaves the Wi-Fi as it is, and waits for Wi-Fi settings that are being tried', async () => {
    await program.ask('provision wifi joined');
    await give(WIFI);
    await give(IDENTITY);
    expect(await inFlash()).toBe(`${LISTENING} ${HOUSE} -`);
    await program.ask('provision wifi joining');
    await give(vector('RPC: Wi-Fi settings without a password'));
    expect((await give(OTHER_IDENTITY)).said).toBe(vector('error: unknown'));
    expect(await inFlash()).toBe(`${LISTENING} ${HOUSE} -`);
  });

  test('is not used when flash does not take it', async () => {
    await program.ask('provision cannot-store');
    expect(await give(IDENTITY)).toEqual({ said: vector('error: unknown'), asked: 'store' });
    expect(await inUse()).toBe('- - - - -');
  });

  test('is used only once its answer is on the way, and the key is in nothing that is said', async () => {
    await program.ask('line room 0');
    expect(await give(IDENTITY)).toEqual({ said: '', asked: 'store;identity' });
    await program.ask('line room -1');
    const { said } = await loop();
    expect(said).toBe(IDENTIFIED);
    expect(said + (await give(vector('RPC: device information'))).said).not.toContain(KEY);
  });
});

describe('an RPC', () => {
  test('tells what device this is, and its UID when it has one', async () => {
    const device = vector('RPC: device information');
    expect((await give(device)).said).toBe(deviceResult(''));
    await give(IDENTITY);
    expect((await give(device)).said).toBe(vector('result: device information'));
  });

  test('that is none is told, and the error is over with the next right one', async () => {
    expect((await give(packet('b0021234'))).said).toBe(INVALID);
    expect((await give(STATE)).said).toBe(NO_ERROR + READY);
    expect((await give(STATE)).said).toBe(READY);
    expect((await give(vector('RPC: scan'))).said).toBe(vector('error: unknown RPC'));
  });

  const uid = (text: string): string => `${octet(text.length)}${hex(text)}`;
  test.each([
    ['no command', ''],
    ['no length', '01'],
    ['a length that is too small', '0201'],
    ['a length that is too large', '0200aa'],
    ['a Wi-Fi name that is longer than the rest', '01020561'],
    ['an empty Wi-Fi name', '01020000'],
    ['octets behind the password', `0104${'0161'}0000`],
    ['a Wi-Fi name of 33 octets', `0123${octet(33)}${'61'.repeat(33)}00`],
    ['an empty UID', `b012${'00'}${KEY}00`],
    ['a UID of 17 octets', `b023${octet(17)}${'61'.repeat(17)}${KEY}00`],
    ['a UID with a control character', `b014${uid('a\n')}${KEY}00`],
    ['a UID that is no UTF-8', `b013${'01ff'}${KEY}00`],
    ['a key cut short', `b012${uid('a')}${KEY.slice(2)}00`],
    ['a base without a port number', `b015${uid('a')}${KEY}${uid('b:')}`],
  ])('with %s is invalid, and changes nothing', async (_, data) => {
    expect(await give(packet(data))).toEqual({ said: INVALID, asked: '' });
    expect(await inUse()).toBe('- - - - -');
    expect(await inFlash()).toBe('- - - - -');
  });

  test('packets that are none of a client are not answered', async () => {
    for (const each of [READY, NO_ERROR, vector('result: identity')]) expect((await give(each)).said).toBe('');
  });
});

const octet = (value: number): string => value.toString(16).padStart(2, '0');

/** An RPC of this data, whatever it is. */
function packet(data: string, type = 3): string {
  const all = Buffer.from(`494d50524f5601${octet(type)}${octet(data.length / 2)}${data}`, 'hex');
  const sum = all.reduce((before, each) => (before + each) & 255, 0);
  return `${all.toString('hex')}${octet(sum)}0a`;
}

function deviceResult(uid: string): string {
  const texts = ['led-lamp', '1.0.0', 'ESP8266', uid].map((text) => octet(text.length) + hex(text)).join('');
  return packet(`03${octet(texts.length / 2)}${texts}`, 4);
}
