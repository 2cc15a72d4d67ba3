import { expect, test } from 'vitest';
import { parseJsonText } from '../../base/core/json-text.js';
import { MAX_OPAQUE_FIELDS_OCTETS, opaqueFields } from '../../base/core/opaque-fields.js';
import { MAX_PAYLOAD_DEPTH, payloadFormatNames, payloadFrom } from '../../base/core/opaque-payload.js';
import { parseRequestJson } from '../../base/core/request-json.js';
import { accessListOfBody, requestOfBody } from '../../base/dialects/iotsocket/central-http-bodies.js';
import { answerBody, blockOfBody, MAX_BODY_DEPTH, webhookBody } from '../../base/dialects/iotsocket/http-payload.js';
import { jsonMember } from '../../base/dialects/iotsocket/json-member.js';
import { AccessListReader, encodeAccessList } from '../../protocol/iotsocket/access-list.js';
import { ClientOpening } from '../../protocol/iotsocket/client-opening.js';
import { decodeDatagram, encodeDatagram } from '../../protocol/iotsocket/datagram.js';
import { checkLogin, decodeLogin, encodeLogin, LOGIN_OCTETS } from '../../protocol/iotsocket/login.js';
import {
  decodeInitiation,
  decodeInitiationAnswer,
  encodeInitiation,
  encodeInitiationAnswer,
} from '../../protocol/iotsocket/opening-frames.js';
import { blockOf, MAX_PAYLOAD_OCTETS, payloadOf } from '../../protocol/iotsocket/payload.js';
import type { SessionCrypto } from '../../protocol/iotsocket/proof.js';
import { decodeTransmission, encodeTransmission, type PayloadBlock } from '../../protocol/iotsocket/transmission.js';
import {
  LENGTH_UNKNOWN,
  lengthKnownWith,
  NOT_A_TRANSMISSION,
  transmissionLength,
} from '../../protocol/iotsocket/transmission-length.js';
import { decodeUid, encodeUid } from '../../protocol/iotsocket/uid.js';
import { jsonDepth } from '../../protocol/json-depth.js';
import { concat, fromHex, toHex } from '../../protocol/octets.js';
import { openSession, StubHost } from '../base/dialects/iotsocket/session-rig.js';
import { countInputs, equal, fuzz, hold, holdStream } from './fuzzing.js';
import { type Dice, mutated, piecesOf } from './mutations.js';
import { vectorsOf } from './stream-vectors.js';

const inputs = countInputs();

const cpuBefore = process.cpuUsage();

const octetsOfVectors = (file: string): Uint8Array[] => vectorsOf(file).map(({ hex }) => fromHex(hex));
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

// The opening.

const openingFrames = [...octetsOfVectors('iotsocket-opening.json'), fromHex('81000800'), fromHex('0000ffff')];

fuzz('initiation', {
  runs: 60_000,
  make: (dice) => mutated(dice, openingFrames),
  check: (octets, dice) => {
    const result = holdStream(decodeInitiation, octets, dice);
    hold((result !== undefined) === octets.length >= 4, 'four octets are an initiation');
    if (result !== undefined)
      hold(equal(encodeInitiation(result.value), octets.subarray(0, 4)), 'encoded it is the same');
  },
});

const answers = [
  fromHex('0000'),
  fromHex('8000'),
  fromHex('81000d6e6f6465322e6578616d706c65c549'),
  encodeInitiationAnswer({ kind: 'redirected', flags: 3, host: '192.0.2.1', port: 1 }),
  encodeInitiationAnswer({ kind: 'redirected', flags: 0, host: 'é'.repeat(20), port: 65_535 }),
];

fuzz('answer to an initiation', {
  runs: 90_000,
  make: (dice) => mutated(dice, answers),
  check: (octets, dice) => {
    const result = holdStream(decodeInitiationAnswer, octets, dice);
    if (result === undefined) return;
    const { value, used } = result;
    const isText = value.kind !== 'redirected' || equal(text(value.host), octets.subarray(3, used - 2));
    if (value.kind !== 'refused' && isText)
      hold(equal(encodeInitiationAnswer(value), octets.subarray(0, used)), 'encoded it is the same');
  },
});

