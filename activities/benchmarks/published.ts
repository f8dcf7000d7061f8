/**
 * The tables of QwenLong-L1 (arXiv 2505.17667, table 2) and of QwenLong-L1.5 (arXiv 2512.12967, table 7), as printed: in
 * percent, max(rule, judge) or a benchmark's own metric.
 */
import { BENCHMARKS, type BenchmarkName, PAPER_BENCHMARKS } from './benchmarks.js';
import { wilson } from './interval.js';
import type { ItemsSummary } from './results.js';
import type { TableRow } from './table/shown-table.js';

/** Model, the scores in the order of PAPER_BENCHMARKS, and the mean. */
const PRINTED: readonly [string, readonly number[], number][] = [
  ['o1-preview', [64.5, 80.8, 87.5, 83.5, 69.0, 68.0, 57.0], 72.9],
  ['DeepSeek-R1', [66.0, 79.6, 89.9, 82.5, 74.5, 59.5, 53.0], 72.1],
  ['Claude-3.7-Sonnet-Thinking', [67.5, 70.9, 86.5, 84.4, 68.3, 61.5, 56.0], 70.7],
  ['Qwen3-235B-A22B', [67.5, 74.6, 91.5, 84.4, 63.3, 60.0, 53.0], 70.6],
  ['OpenAI-o3-mini', [66.5, 75.5, 86.5, 83.5, 66.5, 59.0, 55.0], 70.4],
  ['R1-Distill-Qwen-14B', [61.0, 64.2, 87.0, 77.5, 58.0, 51.0, 51.0], 64.2],
  ['R1-Distill-Qwen-14B + SFT', [60.0, 65.7, 88.5, 80.5, 60.0, 52.0, 48.5], 65.0],
  ['QwenLong-L1-14B', [65.5, 67.4, 89.0, 84.0, 63.0, 57.0, 52.5], 68.3],
  ['R1-Distill-Qwen-32B', [62.5, 67.0, 84.0, 80.5, 61.0, 54.0, 50.0], 65.6],
  ['R1-Distill-Qwen-32B + SFT', [65.0, 71.6, 87.0, 80.5, 65.5, 57.5, 54.0], 68.7],
  ['QwenLong-L1-32B', [67.5, 70.1, 90.5, 83.0, 69.0, 56.0, 58.5], 70.7],
];

/** Intervals are Wilson's at the paper's numbers of items: it gives none itself. */
export const PUBLISHED_ROWS: readonly TableRow[] = PRINTED.map(([label, scores, mean]) => ({
  label,
  kind: 'published',
  cells: Object.fromEntries(PAPER_BENCHMARKS.map((benchmark, k) => [benchmark, cell(benchmark, scores[k]!)])),
  mean,
}));

function cell(benchmark: BenchmarkName, score: number): ItemsSummary {
  const items = BENCHMARKS[benchmark].paperItems!;
  const { low, high } = wilson(score / 100, items);
  return { score, low: 100 * low, high: 100 * high, items, unscored: 0, meanAt: 1, passAt: {}, official: {} };
}

/** Of its columns LBV1-QA is a mean of five of the paper's benchmarks. */
const LATER_COLUMNS = ['docmath', 'frames', 'LBV1-QA', 'longbench-v2', 'mrcr', 'CorpusQA'];

const PRINTED_LATER: readonly [string, readonly number[]][] = [
  ['GPT-5', [67.6, 84.6, 73.7, 62.8, 77.3, 81.6]],
  ['Gemini-2.5-Pro', [62.4, 74.5, 71.3, 65.7, 79.9, 80.6]],
  ['Qwen3-235B-A22B-Thinking-2507', [65.8, 75.1, 70.9, 57.5, 66.2, 75.3]],
  ['Qwen3-Max-Thinking-Preview', [64.1, 77.9, 70.7, 57.9, 71.2, 74.7]],
  ['DeepSeek-R1-0528', [63.4, 76.9, 69.9, 59.5, 64.9, 77.5]],
  ['Qwen3-30B-A3B-Thinking-2507', [62.3, 70.3, 67.1, 49.1, 51.3, 71.6]],
  ['QwenLong-L1.5-30B-A3B', [66.3, 74.8, 70.4, 55.3, 83.0, 81.3]],
  ['QwenLong-L1-32B, measured again', [64.8, 72.4, 68.4, 40.8, 47.9, 42.5]],
];

/** Without intervals: it says neither them nor on how many items. */
export const LATER_ROWS: readonly TableRow[] = PRINTED_LATER.map(([label, scores]) => ({
  label,
  kind: 'published',
  protocol: 'later',
  cells: Object.fromEntries(LATER_COLUMNS.map((column, k) => [column, withoutInterval(scores[k]!)])),
}));

function withoutInterval(score: number): ItemsSummary {
  const unknown = { low: Number.NaN, high: Number.NaN, items: 0 };
  return { score, ...unknown, unscored: 0, meanAt: 1, passAt: {}, official: {} };
}
