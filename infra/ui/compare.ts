/** Runs beside one another: their curves laid over each other, where their specs differ, and their evaluations. */
import { differences } from '../../activities/spec/index.js';
import type { Store } from '../../activities/store/index.js';
import { BadRequestError } from './errors.js';
import type { CurveReader, DrawnCurve } from './run-curves.js';
import { basisOf, storedRun } from './stages.js';

/** More colours cannot be told apart. */
const MOST_RUNS = 8;

interface Parts {
  store: Store;
  curves: CurveReader;
}

/** @throws BadRequestError for fewer than two or too many */
export function comparedRuns(names: readonly string[]): string[] {
  const runs = [...new Set(names)];
  if (runs.length >= 2 && runs.length <= MOST_RUNS) return runs;
  throw new BadRequestError(`Expected two to ${MOST_RUNS} different runs to compare, found ${runs.length}.`);
}

export async function comparePage({ store, curves }: Parts, names: readonly string[]) {
  const runs = comparedRuns(names);
  const problems: string[] = [];
  const problem = (message: string) => void problems.push(message);
  const drawn: { run: string; curves: DrawnCurve[]; steps: number; isDone: boolean }[] = [];
  let missing = 0;
  for (const run of runs) {
    const { stages, isDone } = await storedRun(store, run);
    const found = await curves.of(
      stages.map(({ stage }) => stage),
      problem,
    );
    missing += found.missing;
    drawn.push({ run, curves: found.curves, steps: found.stages.at(-1)?.to ?? 0, isDone });
  }
  return {
    runs: drawn.map(({ run, steps, isDone }) => ({ run, steps, isDone })),
    curves: overlaid(drawn),
    spec: await specDifferences(store, runs),
    missing,
    problems,
  };
}

/** The first line of each curve, a series for each run that has it. */
function overlaid(drawn: readonly { run: string; curves: DrawnCurve[] }[]) {
  const all = drawn.flatMap(({ curves }) => curves);
  const titles = [...new Set(all.map(({ title }) => title))];
  return titles.map(title => {
    const { part, help } = all.find(curve => curve.title === title)!;
    const series = drawn.flatMap(({ run, curves }, k) => {
      const curve = curves.find(one => one.title === title);
      const line = curve?.series.find(({ band }) => !band);
      return curve && line ? [{ run, colour: k, x: curve.x, values: line.values, label: line.label }] : [];
    });
    return { part, title, help, series };
  });
}

/** Every field in which not all are alike; `undefined` is told from null by being absent. */
async function specDifferences(store: Store, runs: readonly string[]) {
  const specs = await Promise.all(runs.map(async run => (await basisOf(store, run)).spec));
  const paths = new Set(specs.slice(1).flatMap(spec => differences(specs[0], spec)));
  return [...paths].sort().map(path => ({
    path,
    values: specs.map(spec => {
      const value = valueAt(spec, path);
      return value === undefined ? null : JSON.stringify(value);
    }),
  }));
}

function valueAt(spec: unknown, path: string): unknown {
  let at: unknown = spec;
  for (const key of path.split('.')) at = (at as Record<string, unknown> | null | undefined)?.[key];
  return at;
}
