/** Delimited text: quotation marks wherever they stand, pieces of any length, and rows that are broken by themselves. */
import { CsvSplitter, type Dialect, dialectOf, type Row } from '../../../activities/datasets/csv-rows.js';

const CSV: Dialect = { delimiter: ',', newline: '\n', strict: true };
const TSV: Dialect = { delimiter: '\t', newline: '\n', strict: false };

/** The rows, the text handed over in pieces of so many letters. */
function rows(text: string, dialect: Dialect, size = text.length + 1, columns: number | null = null): Row[] {
  const splitter = new CsvSplitter(dialect);
  splitter.columns = columns;
  const found: Row[] = [];
  for (let at = 0; at < text.length; at += size) found.push(...splitter.push(text.slice(at, at + size)));
  found.push(...splitter.push('', true));
  return found;
}
const cells = (found: Row[]) => found.map(row => (row.problem ? `broken at ${row.line}` : row.cells.map(c => c.text)));

test.each<[string, string, Dialect, (string | string[])[]]>([
  [
    'plain',
    'a,b\n1,2\n',
    CSV,
    [
      ['a', 'b'],
      ['1', '2'],
    ],
  ],
  [
    'no end of line at the end',
    'a,b\n1,',
    CSV,
    [
      ['a', 'b'],
      ['1', ''],
    ],
  ],
  [
    'carriage returns',
    'a,"b"\r\n"1","2"\r\n\r\n3,4',
    CSV,
    [
      ['a', 'b'],
      ['1', '2'],
      ['3', '4'],
    ],
  ],
  [
    'quoted marks, ends and separators',
    '"a ""b""","c,\r\nd"\n1,""',
    CSV,
    [
      ['a "b"', 'c,\r\nd'],
      ['1', ''],
    ],
  ],
  ['marks inside a cell', 'a 6" pipe,b"\n', CSV, [['a 6" pipe', 'b"']]],
  ['marks around a part of a cell', '"Puig" plush,1\n', CSV, [['"Puig" plush', '1']]],
  ['a mark that opens and does not close', 'a,"b\nc,d\n', CSV, ['broken at 1', ['c', 'd']]],
  ['the same before a quoted cell', 'a,"b\nc,"d, e"\nf,g\n', CSV, ['broken at 1', ['c', 'd, e'], ['f', 'g']]],
  ['the same in the last line', 'a,b\nc,"d', CSV, [['a', 'b'], 'broken at 2']],
  [
    'a mark that closes in another row',
    'a,"b\nc,d"\ne,f\n',
    CSV,
    [
      ['a', 'b\nc,d'],
      ['e', 'f'],
    ],
  ],
  ['tabs', 'a\t"b ""c""\t\td"\n', TSV, [['a', 'b "c"\t\td']]],
  [
    'tabs without quoting',
    'a\t"b\t6" c\n"d"\te\t"\n',
    TSV,
    [
      ['a', '"b', '6" c'],
      ['d', 'e', '"'],
    ],
  ],
  [
    'old line ends',
    'a,b\r1,"2\r3"\r',
    { ...CSV, newline: '\r' },
    [
      ['a', 'b'],
      ['1', '2\r3'],
    ],
  ],
])('%s, in pieces of any length', (_, text, dialect, expected) => {
  for (const size of [text.length, 1, 2, 3, 7]) expect(cells(rows(text, dialect, size))).toEqual(expected);
});

test('a row over lines with another number of cells than the header is one that was never closed', () => {
  const text = 'a,"b,c\nd,e,f"\ng,"h\ni",j\n';
  expect(cells(rows(text, CSV, 5, 3))).toEqual(['broken at 1', ['d', 'e', 'f"'], ['g', 'h\ni', 'j']]);
  const tabs = text.replaceAll(',', '\t');
  expect(cells(rows(tabs, TSV, 5, 3))).toEqual([
    ['a', '"b', 'c'],
    ['d', 'e', 'f"'],
    ['g', 'h\ni', 'j'],
  ]);
});

test('rows know their lines', () => {
  const found = rows('a,b\n\n"1\n2",3\n4,5\n', CSV);
  expect(found.map(row => row.line)).toEqual([1, 3, 5]);
});

test.each([
  ['a,b;c,d\n', false, ','],
  ['a;b;"c,d,e,f"\n', false, ';'],
  ['a\tb,c\td\n', false, '\t'],
  ['a|b|c\n', false, '|'],
  ['alone\n', false, ','],
  ['a,b,c\td\n', true, '\t'],
])('%j is told by its header', (header, tabs, delimiter) => {
  expect(dialectOf(header, tabs)).toEqual({ delimiter, newline: '\n', strict: !tabs });
});

/** A plain reading of RFC 4180 after the fact: what is written is what is read, whatever the letters. */
test('written by the rule, read again', () => {
  const letters = ['"', ',', '\n', '\r\n', 'x', 'ü', ' '];
  const cellsOf = (seed: number) =>
    Array.from({ length: 3 }, (_, k) =>
      Array.from({ length: (seed >> k) % 5 }, (_, j) => letters[(seed * 7 + k * 3 + j * j) % 7]).join(''),
    );
  const table = Array.from({ length: 300 }, (_, k) => cellsOf(k));
  const text = table.map(row => `${row.map(cell => `"${cell.replaceAll('"', '""')}"`).join(',')}\r\n`).join('');
  expect(rows(text, CSV, 11, 3).map(row => row.cells.map(c => c.text))).toEqual(table);
});
