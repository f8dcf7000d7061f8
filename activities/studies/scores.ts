/** Scores of a study's variants over seeds and items, their differences, and what becomes of each hypothesis. */
import { type Crossed, crossedEstimate, mean } from '../benchmarks/index.js';
import type { Estimate, Verdict } from '../contract/index.js';
import type { Hypothesis } from '../spec/index.js';
import type { ReadCell } from './cells.js';

/** A policy of a variant: all its seeds together. */
export interface Side {
  variant: string;
  /** `base`, `sft`, `phase-<k>`, `final`. */
  at: string;
}

export interface ReportedScore extends Side, Estimate {
  set: string;
  seeds: number[];
  items: number;
  meanPromptTokens: number;
}

/** First minus second, in percent points, on the same items with the same seeds. */
export interface ReportedDifference {
  first: Side;
  second: Side;
  set: string;
  seeds: number[];
  items: number;
  difference: number;
  /** 95 % interval over seeds and items. */
  low: number;
  high: number;
  verdict: Verdict;
  /** Why it must stay open; absent where the interval alone decides. */
  reason?: string;
}

export interface ReportedHypothesis extends ReportedDifference {
  claim: string;
}

/** A row for each variant, policy and set that some seed has been evaluated on, in the order of the runs. */
export function scoresOf(cells: readonly ReadCell[]): ReportedScore[] {
  const found = new Map<string, { side: Side; set: string }>();
  for (const { cell } of cells)
    for (const { label, set } of cell.evaluations)
      found.set([cell.variant, label, set].join(' '), { side: { variant: cell.variant, at: label }, set });
  return [...found.values()].map(({ side, set }) => {
    const answers = answersOf(cells, side, set);
    const items = inAll(answers.map(({ scores }) => scores));
    const matrix = answers.map(({ scores }) => items.map(id => scores.get(id)!));
    return {
      ...side,
      set,
      // By the set alone: policies of equal scores have equal intervals.
      ...estimate(matrix, [0, 100], ['score', set]),
      seeds: answers.map(({ seed }) => seed),
      items: items.length,
      meanPromptTokens: mean(answers.map(({ meanPromptTokens }) => meanPromptTokens)),
    };
  });
}

/** Every later variant against the first, at the last policy, on each set that both have. */
export function differencesOf(cells: readonly ReadCell[], variants: readonly string[]): ReportedDifference[] {
  const [first, ...others] = variants;
  const sets = [...new Set(cells.flatMap(({ cell }) => cell.evaluations.map(({ set }) => set)))];
  return others.flatMap(variant =>
    sets
      .map(set => difference(cells, { variant, at: 'final' }, { variant: first!, at: 'final' }, set))
      .filter(({ seeds }) => seeds.length > 0),
  );
}

export function hypothesesOf(cells: readonly ReadCell[], hypotheses: readonly Hypothesis[]): ReportedHypothesis[] {
  return hypotheses.map(({ variant, at, above, aboveAt = at, on, claim }) => {
    const sides = [
      { variant, at },
      { variant: above, at: aboveAt },
    ] as const;
    const words = claim ?? `${variant} (${at}) above ${above} (${aboveAt}) on ${on}`;
    return { claim: words, ...difference(cells, ...sides, on) };
  });
}

interface Answers {
  seed: number;
  items: string;
  scores: ReadonlyMap<string, number>;
  meanPromptTokens: number;
}

/** One of each seed that has them. */
function answersOf(cells: readonly ReadCell[], { variant, at }: Side, set: string): Answers[] {
  return cells
    .filter(({ cell }) => cell.variant === variant)
    .flatMap(({ cell, scores }) => {
      const k = cell.evaluations.findIndex(one => one.label === at && one.set === set);
      if (k < 0) return [];
      const { items, meanPromptTokens } = cell.evaluations[k]!;
      return [{ seed: cell.seed, items, scores: scores[k]!, meanPromptTokens }];
    });
}

/** The items that all have a score for, in the order of their ids. */
function inAll(scores: readonly ReadonlyMap<string, number>[]): string[] {
  const [first, ...others] = scores;
  return [...(first?.keys() ?? [])].filter(id => others.every(one => one.has(id))).sort();
}

function estimate(scores: Crossed, range: [number, number], name: string[]): Estimate {
  if (!scores[0]?.length) return { score: Number.NaN, low: range[0], high: range[1] };
  return crossedEstimate(scores, range, name);
}

function difference(cells: readonly ReadCell[], first: Side, second: Side, set: string): ReportedDifference {
  const [ours, theirs] = [answersOf(cells, first, set), answersOf(cells, second, set)];
  const pairs = ours.flatMap(one => {
    const other = theirs.find(({ seed }) => seed === one.seed);
    return other ? [[one, other] as const] : [];
  });
  const seeds = pairs.map(([{ seed }]) => seed);
  const questions = new Set(pairs.flat().map(({ items }) => items));
  const items = questions.size === 1 ? inAll(pairs.flat().map(({ scores }) => scores)) : [];
  const common = { first, second, set, seeds, items: items.length };
  const unknown = { difference: 0, low: -100, high: 100, verdict: 'open' } as const;
  if (seeds.length === 0) return { ...common, ...unknown, reason: 'no seed of both has ended' };
  if (items.length === 0) return { ...common, ...unknown, reason: 'they answered other questions' };
  const matrix = pairs.map(([one, other]) => items.map(id => one.scores.get(id)! - other.scores.get(id)!));
  const { score, low, high } = estimate(matrix, [-100, 100], ['difference', set]);
  const found = { ...common, difference: score, low, high };
  if (seeds.length === 1)
    return {
      ...found,
      verdict: 'open',
      reason: 'one seed alone: the interval is over items, and says nothing of other seeds',
    };
  return { ...found, verdict: low > 0 ? 'shown' : high < 0 ? 'refuted' : 'open' };
}