/** Not what HMAC is: as good for what is tested here, and fast. */
const sumCrypto: SessionCrypto = {
  hmac: (key, message) => {
    const sum = new Uint8Array(32);
    message.forEach((octet, at) => {
      sum[at % 32]! += octet + key[at % key.length]!;
    });
    return sum;
  },
  random: () => {
    throw new Error('nothing is random here');
  },
};
const KEY = fromHex('43434343434343434444444444444444');
const CHALLENGE_END = 18;

interface Opened {
  readonly end: string;
  readonly sent: string;
  /** Octets of what was pushed that the opening used up. */
  readonly taken: number;
}

function openWith(version: 0 | 1, tls: boolean, pieces: readonly Uint8Array[]): Opened {
  const client = new ClientOpening({ crypto: sumCrypto, uid: 'ObjTest', key: KEY, version, tls, maxTransmission: 0 });
  let sent = '';
  let taken = 0;
  for (const piece of pieces) {
    const step = client.push(piece);
    taken += piece.length;
    switch (step.kind) {
      case 'more':
        sent += toHex(step.send);
        break;
      case 'startTls':
        break;
      case 'opened':
        hold(equal(step.rest, piece.subarray(piece.length - step.rest.length)), 'the rest is what came last');
        return { end: 'opened', sent: sent + toHex(step.send), taken: taken - step.rest.length };
      case 'redirected':
        hold(step.port > 0 && /^[!-~]+$/.test(step.host), 'it is an address');
        return { end: `to ${step.host}:${step.port}`, sent, taken };
      default:
        hold(step.error.message !== '', 'it says why');
        return { end: `refused ${step.error.code}`, sent, taken };
    }
  }
  return { end: 'more', sent, taken };
}

const ofConcentrator = [
  ...answers,
  concat(fromHex('8000'), new Uint8Array(16).fill(7), fromHex('01500102030405060708')),
  concat(fromHex('8000'), new Uint8Array(16).fill(7), fromHex('00')),
  concat(fromHex('8000'), new Uint8Array(16).fill(7)),
];

fuzz("opening, the client's side", {
  runs: 60_000,
  make: (dice) => mutated(dice, ofConcentrator),
  check: (octets, dice) => {
    const version = dice.chance(50) ? 1 : 0;
    const tls = dice.chance(30);
    const one = openWith(
      version,
      tls,
      Array.from(octets, (octet) => Uint8Array.of(octet)),
    );
    hold(one.sent === '' || one.sent.length === 2 * LOGIN_OCTETS, 'nothing but a login is sent, and once');
    if (one.end === 'opened') {
      hold(octets[0] === 0x80 && one.sent !== '', 'only who accepts gets a login');
      hold(one.taken === CHALLENGE_END + version, 'a verdict is of v1.01 alone');
    }
    const pieces = piecesOf(dice, octets);
    const ends = new Set<number>();
    let end = 0;
    for (const piece of pieces) {
      end += piece.length;
      ends.add(end);
    }
    const cut = openWith(version, tls, pieces);
    const isAccepted = octets.length >= 2 && octets[0] === 0x80;
    const isEarly = (at: number): boolean => isAccepted && octets.length > at && !ends.has(at);
    if ((tls && isEarly(2)) || isEarly(CHALLENGE_END)) {
      hold(cut.end === 'refused opening-malformed', 'what comes too early is refused');
    } else {
      hold(cut.end === one.end && cut.sent === one.sent, 'however it is cut, it ends as octet by octet');
      if (cut.end === 'opened') hold(cut.taken === one.taken, 'and leaves as much for the session');
    }
  },
});

const challenge = new Uint8Array(16).fill(9);
const logins = ['', 'ObjTest', 'é'.repeat(8)].map((uid) => encodeLogin(sumCrypto, uid, KEY, challenge));

