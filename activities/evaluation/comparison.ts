/** Two evaluations compared benchmark by benchmark and over all that both have: item by item where the items are the same. */
import {
  BENCHMARKS,
  type CountedEstimate,
  pairedDifference,
  type Resampled,
  resample,
  unpairedDifference,
} from '../benchmarks/index.js';
import type { Comparison } from '../contract/index.js';
import type { EvaluationRecord, ItemScores, RecordedSet } from './record.js';

export type ScoreKind = Comparison['metric'];

export interface ComparedRow {
  label: string;
  sets: ComparedSet[];
}

export interface ComparedSet {
  /** Sets of one name are compared. */
  name: string;
  /** Hash of the items; null where they are not known, as of published rows. */
  items: string | null;
  scores: readonly ItemScores[];
  reward: CountedEstimate;
  /** By the first official metric. */
  official: CountedEstimate | null;
}

/**
 * Row minus baseline: a line for each set that both have and, of several, for their mean.
 * @param counts the sets that the mean is over; all unless told
 */
export function compareRows(
  row: ComparedRow,
  baseline: ComparedRow,
  metric: ScoreKind,
  counts: (set: string) => boolean = () => true,
): Comparison[] {
  const pairs = row.sets.flatMap(set => {
    const other = baseline.sets.find(({ name }) => name === set.name);
    const [ours, theirs] = [set[metric], other?.[metric]];
    if (!other || !ours || !theirs) return [];
    const estimates: [CountedEstimate, CountedEstimate] = [ours, theirs];
    return [{ name: set.name, estimates, stratum: pairedStratum(set, other, metric) }];
  });
  const common = { row: row.label, baseline: baseline.label, metric };
  const lines = pairs.map(({ name, estimates, stratum }): Comparison => {
    const one = { ...common, benchmark: name };
    return stratum
      ? { ...one, kind: 'paired', ...pairedDifference([stratum]) }
      : { ...one, kind: 'unpaired', ...unpairedDifference([estimates]) };
  });
  const counted = pairs.filter(({ name }) => counts(name));
  if (counted.length < 2) return lines;
  const strata = counted.flatMap(({ stratum }) => stratum ?? []);
  const paired = strata.length === counted.length;
  const over = paired ? pairedDifference(strata) : unpairedDifference(counted.map(({ estimates }) => estimates));
  return [...lines, { ...common, benchmark: 'mean', kind: paired ? 'paired' : 'unpaired', ...over }];
}

/** Null unless both answered the same items. */
function pairedStratum(row: ComparedSet, baseline: ComparedSet, metric: ScoreKind): Resampled | null {
  if (row.items === null || row.items !== baseline.items) return null;
  return resample(scoresById(row, metric), scoresById(baseline, metric), [row.name, metric]);
}

function scoresById({ scores }: ComparedSet, metric: ScoreKind): Map<string, number> {
  return new Map(scores.flatMap(({ id, [metric]: score }) => (score === null ? [] : [[id, score]])));
}

export function comparedSet({ name, row, items, scores, metric }: RecordedSet): ComparedSet {
  const [first] = BENCHMARKS[metric].official;
  const official = first === undefined ? undefined : row.official[first];
  const counted = { items: row.items };
  return {
    name,
    items: items.sha256,
    scores,
    reward: { score: row.score, low: row.low, high: row.high, ...counted },
    official: official ? { ...official, ...counted } : null,
  };
}

/** By max(rule, judge), which every benchmark has. */
export function compareRecords(row: EvaluationRecord, baseline: EvaluationRecord): Comparison[] {
  const compared = ({ label, sets }: EvaluationRecord): ComparedRow => ({ label, sets: sets.map(comparedSet) });
  return compareRows(compared(row), compared(baseline), 'reward');
}

const SIGNIFICANCE = 0.05;

/**
 * Whether the mean became worse beyond the noise, or a benchmark did. Of several benchmarks each is held to its share of the
 * 5 %: of seven equal pairs one in six nights would have one below it by chance.
 */
export function isRegression(comparisons: readonly Comparison[]): boolean {
  const benchmarks = comparisons.filter(({ benchmark }) => benchmark !== 'mean').length;
  return comparisons.some(({ benchmark, difference, withinNoise, p }) => {
    const limit = benchmark === 'mean' ? SIGNIFICANCE : SIGNIFICANCE / benchmarks;
    return difference < 0 && !withinNoise && p <= limit;
  });
}
