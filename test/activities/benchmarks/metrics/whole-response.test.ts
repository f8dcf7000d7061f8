import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchmarkName } from '../../../../activities/benchmarks/benchmarks.js';
import { officialScores } from '../../../../activities/benchmarks/metrics/official.js';
import { similarity } from '../../../../activities/benchmarks/metrics/sequence-matcher.js';

/** What golden_whole_responses.py writes: response, gold and score, by benchmark. */
type Golden = Record<string, [response: string, gold: string, score: number][]>;

const COMMITTED = join(__dirname, '../../../fixtures/golden/metrics/whole-responses.json');
const golden = JSON.parse(readFileSync(process.env.GOLDEN_WHOLE_RESPONSES ?? COMMITTED, 'utf8')) as Golden;

test.each(Object.entries(golden))('%s: scores what an independent script scores', (name, cases) => {
  const differing = cases
    .map(([response, gold, theirs]) => ({
      ...{ response, gold, theirs },
      ours: Object.values(officialScores(name as BenchmarkName, null, [gold], response))[0],
    }))
    .filter(({ theirs, ours }) => theirs !== ours);
  expect(differing.slice(0, 5)).toEqual([]);
  expect(cases.length).toBeGreaterThanOrEqual(600);
  for (const value of [0, 1])
    expect(cases.filter(([, , score]) => score === value).length / cases.length).toBeGreaterThan(0.05);
});

test('the similarity of nothing to nothing is 1, as in Python', () => {
  expect(similarity('', '')).toBe(1);
  expect(similarity('', 'a')).toBe(0);
  // difflib.SequenceMatcher(None, 'abcd', 'bcde').ratio()
  expect(similarity('abcd', 'bcde')).toBe(0.75);
});

test('of several golds the best counts', () => {
  expect(officialScores('ruler-qa', null, ['Rome', 'Paris'], 'It is paris.')).toEqual({ 'match-part': 1 });
});
