/** The table of features: each "yes" of ours leads to a test that is there, and has the name that the link says. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { page, ROOT, tableUnder } from '../support/pages';

const FILE = 'docs/features.md';
const HEADINGS = ['The method', 'Rewards and evaluation', 'Reliability', 'Scale and hardware', 'Watching'];
const ROWS = HEADINGS.flatMap(heading => tableUnder(FILE, heading));
/** Feature, ours, and the peers'. */
const COLUMNS = 8;

test('every row has a cell for each', () => {
  expect(ROWS.length).toBeGreaterThan(30);
  expect(ROWS.filter(row => row.length !== COLUMNS || row.includes(''))).toEqual([]);
});

test('every yes of ours is a link to a test', () => {
  const bare = ROWS.filter(
    ([, ours]) => /^yes/.test(ours!) || (/\byes\b/.test(ours!) && !/^\[yes\]\(\.\.\/test\//.test(ours!)),
  );
  expect(bare).toEqual([]);
  expect(ROWS.filter(([, ours]) => ours!.startsWith('[yes]')).length).toBeGreaterThan(15);
});

test('where peers are ahead, ours is a no', () => {
  expect(ROWS.filter(([, ours]) => /^no\b/.test(ours!)).length).toBeGreaterThan(8);
});

const TESTS = page(FILE).links.filter(({ target }) => target.startsWith('../test/'));

test.each(TESTS)('line $line: $target "$title"', ({ target, title }) => {
  const file = join(ROOT, 'docs', target);
  expect(existsSync(file)).toBe(true);
  if (title !== null) expect(readFileSync(file, 'utf8').replaceAll("\\'", "'")).toContain(title);
});

test('each peer has its source and the day is said', () => {
  const head = page(FILE).lines.find(line => line.startsWith('| | longhaul |'))!;
  const peers = head
    .split('|')
    .slice(3, -1)
    .map(cell => cell.trim());
  expect(tableUnder(FILE, 'Sources').map(([peer]) => peer)).toEqual(peers);
  expect(page(FILE).lines.join('\n')).toMatch(/Read on \d{4}-\d{2}-\d{2}/);
});
