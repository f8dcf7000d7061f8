/** What the README and docs/ lead to is there: pages, headings, files, tests, messages, variables. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { GENERATED, page, pages, ROOT, tableUnder } from '../support/pages';

const PAGES = pages();
/** Folders whose files are named in the texts from the root. */
const TOP = ['activities', 'workflows', 'workers', 'infra', 'test', 'docs', '.ci'];

/** Pages that a program writes from the schemas. */

/** What is wrong, each with its place. */
const complaints = <T extends { line: number }>(
  of: (page: (typeof PAGES)[number]) => T[],
  wrong: (item: T) => string | null,
) =>
  PAGES.flatMap(page =>
    of(page).flatMap(item => {
      const problem = wrong(item);
      return problem === null ? [] : [`${page.file}:${item.line}: ${problem}`];
    }),
  );

test('the README can be read in five minutes', () => {
  expect(page('README.md').lines.length).toBeLessThanOrEqual(200);
});

test('every relative link leads to a file, and every anchor to a heading', () => {
  const broken = PAGES.flatMap(({ file, links }) =>
    links.flatMap(({ target, line }) => {
      if (/^[a-z]+:/.test(target)) return [];
      const [path, anchor] = target.split('#') as [string, string?];
      const to = path === '' ? file : normalize(join(dirname(file), path));
      if (!existsSync(join(ROOT, to))) return [`${file}:${line}: there is no ${to}`];
      if (anchor === undefined || page(to).anchors.includes(anchor)) return [];
      return [`${file}:${line}: ${to} has no heading #${anchor}`];
    }),
  );
  expect(broken).toEqual([]);
});

test('the index names every page, and no page is reached from nowhere', () => {
  const indexed = page('docs/README.md').links.map(({ target }) => `docs/${target}`);
  expect(PAGES.map(({ file }) => file).filter(file => !/README/.test(file) && !indexed.includes(file))).toEqual([]);
});

test('every page opens with a command', () => {
  const late = PAGES.filter(({ file, blocks, lines }) => {
    if (file === 'docs/README.md' || GENERATED.includes(file)) return false;
    const [first] = blocks;
    const before = lines.slice(1, (first?.line ?? 1) - 1).filter(line => line.startsWith('#') || line.startsWith('|'));
    return !['sh', 'console'].includes(first?.language ?? '') || before.length > 0;
  });
  expect(late.map(({ file }) => file)).toEqual([]);
});

test('every source file and test that is named exists', () => {
  const missing = complaints(
    ({ codes }) => codes,
    ({ text }) => {
      const inTest = /\.test\.ts$/.test(text);
      if (!/^[\w.@-]+(\/[\w.@-]+)*\/?$/.test(text)) return null;
      if (!inTest && !(text.includes('/') && TOP.includes(text.split('/')[0]!))) return null;
      const places = inTest ? [text, `test/${text}`] : [text];
      return places.some(place => existsSync(join(ROOT, place))) ? null : `there is no ${text}`;
    },
  );
  expect(missing).toEqual([]);
});

test('every promise of reliability names a test', () => {
  const rows = tableUnder('docs/reliability.md', 'Promises');
  expect(rows.length).toBeGreaterThan(15);
  expect(rows.filter(([, tests]) => !/`[^`]+\.test\.ts`/.test(tests!))).toEqual([]);
});

describe('what the texts quote of the program is what it says', () => {
  const sources = ['activities', 'workflows', 'workers', 'infra'].flatMap(sourcesBelow).join('\n');

  test('messages in the table of troubles', () => {
    const quoted = tableUnder('docs/troubles.md', 'Troubles: what you see, and what to do')
      .flatMap(([seen]) => [...seen!.matchAll(/`([^`]+)`/g)].map(([, text]) => text!))
      .filter(text => /^\S+ \S+/.test(text));
    expect(quoted.length).toBeGreaterThan(2);
    const pieces = quoted.flatMap(text => text.split('…').map(piece => piece.trim()));
    expect(pieces.filter(piece => !sources.includes(piece))).toEqual([]);
  });

  test('environment variables', () => {
    const unknown = complaints(
      ({ lines }) => lines.map((text, k) => ({ text, line: k + 1 })),
      ({ text }) => {
        const names = text.match(/\bLONGHAUL_[A-Z_]+\b/g) ?? [];
        const missing = names.filter(name => !sources.includes(name));
        return missing.length === 0 ? null : `nothing reads ${missing.join(', ')}`;
      },
    );
    expect(unknown).toEqual([]);
  });
});

function sourcesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap(entry => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return sourcesBelow(path);
    return /\.[tj]s$/.test(path) ? [readFileSync(join(ROOT, path), 'utf8')] : [];
  });
}
