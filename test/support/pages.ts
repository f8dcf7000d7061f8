/** The README and the pages of docs/, taken apart: headings, links, code, tables. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(__dirname, '../..');
/** Made from schemas by `npm run docs`, and held against them elsewhere. */
export const GENERATED = ['docs/spec.md', 'docs/evaluation-spec.md', 'docs/study-spec.md'];

/** A fenced block: the words after its fence, and what stands in it. */
export interface Block {
  language: string;
  /** What follows the language: it is ours, GitHub renders by the language alone. */
  kind: string;
  text: string;
  /** Of its fence, counted from 1. */
  line: number;
}

export interface Link {
  target: string;
  title: string | null;
  line: number;
}

export interface Page {
  /** From the root: `docs/data.md`. */
  file: string;
  lines: string[];
  blocks: Block[];
  /** What `#…` may lead to. */
  anchors: string[];
  links: Link[];
  /** Inline code, outside of blocks. */
  codes: { text: string; line: number }[];
}

export function pages(): Page[] {
  const docs = readdirSync(join(ROOT, 'docs')).filter(name => name.endsWith('.md'));
  return ['README.md', ...docs.sort().map(name => `docs/${name}`)].map(page);
}

export function page(file: string): Page {
  const lines = readFileSync(join(ROOT, file), 'utf8').split('\n');
  const blocks: Block[] = [];
  const prose: { text: string; line: number }[] = [];
  let open: Block | null = null;
  lines.forEach((text, k) => {
    const fence = /^```(\S*) *(.*)$/.exec(text);
    if (open && text === '```') {
      blocks.push(open);
      open = null;
    } else if (open) open.text += `${text}\n`;
    else if (fence) open = { language: fence[1]!, kind: fence[2]!, text: '', line: k + 1 };
    else prose.push({ text, line: k + 1 });
  });
  if (open) throw new Error(`${file}:${(open as Block).line}: the block has no end`);
  return {
    file,
    lines,
    blocks,
    anchors: prose.flatMap(({ text }) => (/^#+ /.test(text) ? [anchorOf(text.replace(/^#+ /, ''))] : [])),
    links: prose.flatMap(({ text, line }) =>
      [...text.matchAll(/\]\(([^)\s"]+)(?: "([^"]*)")?\)/g)].map(([, target, title]) => ({
        target: target!,
        title: title ?? null,
        line,
      })),
    ),
    codes: prose.flatMap(({ text, line }) =>
      [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => ({ text: code!, line })),
    ),
  };
}

/** As GitHub makes it of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

/** The rows of the tables under a heading, cells trimmed, without head and rule. */
export function tableUnder(file: string, heading: string): string[][] {
  const { lines } = page(file);
  const from = lines.findIndex(line => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading);
  if (from < 0) throw new Error(`${file} has no heading "${heading}"`);
  const length = lines.slice(from + 1).findIndex(line => /^#+ /.test(line));
  return lines
    .slice(from + 1, length < 0 ? undefined : from + 1 + length)
    .filter(line => line.startsWith('|'))
    .slice(2)
    .map(line =>
      line
        .split('|')
        .slice(1, -1)
        .map(cell => cell.trim()),
    );
}
