import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { metrics } from '../../base/api/metric-list.js';
import { startApi } from '../base/api/running-api.js';
import { codeIn, root, tableRows, textOf } from './support/documents.js';

test('the table of metrics has each, with its kind and its labels, and no other', () => {
  const documented = tableRows('docs/metrics.md', 'Metrics')
    .filter(([first]) => codeIn(first) !== undefined)
    .map(([name, kind, labels]) => ({
      name: codeIn(name),
      kind,
      labels: [...labels!.matchAll(/`([^`]+)`/g)].map(([, label]) => label),
    }));
  const byName = (a: { readonly name?: string | undefined }, b: typeof a): number => (a.name! < b.name! ? -1 : 1);
  const real = metrics.map(({ name, kind, labels }) => ({ name, kind, labels }));
  expect(documented.sort(byName)).toEqual([...real].sort(byName));
});

test('the table of routes has each, and no other', async () => {
  const { call } = await startApi();
  const { body } = await call('/api/v1/openapi.json');
  const real = Object.entries<object>(body.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const documented = tableRows('README.md', 'HTTP API').flatMap(([first]) => codeIn(first) ?? []);
  expect(documented.sort()).toEqual(real.sort());
});

test.each(['elfin', 'yamqtt'])('the events that the metrics of %s are said to have are counted', (dialect) => {
  const folder = join(root, 'base', 'dialects', dialect);
  const source = readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
  const [line = ''] = new RegExp(`^- \`${dialect}\`: .*$`, 'm').exec(textOf('docs/metrics.md')) ?? [];
  const events = [...line.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name!).slice(1);
  expect(events.length).toBeGreaterThan(9);
  // As a key, or as the name that is counted.
  const isCounted = (name: string): boolean => new RegExp(`'${name}'|\\b${name}[,:]`).test(source);
  expect(events.filter((name) => name !== 'e' && !isCounted(name))).toEqual([]);
});
