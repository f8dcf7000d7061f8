/** Benchmarks: official metrics, statistics, published rows and the table. */
export { BENCHMARKS, type BenchmarkName, isBenchmark, OFFICIAL_METRICS, type OfficialMetric } from './benchmarks.js';
export { unreadableGold } from './golds.js';
export { officialScores } from './metrics/official.js';
export { LATER_ROWS, PUBLISHED_ROWS } from './published.js';
export { type ItemResult, type ItemsSummary, itemScores, summariseItems } from './results.js';
export { type Crossed, crossedEstimate, crossedSpread } from './statistics/crossed.js';
export { pairedDifference, type Resampled, resample } from './statistics/paired.js';
export { mean } from './statistics/samples.js';
export { type CountedEstimate, unpairedDifference } from './statistics/unpaired.js';
export { quotedField } from './table/csv.js';
export { renderTable, TABLE_FORMATS, type TableFormat } from './table/formats.js';
export { isOfPaper } from './table/lay-out.js';
export type { TableInput, TableMetric, TableRow } from './table/shown-table.js';
