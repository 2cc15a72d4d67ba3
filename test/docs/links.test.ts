import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { documents, proseOf, root, textOf } from './support/documents.js';

/** As GitHub makes the anchor of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (document: string): string[] =>
  [...textOf(document).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading!));

test('every link of a document to another, to a file or to a heading leads somewhere', () => {
  const dead: string[] = [];
  let followed = 0;
  for (const document of documents) {
    for (const [, target] of proseOf(document).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https:\/\//.test(target!)) continue;
      followed += 1;
      const [path = '', anchor] = target!.split('#');
      const file = path === '' ? document : normalize(join(dirname(document), path));
      const isThere = existsSync(join(root, file)) && (anchor === undefined || anchorsOf(file).includes(anchor));
      if (!isThere) dead.push(`${document}: ${target}`);
    }
  }
  expect(dead).toEqual([]);
  expect(followed).toBeGreaterThan(10);
});

test('every picture has a text for those who do not see it', () => {
  const pictures = documents.flatMap((document) => [...proseOf(document).matchAll(/!\[([^\]]*)\]/g)]);
  expect(pictures.length).toBeGreaterThan(0);
  for (const [, text] of pictures) expect(text!.length).toBeGreaterThan(40);
});