fuzz('login', {
  runs: 50_000,
  make: (dice) => mutated(dice, logins),
  check: (octets) => {
    const login = decodeLogin(octets);
    const isUid = octets.length >= LOGIN_OCTETS && decodeUid(octets.subarray(0, 16)) !== undefined;
    hold((login !== undefined) === isUid, 'a login has 48 octets and a UID');
    if (login === undefined) return;
    const first = octets.subarray(0, LOGIN_OCTETS);
    hold(equal(concat(encodeUid(login.uid), login.proof), first), 'encoded it is the same');
    const isRight = checkLogin(sumCrypto, login, KEY, challenge);
    hold(isRight === equal(encodeLogin(sumCrypto, login.uid, KEY, challenge), first), 'it is right with the key alone');
  },
});

// Transmissions.

const block = (format: number, data: Uint8Array): PayloadBlock => ({ format, options: 0, data });
const transmissions = [
  ...octetsOfVectors('iotsocket-transmissions.json'),
  encodeTransmission({ kind: 'request', tracking: 65_535, payload: block(0, new Uint8Array(100).fill(0x30)) }),
  encodeTransmission({ kind: 'response', uid: 'ObjTest', tracking: 0, code: 255, payload: block(10, text('{}')) }),
  encodeTransmission({ kind: 'identifiedTelemetry', uid: 'é'.repeat(8), payload: block(15, new Uint8Array(0)) }),
];

fuzz('transmission', {
  runs: 320_000,
  make: (dice) => mutated(dice, transmissions),
  check: (octets, dice) => {
    const limits = { maxPayload: dice.pick([0, 4, 300, 65_535]) };
    const decode = (front: Uint8Array) => decodeTransmission(front, limits);
    const result = holdStream(decode, octets, dice);
    if (result !== undefined) {
      const { value, used } = result;
      hold(equal(encodeTransmission(value), octets.subarray(0, used)), 'encoded it is the same');
      if ('payload' in value) hold(value.payload.data.length <= limits.maxPayload, 'its payload is within the bound');
    }
    if (octets.length === 0) return;
    const length = transmissionLength(octets, 0, octets.length);
    const needed = lengthKnownWith(octets[0]!);
    if (length === NOT_A_TRANSMISSION) {
      hold(result === undefined || [0x50, 0x58, 0x68].includes(octets[0]!), 'what nobody may send has no length');
    } else if (length === LENGTH_UNKNOWN) {
      hold(octets.length < needed, 'the length is known with its octets');
      hold(result === undefined, 'and then it is no frame yet');
    } else {
      hold(octets.length >= needed && length >= needed, 'the length is known with its octets');
      if (result !== undefined) hold(result.used === length, 'both count the same octets');
      const behind = concat(Uint8Array.of(0x30), octets);
      hold(transmissionLength(behind, 1, behind.length) === length, 'wherever it begins');
    }
  },
});

/** Of entries of a list, and of an unfinished transmission: so much is kept at once. */
const LEAST_ROOM = 16 * 48;

/** What a session made of octets, and whether it held too much of them on the way. */
async function heardOf(uid: string, pieces: readonly Uint8Array[], hasList: boolean): Promise<string> {
  const host = new StubHost({ accessListEntries: 8 });
  const { stream, session } = openSession(host, uid);
  let come = 0;
  for (const piece of pieces) {
    if (piece.length === 0) continue;
    stream.send(piece);
    come += piece.length;
    hold(session.kept <= Math.max(LEAST_ROOM, 2 * come), 'it keeps no more than twice what has come');
    if (hasList)
      while (await listSettled(host)) hold(session.kept <= Math.max(LEAST_ROOM, 2 * come), 'nor behind a list');
  }
  host.flush();
  const lists = host.lists.map((list) => list.map(({ uid: name }) => name).join());
  return [...host.relayed, ...host.said, ...lists, stream.written, session.partialSince].join('\n');
}

