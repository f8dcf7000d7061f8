/** Golds that nothing could be scored against are refused, with value and expectation; all others are read. */
import { type GoldUse, unreadableGold } from '../../../activities/benchmarks/golds.js';
import { docmathAccuracy } from '../../../activities/benchmarks/metrics/docmath.js';
import { scoreRule } from '../../../activities/rewards/rules.js';

const use = (rest: Partial<GoldUse>): GoldUse => ({ task: 'docmath', question: 'How many?', answers: ['5'], ...rest });

test.each(['5', '-5', '1e3', '.5', 'True', 'False', 'yes', '1_000'])('DocMath-Eval reads the gold %j', gold => {
  expect(unreadableGold(use({ answers: [gold], metric: 'docmath' }))).toBeNull();
});

test.each(['12.5%', '$5', '1,000', 'about five', '\\sqrt{2}'])('DocMath-Eval cannot read the gold %j', gold => {
  expect(unreadableGold(use({ answers: ['5', gold], metric: 'docmath' }))).toBe(
    `expected a plain number, or True or False, as gold answer, for that is all that DocMath-Eval's accuracy reads; found ${JSON.stringify(gold)}`,
  );
  expect(unreadableGold(use({ answers: [gold] }))).toBeNull();
});

test.each(['blue', 'Paris', '', 'inf', 'option', '\\text{blue}'])('no number can be read in the gold %j', gold => {
  expect(unreadableGold(use({ answers: ['5', gold] }))).toBe(
    `task docmath: expected a number or a formula, or True or False, as gold answer; found ${JSON.stringify(gold)}`,
  );
  expect(unreadableGold(use({ answers: [gold], metric: 'docmath' }))).toMatch(/^expected a plain number/);
  expect(unreadableGold(use({ task: 'docqa', answers: [gold] }))).toBeNull();
});

test.each(['5', '12.5%', '$5', 'True', 'no', 'about five', '5 million', '3/4', '(0,9)', 'a^2 + b = 0', '3 to 4'])(
  'the rule reads the gold %j',
  gold => {
    expect(unreadableGold(use({ answers: [gold] }))).toBeNull();
  },
);

test.each<[prediction: string, gold: string, score: 0 | 1]>([
  ['yes', 'True', 1],
  ['True', 'True', 1],
  ['1', 'True', 1],
  ['no', 'True', 0],
  ['no', 'False', 1],
  ['0', 'no', 1],
  ['5', 'yes', 0],
])('a boolean gold is the number that Python makes of it: %j for %j', (prediction, gold, score) => {
  expect(docmathAccuracy(prediction, gold)).toBe(score);
});

describe('choice', () => {
  const question = 'Where? (A) Rome (B) Paris (C) Oslo (D) Bonn (E) Bern';

  test.each(['E', 'e', '(E)', 'E. Bern', 'Bern', 'bern.', 'The correct answer is (E)', '\\boxed{\\text{(E)}}'])(
    'reads %j',
    gold => {
      expect(unreadableGold({ task: 'choice', question, answers: [gold] })).toBeNull();
    },
  );

  test('refuses a letter that the question does not list', () => {
    const two = { task: 'choice' as const, question: 'Which?\nA) red\nB) blue' };
    expect(unreadableGold({ ...two, answers: ['G'] })).toBe(
      'task choice: expected a letter A–B as gold answer, or the text of one of the question\'s options, of which none is G; found "G"',
    );
    expect(unreadableGold({ ...two, answers: ['B'] })).toBeNull();
    expect(unreadableGold({ ...two, question: 'Which?', answers: ['G'] })).toBeNull();
    expect(scoreRule('hardened', 'choice', 'The answer is E.', ['G'], two).score).toBe(0);
    expect(scoreRule('hardened', 'choice', 'E', ['E'], two).score).toBe(0);
  });

  test('refuses a text that is none of the options', () => {
    expect(unreadableGold({ task: 'choice', question, answers: ['London'] })).toBe(
      'task choice: expected a letter A–E as gold answer, or the text of one of the question\'s options; found "London"',
    );
    expect(unreadableGold({ task: 'choice', question: 'Where?', answers: ['Paris', 'Rome'] })).toBe(
      'task choice: expected a letter as gold answer, or the text of one of the question\'s options, which it does not list as "(A) … (B) …"; found "Paris", "Rome"',
    );
  });
});
