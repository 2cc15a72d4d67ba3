import { expectTypeOf, test } from 'vitest';
import type { CommandOf, ReplyOf, ReportOf } from '../../protocol/definition/index.js';
import type lamp from '../../units/led-lamp.js';
import type barrel from '../../units/rain-barrel.js';
import type thermometer from '../../units/thermometer.js';

// The compiler is the judge here: `npm test` runs it before the tests.
test('every report and command has the TypeScript type its fields say', () => {
  expectTypeOf<ReportOf<typeof thermometer, 'reading'>>().toEqualTypeOf<{
    readonly temperature: number;
    readonly humidity: number;
  }>();
  expectTypeOf<CommandOf<typeof lamp, 'fade'>>().toEqualTypeOf<{
    readonly color: string;
    readonly durationMs: number;
  }>();
  expectTypeOf<CommandOf<typeof barrel, 'water'>>().toEqualTypeOf<{
    readonly mode: 'drip' | 'normal' | 'flood';
    readonly litres: number;
    readonly beds: readonly number[];
  }>();
  expectTypeOf<ReplyOf<typeof barrel, 'water'>>().toEqualTypeOf<{
    readonly startedAt: number;
    readonly queue: number;
  }>();
  expectTypeOf<keyof (typeof barrel)['commands']>().toEqualTypeOf<'water' | 'stop' | 'configure'>();
  // @ts-expect-error: the lamp has no such command
  expectTypeOf<CommandOf<typeof lamp, 'explode'>>().toBeObject();
});