/** The same of an object's octets, by the decoder that makes objects. */
function expectedOf(octets: Uint8Array): string {
  const relayed: string[] = [];
  let written = '';
  let front = octets;
  for (;;) {
    const [first] = front;
    const isRefused = first !== undefined && ![0x10, 0x20, 0x30, 0x40, 0xf0].includes(first);
    if (isRefused) return [...relayed, 'broken 0: frame-malformed', `${written}f000`, 0].join('\n');
    const result = decodeTransmission(front, { maxPayload: MAX_PAYLOAD_OCTETS });
    if (result.kind !== 'frame') return [...relayed, written, front.length === 0 ? 0 : 1].join('\n');
    const { value, used } = result;
    if (value.kind === 'close') return [...relayed, `closed by peer ${value.code.toString(16)}`, written, 0].join('\n');
    if (value.kind === 'ping') written += '20';
    else if (value.kind !== 'pong') relayed.push(toHex(front.subarray(0, used)));
    front = front.subarray(used);
  }
}

const settledLists = new WeakMap<StubHost, number>();

/** Puts the list in force that waits for it, if one does. */
async function listSettled(host: StubHost): Promise<boolean> {
  const settled = settledLists.get(host) ?? 0;
  if (host.lists.length === settled) return false;
  settledLists.set(host, settled + 1);
  host.settleList();
  // What was behind it is read then.
  for (let turn = 0; turn < 2; turn += 1) await Promise.resolve();
  await new Promise<void>((resolve) => process.nextTick(resolve));
  return true;
}

const ofObject = transmissions.filter(([first]) => [0x10, 0x20, 0x30, 0x40, 0xf0].includes(first!));
const ofCentral = transmissions.filter(([first]) => [0x10, 0x20, 0x30, 0x38, 0x48, 0xf0].includes(first!));
const list = (...uids: string[]): Uint8Array =>
  encodeAccessList(uids.map((uid) => ({ uid, group: 'Devices', key: KEY })));

function joined(dice: Dice, valid: readonly Uint8Array[]): Uint8Array {
  const pieces = Array.from({ length: 1 + dice.below(4) }, () =>
    dice.chance(60) ? dice.pick(valid) : mutated(dice, valid),
  );
  return concat(...pieces);
}

fuzz("session, an object's octets", {
  runs: 25_000,
  make: (dice) => joined(dice, ofObject),
  check: async (octets, dice) => {
    const expected = expectedOf(octets);
    hold((await heardOf('ObjTest', [octets], false)) === expected, 'it hears what the decoder reads');
    hold((await heardOf('ObjTest', piecesOf(dice, octets), false)) === expected, 'cut, it hears the same');
  },
});

fuzz("session, the central's octets", {
  runs: 20_000,
  make: (dice) => joined(dice, ofCentral),
  check: async (octets, dice) => {
    const whole = await heardOf('', [octets], true);
    hold((await heardOf('', piecesOf(dice, octets), true)) === whole, 'cut, it hears the same');
  },
});

fuzz("session, the central's octets with access lists", {
  runs: 10_000,
  make: (dice) => joined(dice, [...ofCentral.slice(0, 4), list(), list('a'), list('a', 'ObjTest')]),
  check: async (octets, dice) => {
    const whole = await heardOf('', [octets], true);
    hold((await heardOf('', piecesOf(dice, octets), true)) === whole, 'cut, it hears the same');
  },
});

const MAX_ENTRIES = 200;
const lists = [[], ['a'], ['ObjTest', 'é'.repeat(8)], ['a', 'b', 'c', 'd', 'e', 'f']].map((uids) =>
  list(...uids).subarray(1),
);

