/** The rules of the `hardened` scorer: find the answer, read it and each gold the same way, say what was compared. */
import type { Task } from '../../datasets/index.js';
import { answerStated, type Stated, unwrapped } from '../answer.js';
import { beforeCut } from '../explanation.js';
import { saidIn } from '../said.js';
import { type Comparison, type Explanation, noAnswer, quoted, type Rule } from '../verdict.js';
import { choice } from './choice.js';
import { compareNumbers } from './docmath.js';
import { compareAnswers, YES_OR_NO } from './docqa.js';

type Compare = (answer: string, gold: string) => Comparison;

/** The golds go through the same extraction as the response. */
const ofStatement =
  (compare: Compare): Rule =>
  (response, golds, context): Explanation => {
    const said = saidIn(response, context);
    if (said === null) return noAnswer('it ends inside <think>');
    const finished = context.finish === 'length' ? beforeCut(said) : null;
    const stated = answerStated(finished ?? said);
    if (stated === null) return noAnswer('expected "the answer is …" at the end');
    if (context.finish === 'length' && finished === null && !stated.ended) {
      return noAnswer('it was cut off before the answer ended');
    }
    const extracted = stated.readings.at(-1)!;
    const comparisons: Comparison[] = [];
    for (const gold of golds) {
      const wanted = answerStated(gold)?.whole ?? unwrapped(gold);
      const { comparison, reading } = compared(stated, wanted, compare);
      comparisons.push(comparison);
      if (comparison.equal) {
        return { score: 1, extracted: reading, reason: why(comparison, reading, wanted), comparisons };
      }
    }
    const twice = saidTwice(stated, golds, compare);
    if (twice) return { score: 1, extracted, ...twice };
    return { score: 0, extracted, reason: whyNot(comparisons), comparisons };
  };

/** The first reading that is the gold answer, else the answer alone. */
function compared({ readings }: Stated, gold: string, compare: Compare): { comparison: Comparison; reading: string } {
  let last: { comparison: Comparison; reading: string } | undefined;
  for (const reading of readings) {
    last = { comparison: compare(reading, gold), reading };
    // What follows a yes may take it back: nothing is left out of it.
    if (last.comparison.equal || last.comparison.rule === YES_OR_NO) break;
  }
  return last!;
}

/** "twenty-one (21)", "1/2, or 0.5": right where both are. */
const TWICE: readonly RegExp[] = [/^([^()]+?)\s*\(([^()]+)\)$/, /^(.+?),?\s+(?:or|i\.e\.,?|that is,?)\s+(.+)$/is];
/** Longer answers are not looked through for it. */
const LONGEST_TWICE = 200;

function saidTwice(
  { readings }: Stated,
  golds: readonly string[],
  compare: Compare,
): Pick<Explanation, 'reason' | 'comparisons'> | null {
  for (const reading of readings) {
    for (const pattern of reading.length > LONGEST_TWICE ? [] : TWICE) {
      const parts = pattern.exec(reading)?.slice(1).map(unwrapped) ?? [];
      const found = parts.map(part => golds.map(gold => compare(part, unwrapped(gold))).find(({ equal }) => equal));
      if (parts.length === 0 || !found.every(comparison => comparison !== undefined)) continue;
      return { reason: `says twice what equals a gold answer: ${parts.map(quoted).join(' and ')}`, comparisons: found };
    }
  }
  return null;
}

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
  docqa: ofStatement(compareAnswers),
  docmath: ofStatement(compareNumbers),
  choice,
};
