/** The table of docs/firmware-size.md: what it says, what it should say, and how far the two are apart. */

/** A row's name, and its figures in octets, in the order of the columns. */
export interface Row {
  readonly name: string;
  readonly figures: readonly number[];
}

export interface Table {
  /** The first is the rows' own. */
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

/** More than this is a growth that somebody must have wanted. */
export const MAX_GROWTH = 0.02;

const BEGIN = (name: string): string => `<!-- sizes of ${name}: kept by test/firmware/chip/sizes.test.ts -->`;
const END = '<!-- end of sizes -->';

/** The text of a page with the table of that name replaced. Throws when the page has no place for it. */
export function withTable(page: string, name: string, table: Table): string {
  const { begin, end } = placeOf(page, name);
  return `${page.slice(0, begin)}\n${textOf(table)}${page.slice(end)}`;
}

/** The rows of the table of that name. */
export function rowsIn(page: string, name: string): Row[] {
  const { begin, end } = placeOf(page, name);
  const lines = page.slice(begin, end).trim().split('\n').slice(2);
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const [first, ...others] = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim());
      return { name: first!, figures: others.map((cell) => Number(cell.replaceAll(' ', ''))) };
    });
}

function placeOf(page: string, name: string): { readonly begin: number; readonly end: number } {
  const mark = page.indexOf(BEGIN(name));
  const end = page.indexOf(END, mark);
  if (mark === -1 || end === -1) throw new Error(`the page has no place for the sizes of ${name}`);
  return { begin: mark + BEGIN(name).length, end };
}

function textOf({ columns, rows }: Table): string {
  const lines = [
    columns,
    columns.map((_, index) => (index === 0 ? '---' : '---:')),
    ...rows.map(({ name, figures }) => [name, ...figures.map(String)]),
  ];
  return lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

/** What grew by more than {@link MAX_GROWTH}, came, or went: a line for each. Empty: the table still holds. */
export function complaintsAbout(written: readonly Row[], measured: Table): string[] {
  const before = new Map(written.map((row) => [row.name, row.figures]));
  const complaints = measured.rows.flatMap(({ name, figures }) => {
    const old = before.get(name);
    if (old === undefined) return [`${name} is new`];
    return figures.flatMap((octets, index) => {
      const was = old[index] ?? 0;
      return octets > was * (1 + MAX_GROWTH)
        ? [`${name}: ${measured.columns[index + 1]} grew from ${was} to ${octets}`]
        : [];
    });
  });
  const names = new Set(measured.rows.map(({ name }) => name));
  return [...complaints, ...written.filter(({ name }) => !names.has(name)).map(({ name }) => `${name} is gone`)];
}
