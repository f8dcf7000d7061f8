/** The rules of the `hardened` scorer: find the answer, read it and each gold the same way, say what was compared. */
import type { Task } from '../../datasets/index.js';
import { afterThinking, answerPhrase, unwrapped } from '../answer.js';
import { type Comparison, type Explanation, quoted, type Rule } from '../verdict.js';
import { compareLetters, statedLetter } from './choice.js';
import { compareNumbers } from './docmath.js';
import { compareAnswers } from './docqa.js';

/** What a rule is made of: the golds go through the same extraction as the response. */
interface Parts {
  extract(text: string): string | null;
  /** What a response should have said. */
  expected: string;
  compare(answer: string, gold: string): Comparison;
}

const PARTS: Record<Task, Parts> = {
  docqa: { extract: answerPhrase, expected: '"the answer is …"', compare: compareAnswers },
  docmath: { extract: answerPhrase, expected: '"the answer is …"', compare: compareNumbers },
  choice: {
    extract: statedLetter,
    expected: '"The correct answer is (X)" with one letter A–D',
    compare: compareLetters,
  },
};

const judgedBy =
  ({ extract, expected, compare }: Parts): Rule =>
  (response, golds): Explanation => {
    const extracted = extract(response);
    if (extracted === null) {
      const unfinished = afterThinking(response) === null;
      const reason = unfinished ? 'it ends inside <think>' : `expected ${expected} at the end`;
      return { score: 0, extracted, reason: `no answer found: ${reason}`, comparisons: [] };
    }
    const comparisons: Comparison[] = [];
    for (const gold of golds) {
      const wanted = extract(gold) ?? unwrapped(gold);
      const comparison = compare(extracted, wanted);
      comparisons.push(comparison);
      if (comparison.equal) return { score: 1, extracted, reason: why(comparison, extracted, wanted), comparisons };
    }
    return { score: 0, extracted, reason: whyNot(comparisons), comparisons };
  };

function why({ rule, answer, gold }: Comparison, extracted: string, wanted: string): string {
  const same = `equals the gold answer ${JSON.stringify(wanted)}`;
  if (extracted === wanted) return same;
  return answer === gold
    ? `${same}: as ${rule}, both are ${quoted(gold)}`
    : `${same}: as ${rule}, ${quoted(answer)} is ${quoted(gold)}`;
}

/** Golds named in a reason; a question may have a hundred aliases. */
const NAMED = 3;

function whyNot(comparisons: readonly Comparison[]): string {
  if (comparisons.length === 0) return 'there is no gold answer';
  const named = comparisons
    .slice(0, NAMED)
    .map(({ rule, answer, gold }) => `as ${rule}, ${quoted(answer)} is not ${quoted(gold)}`);
  const more = comparisons.length - named.length;
  return `${named.join('; ')}${more > 0 ? `; nor any of ${more} more` : ''}`;
}

export const hardened: Record<Task, Rule> = {
  docqa: judgedBy(PARTS.docqa),
  docmath: judgedBy(PARTS.docmath),
  choice: judgedBy(PARTS.choice),
};
