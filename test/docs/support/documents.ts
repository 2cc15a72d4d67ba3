import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..', '..');

const names = (folder: string): string[] => readdirSync(join(root, folder)).filter((name) => name.endsWith('.md'));

/** Every document of the project, from its root. */
export const documents: readonly string[] = [
  ...names('.'),
  ...['docs', 'examples'].flatMap((folder) => names(folder).map((name) => `${folder}/${name}`)),
].sort();

export const textOf = (document: string): string => readFileSync(join(root, document), 'utf8');

/** A fenced block. `kind` is what follows its language: ```json outcome. */
export interface Block {
  /** `README.md:12` */
  readonly where: string;
  readonly language: string;
  readonly kind: string;
  readonly text: string;
}

const fence = /^```(\S*)(?: +([^\n]*?))?\n(.*?)^```$/gms;

/** The fenced blocks of all documents in that language, in their order. */
export function blocks(language: string, of: readonly string[] = documents): Block[] {
  return of.flatMap((document) => {
    const text = textOf(document);
    return [...text.matchAll(fence)]
      .map((match) => ({
        where: `${document}:${text.slice(0, match.index).split('\n').length}`,
        language: match[1]!,
        kind: match[2] ?? '',
        text: match[3]!,
      }))
      .filter((block) => block.language === language);
  });
}

/** The document without its fenced and its indented blocks. */
export const proseOf = (document: string): string =>
  textOf(document)
    .replace(fence, '')
    .replace(/^ {4}.*$/gm, '');

/** What stands between backquotes in the running text, with where. */
export function inlineCode(): { readonly where: string; readonly text: string }[] {
  return documents.flatMap((document) =>
    [...proseOf(document).matchAll(/`([^`\n]+)`/g)].map(([, text]) => ({ where: document, text: text! })),
  );
}

/** The rows of the tables below a heading, up to the next heading of its level or above; backquotes kept, trimmed. */
export function tableRows(document: string, heading: string): string[][] {
  const lines = textOf(document).split('\n');
  const begin = lines.findIndex((line) => line.replace(/^#+ /, '') === heading && line.startsWith('#'));
  if (begin === -1) throw new Error(`${document} has no heading "${heading}"`);
  const level = lines[begin]!.indexOf(' ');
  const after = lines.slice(begin + 1);
  const end = after.findIndex((line) => /^#+ /.test(line) && line.indexOf(' ') <= level);
  return (end === -1 ? after : after.slice(0, end))
    .filter((line) => line.startsWith('|') && !/^\| ?---/.test(line))
    .map((line) =>
      line
        .slice(1, line.lastIndexOf('|'))
        .split('|')
        .map((cell) => cell.trim()),
    );
}

/** The text of a cell that is one piece of code; `undefined` for prose. */
export const codeIn = (cell: string | undefined): string | undefined => /^`([^`]+)`$/.exec(cell ?? '')?.[1];
