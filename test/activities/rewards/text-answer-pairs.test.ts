/** Generated answers in words and choices: what is equal passes in every form, and nothing else does in any. */
import { scoreRule } from '../../../activities/rewards/rules.js';
import { textAnswerPairs } from '../../support/text-answer-pairs.js';

const PAIRS = 80_000;

test(`${PAIRS} pairs, half of them equal, half docqa and half choice`, () => {
  const wrong = new Map<string, string>();
  for (const { task, form, question, gold, response, equal } of textAnswerPairs(1, PAIRS)) {
    const { score, reason } = scoreRule('hardened', task, response, [gold], { question });
    const key = `${task}, ${equal ? 'equal' : 'unequal'}: ${form}`;
    if ((score === 1) !== equal && !wrong.has(key)) wrong.set(key, `${gold}: ${JSON.stringify(response)}: ${reason}`);
  }
  expect(Object.fromEntries(wrong)).toEqual({});
});
