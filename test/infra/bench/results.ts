/** Results of the benchmark, made up for tests. */
import type { Measurement, Result, RowResult } from '../../../infra/bench/result';
import { median } from '../../../infra/bench/statistics';

export const measurement = (seconds: number[], peakBytes: number | null = 2 ** 30): Measurement => ({
  seconds,
  median: median(seconds),
  peakBytes,
  idleLoad: 0,
  foreignLoad: 0,
});

/** @param product seconds of the calibration's matrix product */
export const resultOf = (rows: Record<string, RowResult>, product = 0.02): Result => ({
  format: 'longhaul-bench-engine-1',
  version: '0.1.0',
  date: '2026-01-02T03:04:05.000Z',
  machine: { processor: 'a processor', cores: 2, memoryBytes: 16 * 2 ** 30, platform: 'linux x64' },
  threads: 2,
  versions: { node: '20.0.0' },
  calibration: { seconds: [product], median: product },
  rows,
});
