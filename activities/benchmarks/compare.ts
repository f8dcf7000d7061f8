/** Every row of a table against its baseline. */
import { BENCHMARKS, type BenchmarkName, isBenchmark } from './benchmarks.js';
import { type ItemResult, itemScores } from './results.js';
import type { Comparison, Difference } from './statistics/comparison.js';
import { pairedDifference, resample } from './statistics/paired.js';
import { unpairedDifference } from './statistics/unpaired.js';
import type { TableMetric, TableRow } from './table.js';

/** A row, with what was measured of every item where that is known. */
export interface ComparedModel {
  row: TableRow;
  items?: Partial<Record<BenchmarkName, readonly ItemResult[]>>;
}

/**
 * By benchmark, and of the mean over the benchmarks where there are two or more. Paired where the items of both are known, over
 * those that both have scored; else unpaired, for the reward only: that is what is published. Throws RangeError when no row has
 * that label.
 */
export function compareModels(models: readonly ComparedModel[], baseline: string, metric: TableMetric): Comparison[] {
  const base = models.find(model => model.row.label === baseline);
  if (base === undefined)
    throw new RangeError(
      `baseline: expected the label of a row, one of ${models.map(({ row }) => JSON.stringify(row.label)).join(', ')}; ` +
        `got ${JSON.stringify(baseline)}`,
    );
  return models
    .filter(model => model !== base)
    .flatMap(model => {
      const paired = model.items !== undefined && base.items !== undefined;
      const named = { row: model.row.label, baseline, metric, kind: paired ? 'paired' : 'unpaired' } as const;
      const differences = paired ? pairedDifferences(model, base, metric) : unpairedDifferences(model, base, metric);
      return differences.map(difference => ({ ...named, ...difference }));
    });
}

type Named = Difference & Pick<Comparison, 'benchmark'>;

function pairedDifferences(model: ComparedModel, base: ComparedModel, metric: TableMetric): Named[] {
  const strata = common(model.items!, base.items!).flatMap(benchmark => {
    const measure = metric === 'reward' ? metric : BENCHMARKS[benchmark].official[0];
    if (measure === undefined) return [];
    const [given, wanted] = [model, base].map(({ items }) => itemScores(items![benchmark]!, measure));
    const resampled = resample(given!, wanted!, [base.row.label, model.row.label, benchmark, measure]);
    return resampled ? [{ benchmark, data: resampled }] : [];
  });
  return withMean(strata, pairedDifference);
}

function unpairedDifferences(model: ComparedModel, base: ComparedModel, metric: TableMetric): Named[] {
  if (metric === 'official') return [];
  const pairs = common(model.row.cells, base.row.cells).map(benchmark => ({
    benchmark,
    data: [model.row.cells[benchmark]!, base.row.cells[benchmark]!] as const,
  }));
  return withMean(pairs, unpairedDifference);
}

function common(left: object, right: object): BenchmarkName[] {
  return Object.keys(left)
    .filter(isBenchmark)
    .filter(name => Object.hasOwn(right, name));
}

function withMean<T>(
  parts: readonly { benchmark: BenchmarkName; data: T }[],
  compare: (data: T[]) => Difference,
): Named[] {
  const single = parts.map(({ benchmark, data }): Named => ({ benchmark, ...compare([data]) }));
  if (parts.length < 2) return single;
  return [...single, { benchmark: 'mean', ...compare(parts.map(({ data }) => data)) }];
}
