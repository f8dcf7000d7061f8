/** The `qwenlong-l1` scorer against what the authors' own code gave (test/fixtures/golden/golden_rewards.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Task } from '../../../activities/datasets/sample';
import { authorsOutcome } from '../../../activities/rewards/qwenlong-l1/index';
import { log10 } from '../../../activities/rewards/qwenlong-l1/log10';
import { explainRule, scoreRule } from '../../../activities/rewards/rules';

/** [said or whole response, gold, score or what is raised, extracted, 1 if a judge is asked] */
type Row = [string, string, number | string, (string | null)?, 1?];

const file = JSON.parse(readFileSync(join(__dirname, '../../fixtures/golden/rewards.json'), 'utf8')) as {
  short: Record<string, string>;
} & Record<Task, { said: Row[]; whole: Row[] }>;

const long = (text: string): string =>
  Object.entries(file.short).reduce((all, [sign, phrase]) => all.replaceAll(sign, phrase), text);

interface Case {
  response: string;
  gold: string;
  score: number | string;
  extracted: string | null;
  asksJudge: boolean;
}

const cases = (task: Task): Case[] =>
  (['said', 'whole'] as const).flatMap(kind =>
    file[task][kind].map(([response, gold, score, extracted = null, judge = 0]) => ({
      response: (kind === 'said' ? '</think>' : '') + long(response),
      gold: long(gold),
      score,
      extracted: extracted === null ? null : long(extracted),
      asksJudge: judge === 1,
    })),
  );

/** Golds that ours reads and theirs does not: on these, theirs raises or, for choices, scores 0. */
const isLetterAlone = (gold: string): boolean => /^\s*\(?[A-D]\)?\s*$/.test(gold);

describe.each(['docqa', 'docmath', 'choice'] as const)('%s', task => {
  const all = cases(task);

  test('gives the score and the extraction of the authors, and asks their judge where they do', () => {
    const defined = all.filter(({ score, gold }) => typeof score === 'number' && !isLetterAlone(gold));
    expect(defined.length).toBeGreaterThan(900);
    expect(defined.filter(({ score }) => score === 1).length).toBeGreaterThan(40);
    const ours = defined.map(({ response, gold }) => {
      const { score, extracted, asksJudge } = authorsOutcome(task, response, gold);
      return { response, gold, score, extracted, asksJudge };
    });
    expect(ours).toEqual(defined);
  });

  test('where theirs raises, the score is 0 and says so, or their evaluation reads the gold', () => {
    for (const { response, gold, score, extracted } of all.filter(c => typeof c.score === 'string')) {
      const outcome = authorsOutcome(task, response, gold);
      expect(outcome.extracted).toBe(extracted);
      if (score !== 'AttributeError') expect(outcome.raised?.type).toBe(score);
      else if (outcome.raised === null) expect(outcome.comparison).not.toBeNull();
      if (outcome.raised) expect(scoreRule('qwenlong-l1', task, response, [gold])).toMatchObject({ score: 0 });
    }
  });
});

test('the three tasks together are more than 5,000 cases', () => {
  expect((['docqa', 'docmath', 'choice'] as const).flatMap(cases).length).toBeGreaterThan(5000);
});

describe('plain golds, as the authors’ evaluation reads them', () => {
  test.each([
    ['docqa', 'the answer is not Paris', 'Paris', 1],
    ['docqa', 'the answer is the.', 'Paris', 1],
    ['docqa', 'the answer is London', 'Paris', 0],
    ['docmath', 'the answer is 1000', '1', 1],
    ['docmath', 'the answer is 50', '5', 0],
    ['docmath', 'the answer is 5', '$5.00 million', 1],
    ['choice', 'The correct answer is (B)', 'B', 1],
    ['choice', 'The correct answer is (B)', 'C', 0],
  ] as const)('%s: %j for %j is %d', (task, said, gold, score) => {
    expect(scoreRule('qwenlong-l1', task, `</think>${said}`, [gold]).score).toBe(score);
  });
});

test('of several golds any will do, and the reason says what was compared', () => {
  const verdict = explainRule('qwenlong-l1', 'docqa', '</think>the answer is Rome', ['Paris', 'Rome, Italy']);
  expect(verdict).toMatchObject({ score: 1, extracted: 'Rome', comparisons: [{ gold: 'paris' }, { equal: true }] });
});

test('a gold without a number ends their run: 0, with what is raised', () => {
  const { score, reason } = scoreRule('qwenlong-l1', 'docmath', '</think>the answer is 5', ['five']);
  expect(score).toBe(0);
  expect(reason).toContain('AttributeError');
});

test('log10 is the C library’s to the last bit where V8’s is not', () => {
  // CPython 3.11 on glibc 2.36.
  const expected = [
    1.7160033436347992, 1.9637878273455553, 2.05307844348342, 3, -323.3062153431158, -0.5228787452803376,
  ];
  expect([52, 92, 113, 1000, 5e-324, 0.3].map(log10)).toEqual(expected);
  expect(log10(50) - log10(5)).toBe(0.9999999999999999);
});
