/** The firings of a schedule as text. */
import type { FiringComparison } from '../../activities/contract/index.js';
import type { EvaluationRecord } from '../../activities/evaluation/index.js';
import { columns } from '../view/columns.js';

/** What commands exit with that found the last firing worse than the one before: neither success nor a failure. */
export const REGRESSION = 2;

type Comparison = FiringComparison['comparisons'][number];

/** A line a firing, the oldest first, and what the last one's differences are. */
export function historyLines(records: EvaluationRecord[]): string[] {
  const sets = [...new Set(records.flatMap(record => record.sets.map(({ name }) => name)))];
  const header = ['firing', 'model', ...sets, 'since the one before'];
  const rows = records.map(record => [
    record.firing ?? '',
    modelText(record),
    ...sets.map(name => scoreText(record, name)),
    record.before ? changeText(record.before.comparisons) + (record.regression ? '  REGRESSION' : '') : '',
  ]);
  const last = records.at(-1);
  const detail = last?.before ? ['', ...comparisonLines(last.before, last.regression)] : [];
  return [...columns([header, ...rows]), ...detail];
}

/** How a firing compares with the one before, a line each. */
export function comparisonLines({ firing, comparisons }: FiringComparison, regression: boolean): string[] {
  const lines = comparisons.map(one => {
    const how = one.kind === 'paired' ? `${one.items} items, paired` : 'unpaired: the items are not the same';
    return `  ${one.benchmark}: ${differenceText(one)}, ${one.withinNoise ? 'within the noise' : 'beyond the noise'} (${how})`;
  });
  return [
    `Against the firing before, ${firing}:`,
    ...lines,
    regression
      ? 'REGRESSION: worse than the firing before, beyond the noise (95 %).'
      : 'No regression beyond the noise.',
  ];
}

function modelText({ model, label }: EvaluationRecord): string {
  return model.kind === 'policy' ? `${label} ${model.policy.name.slice(0, 8)}` : label;
}

function scoreText({ sets }: EvaluationRecord, name: string): string {
  const row = sets.find(set => set.name === name)?.row;
  return row ? `${row.score.toFixed(1)} [${row.low.toFixed(1)}, ${row.high.toFixed(1)}]` : '';
}

/** Of several benchmarks their mean. */
function changeText(comparisons: readonly Comparison[]): string {
  const over = comparisons.find(({ benchmark }) => benchmark === 'mean') ?? comparisons[0];
  return over ? differenceText(over) : '';
}

function differenceText({ difference, low, high }: Comparison): string {
  const signed = (value: number) => `${value >= 0 ? '+' : ''}${value.toFixed(1)}`;
  return `${signed(difference)} [${signed(low)}, ${signed(high)}]`;
}
