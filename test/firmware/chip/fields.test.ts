import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadTemplates } from '../../../codegen/templates.js';
import { unitView } from '../../../codegen/unit-view.js';
import { generatedFolder, put } from '../generated/generated-folder.js';
import { fieldVectors, reportOf, vectorTokens, vectorUnit } from '../generated/vector-unit.js';
import type { LineProgram } from '../runtime/cpp-program.js';
import { root } from './chip-build.js';
import { startOnChip } from './chip-run.js';
import { emulatedProgram } from './emulated.js';

const probeFolder = join(root, 'test', 'firmware', 'generated');

let probe: LineProgram;
beforeAll(async () => {
  const view = unitView(vectorUnit(), 'x');
  const source = loadTemplates(probeFolder)('probe.cpp', {
    units: [{ header: view.header, namespace: view.namespace }],
    structs: view.reports.map(({ type, fields }, index) => ({
      index,
      type: `${view.namespace}::${type}`,
      members: fields.map(({ member }) => member),
    })),
  });
  const home = await generatedFolder(vectorUnit());
  await put(join(home, 'probe.cpp'), source);
  probe = startOnChip(await emulatedProgram('probe', [join(home, 'probe.cpp')], [home, probeFolder]));
}, 180_000);

afterAll(async () => expect(await probe.stop()).toEqual({ status: 0, complaints: '' }));

test.each(fieldVectors)('$name', async (vector) => {
  const { hex, error } = vector;
  const answer = await probe.ask(`decode ${reportOf(vector)} ${hex}`);
  if (error !== undefined) return expect(answer.split(' ').slice(0, 2)).toEqual(['no', error]);
  expect(answer).toBe(`ok ${vectorTokens(vector)}`);
  expect(await probe.ask(`encode ${reportOf(vector)} ${vectorTokens(vector)}`)).toBe(`ok ${hex}`);
});
