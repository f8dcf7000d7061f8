/** A run's curves as a table: a line for each logged step, a column for each series. */
import { quotedField } from '../../activities/benchmarks/index.js';
import type { Store } from '../../activities/store/index.js';
import type { CurveReader } from './run-curves.js';
import { storedRun } from './stages.js';

/** What was read of rollouts is there for the steps that were read by now; other cells are empty. */
export async function curvesCsv(
  { store, curves }: { store: Store; curves: CurveReader },
  run: string,
): Promise<string> {
  const { stages } = await storedRun(store, run);
  const found = await curves.of(
    stages.map(({ stage }) => stage),
    () => {},
    { all: true },
  );
  const columns = found.curves.flatMap(({ title, x, series }) =>
    series.map(({ label, values }) => ({
      name: series.length === 1 ? title : `${title}: ${label}`,
      values: new Map(x.map((place, k) => [place, values[k] ?? null])),
    })),
  );
  const times = new Map(found.times.map(({ place, time }) => [place, new Date(time).toISOString()]));
  const lines = [['stage', 'attempt', 'step', 'logged', ...columns.map(({ name }) => name)]];
  const places = new Set(found.curves.flatMap(({ x }) => x));
  for (const { stage, from, to } of found.stages) {
    for (let place = from; place <= to; place++) {
      if (!places.has(place)) continue;
      const cells = columns.map(({ values }) => String(values.get(place) ?? ''));
      lines.push([stage.stage, String(stage.attempt), String(place - from + 1), times.get(place) ?? '', ...cells]);
    }
  }
  return lines.map(line => `${line.map(quotedField).join(',')}\r\n`).join('');
}