fuzz('access list', {
  runs: 60_000,
  make: (dice) => mutated(dice, lists),
  check: (octets, dice) => {
    const whole = new AccessListReader({ maxEntries: MAX_ENTRIES }).push(octets);
    const reader = new AccessListReader({ maxEntries: MAX_ENTRIES });
    let come = 0;
    let last: typeof whole = { kind: 'more' };
    for (const piece of piecesOf(dice, octets)) {
      last = reader.push(piece);
      come += piece.length;
      hold(reader.kept <= Math.min((reader.count ?? 0) * 48, Math.max(16 * 48, 2 * come)), 'it keeps what has come');
      if (last.kind !== 'more') break;
    }
    hold((reader.count ?? 0) <= MAX_ENTRIES, 'it is within the bound');
    hold(last.kind === whole.kind, 'cut, it is the same');
    if (whole.kind === 'list') {
      const used = octets.length - whole.rest;
      hold(last.kind === 'list' && come - last.rest === used, 'and ends at the same octet');
      hold(equal(encodeAccessList(whole.entries).subarray(1), octets.subarray(0, used)), 'encoded it is the same');
    } else if (whole.kind === 'bad') hold(whole.error.message !== '', 'it says what is wrong');
    else hold(octets.length < 4 + (reader.count ?? 0) * 48, 'it waits for what was announced');
  },
});

const datagrams = octetsOfVectors('iotsocket-datagrams.json');

fuzz('datagram', {
  runs: 120_000,
  make: (dice) => mutated(dice, datagrams),
  check: (octets) => {
    const datagram = decodeDatagram(octets);
    const addsUp = octets.length >= 11 && octets.length === 11 + octets[9]! * 256 + octets[10]!;
    hold((datagram !== undefined) === addsUp, 'it is one when its length adds up');
    if (datagram !== undefined) hold(equal(encodeDatagram(datagram), octets), 'encoded it is the same');
  },
});

// Payloads.

const jsonTexts = [
  '{"t":21.5,"on":true,"name":"é\\u0000\\ud83d\\ude00","list":[1,[2,{"a":null}]]}',
  '[-0,1e999,12345678901234567890,"\\\\\\"",{}]',
  '{"__proto__":1,"a":{"b":{"c":[[[[[]]]]]}}}',
  '"BONJOUR"',
  ' {"UID" : "ObjTest", "Payload" : { "id" : 1.50, "t" : " x\\" } " } ,\n"Format":"JSON","Timeout":3} ',
  '{"Payload":[0,128,255],"Format":"BINARY","Payload":[1]}',
  '{"\\u0050ayload":"21.5","Format":"ASCII","UID":"a","Timeout":0.5}',
  '{"Format":"UTF8","Payload":"é","UID":"ObjTest"}',
  ...[MAX_BODY_DEPTH - 1, MAX_BODY_DEPTH].map((depth) => `${'['.repeat(depth)}${']'.repeat(depth)}`),
  '[{"GroupName":"Devices","UID":"ObjTest","AuthKey":"43434343434343434444444444444444"}]',
].map(text);

fuzz('payload, out of its octets and back', {
  runs: 60_000,
  make: (dice) => mutated(dice, jsonTexts),
  check: (data, dice) => {
    const each = block(dice.pick([0, 1, 2, 10, 10, 10, dice.below(16)]), data);
    const payload = payloadOf(each);
    const told = payloadFrom(each);
    hold(payloadFormatNames.includes(told.format), 'everything can be told');
    hold(octetsOf(opaqueFields(told)) <= MAX_OPAQUE_FIELDS_OCTETS, 'what is kept of it is little');
    if (payload === undefined) {
      const isDeep = told.format === 'utf8' && jsonDepth(told.value as string) > MAX_PAYLOAD_DEPTH;
      hold(told.format === 'binary' || isDeep, 'what is not what it says is binary');
      return;
    }
    const made = blockOf(payload);
    hold(made.ok, 'a payload that came can be sent');
    hold(made.block.format === each.format, 'in its format');
    if (payload.format !== 'json') hold(equal(made.block.data, data), 'octet by octet');
    else hold(JSON.stringify(payloadOf(made.block)) === JSON.stringify(payload), 'with the same value');
  },
});

const octetsOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
const withoutBlanks = (json: string): string =>
  json.replace(/"(?:[^"\\]|\\.)*"|[ \t\n\r]+/g, (part) => (part.startsWith('"') ? part : ''));

/** `undefined`: it is no JSON. */
function parsed(json: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(json) };
  } catch {
    return undefined;
  }
}

