import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BENCHMARKS, type BenchmarkName } from '../../../../activities/benchmarks/benchmarks.js';
import { officialScores } from '../../../../activities/benchmarks/metrics/official.js';

/** What golden_metrics.py writes. */
interface Golden {
  /** A benchmark and its metric. */
  columns: [BenchmarkName, string][];
  values: number[];
  /** Prediction, golds, and for each column the place of its score among the values. */
  cases: [string, string | string[], number[]][];
}

const FOLDER = join(__dirname, '../../../fixtures/golden/metrics');

describe.each(['answers', 'rouge', 'numbers'])('the official scripts on generated %s', name => {
  const { columns, values, cases } = JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as Golden;

  test.each(columns.map((column, at) => ({ benchmark: column[0], metric: column[1], at })))(
    '$benchmark, $metric',
    ({ benchmark, metric, at }) => {
      const differing = cases
        .map(([prediction, golds, places]) => ({
          prediction,
          golds: [golds].flat(),
          theirs: values[places[at]!]!,
          ours: officialScores(benchmark, prediction, [golds].flat())[metric]!,
        }))
        .filter(({ theirs, ours }) => !(Math.abs(theirs - ours) <= 1e-12));
      expect(differing.slice(0, 10)).toEqual([]);
      expect(cases.length).toBeGreaterThan(2000);
      const shares = [0, 1].map(
        value => cases.filter(([, , places]) => Math.abs(values[places[at]!]! - value) < 1e-6).length / cases.length,
      );
      for (const share of shares) expect(share).toBeGreaterThan(0.05);
    },
  );
});

describe('officialScores', () => {
  test('exactly the metrics that the table of benchmarks names', () => {
    for (const [name, { official }] of Object.entries(BENCHMARKS))
      expect(Object.keys(officialScores(name as BenchmarkName, '1', ['1']))).toEqual([...official]);
  });

  test('no answer is no answer, also where the empty one would be read as 0', () => {
    expect(officialScores('docmath', null, ['0'])).toEqual({ accuracy: 0 });
    expect(officialScores('docmath', '', ['0'])).toEqual({ accuracy: 1 });
    expect(officialScores('hotpotqa', null, ['Paris'])).toEqual({ f1: 0, em: 0 });
  });

  test('golds that cannot be scored against are refused', () => {
    expect(() => officialScores('hotpotqa', 'x', [])).toThrow(/hotpotqa: expected at least one gold/);
    expect(() => officialScores('docmath', '5', ['about 5'])).toThrow(/expected a number .*"about 5"/);
  });
});
