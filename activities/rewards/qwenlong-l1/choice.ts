/** Multiple choice as the authors score it: the first letter that follows their sentence (long.py). Never judged. */
import type { AuthorsRule } from './rule.js';

/** In brackets anywhere before without them anywhere; what follows the letter does not count ("Dublin" is D). */
function parse(text: string): string | null {
  const plain = text.replaceAll('*', '');
  return (/The correct answer is \(([A-D])\)/.exec(plain) ?? /The correct answer is ([A-D])/.exec(plain))?.[1] ?? null;
}

export const choice: AuthorsRule = {
  parse,
  plainGold: gold => /^\s*\(?([A-D])\)?\s*$/.exec(gold)?.[1] ?? null,
  // They catch what a missing letter raises, and score 0.
  compare: (answer, gold) => ({ rule: 'the same letter', answer, gold: gold ?? 'no letter', equal: answer === gold }),
  judged: false,
};