fuzz('body of a request, JSON to payload', {
  runs: 60_000,
  make: (dice) => mutated(dice, jsonTexts),
  check: (octets) => {
    const body = parseRequestJson(octets, MAX_BODY_DEPTH);
    const list = accessListOfBody(body.ok ? body.value : undefined);
    if (!list.ok) hold(list.fault !== '', 'it says what is wrong');
    else
      hold(
        list.value.every(({ uid, key }) => encodeUid(uid).length === 16 && key.length === 16),
        'each can be sent',
      );
    if (!body.ok) return;
    const { value, text: json } = body;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    const members = value as Record<string, unknown>;
    for (const name of ['Payload', 'UID', 'a']) {
      const member = jsonMember(json, name);
      hold((member !== undefined) === Object.hasOwn(members, name), 'a member is found where there is one');
      if (member === undefined) continue;
      hold(JSON.stringify(JSON.parse(member)) === JSON.stringify(members[name]), 'and is the one that counts');
      hold(withoutBlanks(member) === member, 'without blanks');
    }
    const made = blockOfBody({ value: members, text: json });
    if (!made.ok) hold(made.what !== '', 'it says what is wrong');
    else hold(made.block.data.length <= MAX_PAYLOAD_OCTETS && payloadOf(made.block) !== undefined, 'it can be sent');
    const request = requestOfBody({ value: members, text: json }, { defaultMs: 10_000, maxMs: 300_000 });
    if (!request.ok) return hold(request.fault !== '', 'it says what is wrong');
    const { uid, timeoutMs } = request.value;
    hold(encodeUid(uid).length === 16 && timeoutMs > 0 && timeoutMs <= 300_000, 'it can be asked');
  },
});

fuzz('answer to a request, payload to JSON', {
  runs: 60_000,
  make: (dice) => mutated(dice, jsonTexts),
  check: (data, dice) => {
    const each = block(dice.pick([0, 1, 2, 10, 10, 10, dice.below(16)]), data);
    const code = dice.pick([0, 0, 1, 0xa0, 255]);
    const json = answerBody(code, each);
    const isPayload = payloadOf(each) !== undefined || data.length === 0;
    hold(isPayload || json === undefined, 'what is not what it says is no answer');
    hold((webhookBody('a"\\é', each) === undefined) === (json === undefined), 'nor a webhook');
    if (json === undefined) return;
    const again = parsed(json) as { readonly value: Record<string, unknown> } | undefined;
    hold(again !== undefined, 'it is JSON');
    hold(jsonDepth(json) <= MAX_BODY_DEPTH, 'it is as deep as may be');
    hold(Object.keys(again.value).join() === 'Code,Payload,Format' && again.value.Code === code, 'with its members');
    const made = blockOfBody({ value: again.value, text: json });
    hold(made.ok, 'it can be read');
    if (data.length === 0) return;
    hold(made.block.format === each.format, 'as what it was');
    if (each.format !== 10) hold(equal(made.block.data, data), 'octet by octet');
    else
      hold(
        withoutBlanks(new TextDecoder().decode(data)) === new TextDecoder().decode(made.block.data),
        'digit by digit',
      );
  },
});

fuzz('JSON of a file', {
  runs: 40_000,
  make: (dice) => mutated(dice, jsonTexts),
  check: (octets) => {
    const json = new TextDecoder().decode(octets);
    const scanned = parseJsonText(json, true);
    const known = parsed(json);
    if (scanned.ok) hold(JSON.stringify(scanned.value) === JSON.stringify(known?.value), 'it is what JSON.parse says');
    else {
      const { line, column, what } = scanned.fault;
      const written = json.split('\n')[line - 1];
      hold(
        written !== undefined && column >= 1 && column <= written.length + 1 && what !== '',
        'the fault has a place',
      );
      if (known !== undefined) hold(what.includes('twice'), 'it is stricter only with names');
    }
  },
});

test('all these were a million inputs, and took less than a minute', () => {
  const { user, system } = process.cpuUsage(cpuBefore);
  expect(inputs()).toBeGreaterThanOrEqual(1_000_000);
  expect((user + system) / 1_000_000).toBeLessThan(60);
});
