import { expect, test } from 'vitest';
import { defineUnit, descriptorOf, f32, fingerprintOf, list, rgb, u8, u16 } from '../../protocol/definition/index.js';

test('the example of wire/unit.md gives its text and its fingerprint', () => {
  const lamp = defineUnit({
    name: 'led-lamp',
    version: '1.3.0',
    kind: 'updatable',
    commands: {
      setColor: { number: 1, fields: { color: rgb() } },
      fade: { number: 2, fields: { color: rgb(), durationMs: u16({ unit: 'ms', min: 0, max: 60_000 }) } },
    },
    reports: { state: { number: 3, fields: { color: rgb(), brightness: u8({ unit: '%', max: 100 }) } } },
  });
  expect(descriptorOf(lamp)).toBe(
    'unit led-lamp updatable\n' +
      'command 1 setColor color:rgb\n' +
      'command 2 fade color:rgb,durationMs:u16[ms,0..60000]\n' +
      'report 3 state color:rgb,brightness:u8[%25,0..100]\n',
  );
  expect(fingerprintOf(lamp)).toBe('3c96ba97ee39b7c0');
});

test('a range without a unit, a unit without a range, numbers without exponent, replies and lists', () => {
  const unit = defineUnit({
    name: 'odd',
    version: '1',
    kind: 'read',
    commands: { go: { number: 5, reply: { at: u8({ max: 3 }) } }, stop: { number: 6 } },
    reports: {
      reading: {
        number: 1,
        fields: { a: f32({ min: 1e-7, max: 1.5e21 }), b: list(u16({ unit: 'l/min, (x)' }), 4), c: f32({ unit: '°C' }) },
      },
    },
  });
  expect(descriptorOf(unit)).toBe(
    'unit odd read\n' +
      'report 1 reading a:f32[,0.0000001..1500000000000000000000],b:list(u16[l/min%2C%20%28x%29],4),c:f32[°C]\n' +
      'command 5 go->at:u8[,0..3]\n' +
      'command 6 stop\n',
  );
});
