import {
  bool,
  bytes,
  defineUnit,
  f32,
  list,
  oneOf,
  rgb,
  text,
  type UnitDefinition,
  u8,
  u16,
  u32,
} from '../../../protocol/definition/index.js';

// Definitions at the edges of what a budget reckons with: without commands, without reports, large in each way.

const unit = { version: '1', kind: 'read' } as const;
const updatable = { version: '1', kind: 'updatable' } as const;

/** A field of every type but whole numbers, of which one stands for all. */
const all = {
  isOn: bool(),
  mode: oneOf(['off', 'slow', 'fast']),
  level: u16({ max: 1000 }),
  litres: f32({ min: 0, max: 200 }),
  colour: rgb(),
  label: text(32),
  raw: bytes(16),
  flows: list(f32(), 4),
};
const named = <Message>(start: string, count: number, message: (index: number) => Message): Record<string, Message> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`${start}${index}`, message(index)]));

/** One report and one command with every type, and a reply: the runtime as a whole. */
export const everyType: UnitDefinition = defineUnit({
  ...unit,
  name: 'every-type',
  commands: { doAll: { number: 1, fields: all, reply: { done: u8(), at: u32() } } },
  reports: { all: { number: 2, fields: all } },
});

export const toldLine: UnitDefinition = defineUnit({
  ...unit,
  name: 'told-line',
  wire: 'line',
  reports: { told: { number: 1, everyMs: 1_000, fields: { words: text(8) } } },
});

export const heardLine: UnitDefinition = defineUnit({
  ...updatable,
  name: 'heard-line',
  wire: 'line',
  commands: { heard: { number: 1, fields: { words: text(8) } } },
});

export const edgeUnits: readonly UnitDefinition[] = [
  everyType,
  defineUnit({
    ...unit,
    name: 'only-told',
    reports: { told: { number: 1, everyMs: 1_000, fields: { count: u32() } } },
  }),
  defineUnit({
    ...updatable,
    name: 'only-commanded',
    commands: { go: { number: 1, fields: { to: u8() } }, stop: { number: 2 } },
  }),
  defineUnit({ ...unit, name: 'large-ring', ring: 255, reports: { told: { number: 1, fields: { what: text(40) } } } }),
  defineUnit({
    ...updatable,
    name: 'large-commands',
    commands: named('say', 4, (index) => ({
      number: index + 1,
      fields: { first: text(255), second: bytes(255) },
      reply: { done: u8() },
    })),
  }),
  defineUnit({
    ...unit,
    name: 'many-messages',
    commands: named('command', 10, (index) => ({ number: index + 1, fields: all })),
    reports: named('report', 10, (index) => ({ number: index + 31, fields: all })),
  }),
  toldLine,
  heardLine,
  defineUnit({
    ...unit,
    name: 'long-line',
    wire: 'line',
    reports: { said: { number: 1, everyMs: 1_000, fields: { words: text(255) } } },
  }),
  defineUnit({
    ...updatable,
    name: 'long-command',
    wire: 'line',
    commands: { say: { number: 1, fields: { words: text(200) } } },
  }),
  ...(['f32', 'rgb'] as const).flatMap((kind) => {
    const fields = { value: kind === 'f32' ? f32({ decimals: 2 }) : rgb() };
    return [
      defineUnit({
        ...unit,
        name: `told-${kind}`,
        wire: 'line',
        reports: { told: { number: 1, everyMs: 1_000, fields } },
      }),
      defineUnit({ ...updatable, name: `heard-${kind}`, wire: 'line', commands: { heard: { number: 1, fields } } }),
    ];
  }),
];
