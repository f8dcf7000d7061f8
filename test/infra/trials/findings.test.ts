/** A trial's tables get into the documentation's pages by themselves. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tell, withSection } from '../../../infra/trials/findings';
import { pages } from '../../support/pages';

const PAGE =
  'before\n<!-- trial a -->\nold\n<!-- end of trial a -->\nafter\n<!-- trial b -->\n<!-- end of trial b -->\n';

test('content takes the place of what is between its marks, and of nothing else', () => {
  const once = withSection(PAGE, 'a', 'new');
  expect(once).toBe(PAGE.replace('\nold\n', '\n\nnew\n\n'));
  expect(withSection(once, 'a', 'new')).toBe(once);
  expect(withSection(PAGE, 'b', 'x')).toBe(PAGE.replace('trial b -->\n<!--', 'trial b -->\n\nx\n\n<!--'));
});

test('a page without the marks is refused with what was looked for', () => {
  expect(() => withSection(PAGE, 'c', 'new')).toThrow('expected <!-- trial c --> … <!-- end of trial c -->');
});

describe('what was found', () => {
  let folder: string;
  const printed: string[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'longhaul-findings-'));
    jest.spyOn(process.stdout, 'write').mockImplementation(text => printed.push(String(text)) > 0);
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    process.exitCode = 0;
    await rm(folder, { recursive: true });
  });

  test('is printed and written on the page, and what does not hold says so in both', async () => {
    const page = join(folder, 'page.md');
    await writeFile(page, PAGE);
    const table = { columns: ['what', 'took'], lines: [['this', '1 s']] };
    await tell([{ name: 'a', table, remarks: ['A remark.'], holds: false }], { page });
    const text = await readFile(page, 'utf8');
    expect(text).toMatch(
      /\| this \| 1 s \|\n\n\*\*This does not hold\.\*\*\n\nA remark\.\n\nOn \d{4}-\d\d-\d\d, on \d+ cores, /,
    );
    expect(printed.join('')).toContain('DOES NOT HOLD');
    expect(process.exitCode).toBe(1);
  });
});

test('every pair of marks in the documentation is whole', () => {
  for (const { file, lines } of pages()) {
    const text = lines.join('\n');
    const begun = [...text.matchAll(/^<!-- trial (.*) -->$/gm)].map(([, name]) => name);
    for (const name of begun)
      expect([file, withSection(text, name!, 'x')]).toEqual([file, expect.stringContaining('x')]);
  }
});
