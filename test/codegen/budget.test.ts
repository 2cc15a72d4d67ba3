import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadDefinitions } from '../../base/config/definitions.js';
import { boardLimits } from '../../codegen/board-limits.js';
import { budgetsOf, refuseTooLarge } from '../../codegen/budget.js';
import { totalOf } from '../../codegen/budget-parts.js';
import { MAX_RING_OCTETS, ringOctets } from '../../codegen/ring-octets.js';
import { messageSizes } from '../../codegen/transmissions.js';
import { unitSizes } from '../../codegen/unit-sizes.js';
import { writeFirmware } from '../../codegen/write-firmware.js';
import {
  bytes,
  defineUnit,
  encodeFields,
  f32,
  rgb,
  text,
  type UnitDefinition,
  u8,
} from '../../protocol/definition/index.js';
import { SealedStream } from '../../protocol/iotsocket/sealed-stream.js';
import { valueToLine } from '../../protocol/line/line-value.js';
import { encodeCommand, encodeReport } from '../../protocol/unit/heads.js';

const examples = [...(await loadDefinitions()).values()].map(({ definition }) => definition);

/** A unit with commands that are too large for the stack, each with its place in RAM. */
const withCommands = (count: number): UnitDefinition =>
  defineUnit({
    name: 'switchboard',
    version: '1',
    kind: 'updatable',
    commands: Object.fromEntries(
      Array.from({ length: count }, (_, index) => [
        `say${index}`,
        { number: index + 1, fields: { first: text(255), second: text(255), third: bytes(255) } },
      ]),
    ),
  });

const withRing = (ring: number, octets: number): UnitDefinition =>
  defineUnit({
    name: 'diary',
    version: '1',
    kind: 'read',
    ring,
    reports: { entry: { number: 1, fields: { words: bytes(octets) } } },
  });

const complaintAbout = (...definitions: UnitDefinition[]): string => {
  try {
    refuseTooLarge(definitions);
    return '';
  } catch (error) {
    expect(error).toMatchObject({ code: 'firmware-too-large', family: 'definition' });
    return (error as Error).message;
  }
};

describe('what fits a board', () => {
  test('every example fits every board that it is for, with room', () => {
    expect(complaintAbout(...examples)).toBe('');
    for (const budget of examples.flatMap(budgetsOf)) {
      expect(budget.ram.octets, `${budget.unit} ${budget.board}`).toBeGreaterThan(200);
      expect(budget.ram.octets / budget.ram.limit, `${budget.unit} ${budget.board}`).toBeLessThan(0.7);
      expect(budget.flash.octets / budget.flash.limit, `${budget.unit} ${budget.board}`).toBeLessThan(0.5);
    }
  });

  test('a unit for an Uno has a budget for it, and the boards keep what run time needs', () => {
    const uno = examples.flatMap(budgetsOf).filter(({ board }) => board === 'uno');
    expect(uno.map(({ unit }) => unit).sort()).toEqual(['led-lamp-line', 'light-sensor']);
    for (const { ram, flash } of uno) expect([ram.limit, flash.limit]).toEqual([2_048 - 512, 32_256]);
    expect(boardLimits.d1_mini.ram - boardLimits.d1_mini.spareRam).toBe(61_440);
  });

  test('colours and floats cost an Uno more flash than whole numbers', () => {
    const told = (type: ReturnType<typeof u8> | ReturnType<typeof f32> | ReturnType<typeof rgb>): number => {
      const reports = { told: { number: 1, everyMs: 1_000, fields: { value: type } } } as const;
      const unit = defineUnit({ name: 'told', version: '1', kind: 'read', wire: 'line', boards: ['uno'], reports });
      return budgetsOf(unit)[0]!.flash.octets;
    };
    expect(told(f32())).toBeGreaterThan(told(u8()));
    expect(told(rgb())).toBeGreaterThan(told(f32()));
  });
});

