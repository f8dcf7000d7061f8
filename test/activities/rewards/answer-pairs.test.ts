/**
 * Generated pairs of every form: all that are equal pass, and none of the others does. With ANSWER_PAIRS=FILE the pairs are
 * written there as JSON lines, with the scores of both scorers (test/fixtures/golden/measure_answers.py reads them).
 */
import { writeFileSync } from 'node:fs';
import { scoreRule } from '../../../activities/rewards/rules.js';
import { type AnswerPair, answerPairs } from '../../support/answer-pairs.js';

const PAIRS = 20_000;
const { equal, unequal } = answerPairs(1, PAIRS);

/** Pairs whose verdict is another than it should be, the first of each form. */
function wrong(pairs: readonly AnswerPair[]): string[] {
  const failed = new Map<string, string>();
  for (const pair of pairs) {
    const { score, extracted, reason } = scoreRule('hardened', 'docmath', pair.response, [pair.gold]);
    if ((score === 1) !== pair.equal && !failed.has(pair.form)) {
      failed.set(
        pair.form,
        `${pair.form}: gold ${pair.gold}, ${JSON.stringify(pair.response)} (${extracted}): ${reason}`,
      );
    }
  }
  return [...failed.values()];
}

test(`${PAIRS} equal pairs pass`, () => {
  expect(equal).toHaveLength(PAIRS);
  expect(wrong(equal)).toEqual([]);
});

test(`${PAIRS} unequal pairs do not`, () => {
  expect(unequal).toHaveLength(PAIRS);
  expect(wrong(unequal)).toEqual([]);
});

const file = process.env.ANSWER_PAIRS;
(file ? test : test.skip)('the pairs are written', () => {
  const lines = [...equal, ...unequal].map(pair => {
    const score = (scorer: 'hardened' | 'qwenlong-l1', response: string) =>
      scoreRule(scorer, 'docmath', response, [pair.gold]).score;
    // The authors' code reads nothing before thinking ends.
    const scores = {
      hardened: score('hardened', pair.response),
      authors: score('qwenlong-l1', `</think>${pair.response}`),
    };
    return JSON.stringify({ ...pair, ...scores });
  });
  writeFileSync(file!, `${lines.join('\n')}\n`);
});
