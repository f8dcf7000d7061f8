/** Runs beside one another: their curves laid over each other, where their specs differ, and their evaluations. */
import type { Comparison } from '../../activities/contract/index.js';
import { compareRows } from '../../activities/evaluation/index.js';
import { differences } from '../../activities/spec/index.js';
import type { Store } from '../../activities/store/index.js';
import { type MeasuredRow, measuredRows } from '../evaluations/rows.js';
import { UserError } from '../user-error.js';
import { BadRequestError, isDamage } from './errors.js';
import type { CurveReader, DrawnCurve } from './run-curves.js';
import { basisOf, storedRun } from './stages.js';

/** More colours cannot be told apart. */
const MOST_RUNS = 8;

interface Parts {
  store: Store;
  curves: CurveReader;
}

export async function comparePage({ store, curves }: Parts, names: readonly string[]) {
  const runs = [...new Set(names)];
  if (runs.length < 2 || runs.length > MOST_RUNS) {
    throw new BadRequestError(`Expected two to ${MOST_RUNS} different runs to compare, found ${runs.length}.`);
  }
  const problems: string[] = [];
  const problem = (message: string) => void problems.push(message);
  const drawn: { run: string; curves: DrawnCurve[]; steps: number }[] = [];
  let missing = 0;
  for (const run of runs) {
    const { stages } = await storedRun(store, run);
    const found = await curves.of(
      stages.map(({ stage }) => stage),
      problem,
    );
    missing += found.missing;
    drawn.push({ run, curves: found.curves, steps: found.stages.at(-1)?.to ?? 0 });
  }
  return {
    runs: drawn.map(({ run, steps }) => ({ run, steps })),
    curves: overlaid(drawn),
    spec: await specDifferences(store, runs),
    evaluations: await evaluationDifferences(store, runs, problem),
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

/** The last policy of each run against that of the first: item by item where both answered the same. */
async function evaluationDifferences(store: Store, runs: readonly string[], problem: (message: string) => void) {
  const rows: { run: string; row: MeasuredRow }[] = [];
  for (const run of runs) {
    try {
      const row = (await measuredRows(store, [run])).at(-1);
      if (row) rows.push({ run, row });
    } catch (error) {
      if (isDamage(error)) problem(error.message);
      else if (!(error instanceof UserError)) throw error;
    }
  }
  const [baseline, ...others] = rows;
  const named = ({ run, row }: (typeof rows)[number]) => ({ ...row, label: `${run}, ${row.label}` });
  const comparisons: Comparison[] = baseline
    ? others.flatMap(other => compareRows(named(other), named(baseline), 'reward'))
    : [];
  return {
    rows: rows.map(one => ({
      run: one.run,
      policy: one.row.label,
      sets: one.row.sets.map(({ name, reward }) => ({ set: name, ...reward })),
    })),
    comparisons,
  };
}