describe('what does not', () => {
  test('too much RAM is refused with the amount, the largest parts, and what to make smaller', () => {
    let count = 30;
    while (complaintAbout(withCommands(count)) === '') count += 1;
    expect(count).toBeGreaterThan(30);
    const { ram } = budgetsOf(withCommands(count))[0]!;
    const complaint = complaintAbout(withCommands(count));
    expect(complaint).toContain(
      `switchboard does not fit the RAM of board nodemcuv2: it takes ${ram.octets} octets, ${ram.octets - 61_440} more than ` +
        'the 61440 there are beside the 20480 that Wi-Fi and connections take at run time. Make smaller:',
    );
    expect(complaint).toMatch(
      /^ {2}its \d+ large commands, \d+: shorten text, bytes and list fields; the largest is say0\n {2}a transmission, 787: /m,
    );
    expect(complaint).toMatch(/board d1_mini/);
    expect(totalOf(ram.parts)).toBe(ram.octets);
  });

  test('a ring is refused where the compiler would refuse it', () => {
    const most = Array.from({ length: 255 }, (_, index) => index + 1).filter(
      (ring) => ringOctets(withRing(ring, 250)) <= MAX_RING_OCTETS,
    ).length;
    expect(complaintAbout(withRing(most, 250))).toBe('');
    const over = withRing(most + 1, 250);
    expect(complaintAbout(over)).toBe(
      `the ring of diary takes ${ringOctets(over)} octets of RAM, ${ringOctets(over) - MAX_RING_OCTETS} more than the 16384 it may: ` +
        `make \`ring\` smaller than ${most + 1}, or shorten a text, bytes or list field of the largest report`,
    );
  });

  test('nothing is written for it', async () => {
    const root = mkdtempSync(join(tmpdir(), 'too-large-'));
    try {
      const definitions = new Map([['diary', { definition: withRing(255, 255), file: 'units/diary.ts' }]]);
      await expect(writeFirmware(root, definitions)).rejects.toMatchObject({ code: 'firmware-too-large' });
      await expect(writeFirmware(root, definitions, { check: true })).rejects.toMatchObject({
        code: 'firmware-too-large',
      });
      expect(readdirSync(root)).toEqual([]);
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});

describe('the largest transmission of a message', () => {
  const seal = (data: Uint8Array): number => {
    const stream = new SealedStream({
      crypto: { hmac: () => new Uint8Array(32), random: () => new Uint8Array(16) },
      sessionKey: new Uint8Array(32),
      role: 'base',
    });
    return stream.seal({ kind: 'request', tracking: 1, payload: { format: 0, options: 1, data } }).length;
  };
  const fieldsOf = (
    fields: Parameters<typeof encodeFields>[0],
    values: Parameters<typeof encodeFields>[1],
  ): Uint8Array => {
    const encoded = encodeFields(fields, values);
    if (!encoded.ok) throw new Error(encoded.refusal.message);
    return encoded.octets;
  };

  test('is what goes over the wire, head and tag included', () => {
    const fields = { words: text(40), colour: rgb() };
    const unit = defineUnit({
      name: 'talker',
      version: '1',
      kind: 'read',
      commands: { say: { number: 1, fields } },
      reports: { said: { number: 2, fields } },
    });
    const octets = fieldsOf(fields, { words: 'x'.repeat(40), colour: '#ffffff' });
    expect(messageSizes(unit)).toEqual([
      { message: 'say', kind: 'command', octets: seal(encodeCommand({ number: 1, id: 1, fields: octets })) },
      {
        message: 'said',
        kind: 'report',
        octets: seal(encodeReport({ number: 2, sequence: 1, ageMs: 0, fields: octets })),
      },
    ]);
  });

  test('of a line unit is its longest line', () => {
    const light = examples.find(({ name }) => name === 'light-sensor')!;
    expect(messageSizes(light)).toEqual([{ message: 'light', kind: 'report', octets: '1023\n'.length }]);
    const lamp = examples.find(({ name }) => name === 'led-lamp-line')!;
    const line = valueToLine(rgb(), '#ff8800');
    expect(messageSizes(lamp)).toEqual([{ message: 'setColor', kind: 'command', octets: line.length + 1 }]);
  });
});

test('what `generate` tells of a unit is all this', () => {
  const thermometer = examples.find(({ name }) => name === 'thermometer')!;
  const sizes = unitSizes(thermometer);
  expect(sizes.boards.map(({ board }) => board)).toEqual(['nodemcuv2', 'd1_mini']);
  expect(sizes.boards[0]).toEqual({ ...sizes.boards[1], board: 'nodemcuv2' });
  expect(sizes.boards[0]!.ram).toEqual({ octets: budgetsOf(thermometer)[0]!.ram.octets, limit: 61_440 });
  expect(sizes.messages).toEqual(messageSizes(thermometer));
});
