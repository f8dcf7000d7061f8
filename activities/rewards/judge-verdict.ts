/** Reading a judgement: the one verdict that it states, as judges write it. */
import { saidIn } from './said.js';

export type JudgeSays = 'yes' | 'no';

/** [[YES]] and [[No]], in bold, quotes or code, with brackets escaped for Markdown or LaTeX. */
const TAG = /\\?\[\\?\[([^[\]\n]*?)\\?\]\\?\]/g;
const VERDICTS: Record<string, JudgeSays> = { YES: 'yes', NO: 'no' };

/** A tag that says a verdict, or something else; blanks inside belong to no verdict. */
const meaning = (tag: string): JudgeSays | null => VERDICTS[tag.replace(/[*_`]/g, '').toUpperCase()] ?? null;

/**
 * The verdict of a reply, thinking apart; null where there is none, or not one alone. A verdict is stated at the beginning
 * or the end of a line, with no other tag on it, and however often a judge states it, it is the same: one who writes both
 * has not decided.
 */
export function readVerdict(reply: string): JudgeSays | null {
  const said = saidIn(reply) ?? '';
  const found = new Set<JudgeSays>();
  let isStated = false;
  for (const line of said.split(/\r\n?|\n/)) {
    const tags = [...line.matchAll(TAG)];
    const meant = tags.map(([, tag]) => meaning(tag!));
    const verdicts = meant.filter(verdict => verdict !== null);
    if (verdicts.length === 0) continue;
    if (verdicts.length < meant.length) return null;
    for (const verdict of verdicts) found.add(verdict);
    isStated ||= isAtAnEnd(line, tags);
  }
  return isStated && found.size === 1 ? [...found][0]! : null;
}

const WORDS = /[\p{L}\p{N}]/u;

function isAtAnEnd(line: string, tags: RegExpExecArray[]): boolean {
  const [first, last] = [tags[0]!, tags.at(-1)!];
  return !WORDS.test(line.slice(0, first.index)) || !WORDS.test(line.slice(last.index + last[0].length));
}
