import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { strictView } from '../../codegen/strict-view.js';
import { loadTemplates } from '../../codegen/templates.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'templates-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function rendered(template: string, view: object): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'it.hbs'), template);
  return loadTemplates(folder)('it', view);
}

const view = { name: '<a & b>', isOn: false, items: [{ name: 'x' }, { name: 'y' }] };

test('a template gets what the view has, without HTML escapes', async () => {
  expect(await rendered('{{name}}{{#if isOn}}on{{/if}}{{#each items}} {{name}}{{/each}}', view)).toBe('<a & b> x y');
});

test.each([
  ['a value', '{{nmae}}'],
  ['#if', '{{#if isOff}}x{{/if}}'],
  ['#unless', '{{#unless isOff}}x{{/unless}}'],
  ['#each', '{{#each itmes}}x{{/each}}'],
  ['a value inside #each', '{{#each items}}{{nmae}}{{/each}}'],
  ['#if inside #each', '{{#each items}}{{#if isOff}}x{{/if}}{{/each}}'],
])('a name that is not there throws: %s', async (_, template) => {
  await expect(rendered(template, view)).rejects.toThrow(/nmae|isOff|itmes/);
});

test('a view with undefined in it is refused: it would print nothing', () => {
  expect(() => strictView({ a: { b: undefined } })).toThrow('view.a.b is undefined');
});

test('a template that does not exist is refused by name', () => {
  expect(() => loadTemplates(folder)('gone', {})).toThrow('there is no template gone.hbs');
});
