/** The page of one run: its curves over all stages, what its policies scored, and how it is now. */
import type { Store } from '../../activities/store/index.js';
import { CURVES, type StepRow, type StepRows } from './curves.js';
import type { LiveRuns } from './live.js';
import { stateOf } from './runs.js';
import type { Scores } from './scores.js';
import { storedRun } from './stages.js';

/** Of the curves, those that have numbers; a step's place on the x axis is its place in `steps`, from 1. */
export async function runPage(store: Store, live: LiveRuns, rows: StepRows, scores: Scores, run: string) {
  const [stored, now] = await Promise.all([storedRun(store, run), live.of(run)]);
  const problems: string[] = [];
  const problem = (message: string) => void problems.push(message);
  const steps: { stage: string; attempt: number; row: StepRow }[] = [];
  const stages = [];
  for (const { stage, planned, band } of stored.stages) {
    const from = steps.length + 1;
    const { stage: name, attempt } = stage;
    for (const row of await rows.of(store, stage, problem)) steps.push({ stage: name, attempt, row });
    stages.push({ name, attempt, planned, band, from, to: steps.length });
  }
  return {
    run,
    state: stateOf(stored, now.state),
    begun: stored.begun,
    latest: stored.latest,
    now: { note: now.note, ...nowOf(now.progress) },
    stages,
    steps: steps.map(({ stage, attempt, row: { step, skipped } }) => ({ stage, attempt, step, skipped })),
    curves: curvesOf(steps.map(({ row }) => row)),
    scores: await scores.of(store, run, problem),
    problems,
  };
}

/** What only the workflow knows. */
function nowOf(progress: Awaited<ReturnType<LiveRuns['of']>>['progress']) {
  const stage = progress?.stages.find(({ state }) => state === 'running');
  return {
    advice: progress?.advice ?? null,
    stage: stage?.name ?? null,
    step: stage?.latest?.step ?? null,
    planned: stage?.latest?.steps ?? null,
    tokensPerSecond: stage?.latest?.tokensPerSecond ?? null,
    secondsPerStep: stage?.latest?.seconds ?? null,
    failed:
      progress?.stages.filter(({ state }) => state === 'failed').map(({ name, error }) => ({ name, error })) ?? [],
  };
}

function curvesOf(rows: readonly StepRow[]) {
  let at = 0;
  return CURVES.flatMap(({ title, help, series }) => {
    const drawn = series.map(({ label }) => {
      const column = at++;
      return { label, values: rows.map(({ values }) => values[column] ?? null) };
    });
    const told = drawn.filter(({ values }) => values.some(value => value !== null));
    return told.length === 0 ? [] : [{ title, help, series: told }];
  });
}
