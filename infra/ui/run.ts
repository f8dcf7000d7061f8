/** The page of one run: its curves over all stages, what its policies scored, and how it is now. */
import type { Store } from '../../activities/store/index.js';
import type { RunMark } from './history-events.js';
import type { LiveRuns } from './live.js';
import { type RunMarks, repairedText } from './marks.js';
import type { CurveReader, PlacedStage } from './run-curves.js';
import { stateOf } from './runs.js';
import type { Scores } from './scores.js';
import { type StoredRun, storedRun } from './stages.js';

export interface RunPageParts {
  store: Store;
  live: LiveRuns;
  curves: CurveReader;
  scores: Scores;
  marks: RunMarks;
}

export async function runPage({ store, live, curves, scores, marks }: RunPageParts, run: string) {
  const [stored, now] = await Promise.all([storedRun(store, run), live.of(run)]);
  const problems: string[] = [];
  const problem = (message: string) => void problems.push(message);
  const drawn = await curves.of(
    stored.stages.map(({ stage }) => stage),
    problem,
  );
  return {
    run,
    state: stateOf(stored, now.state),
    begun: stored.begun,
    latest: stored.latest,
    planned: stored.planned,
    now: { note: now.note, ...nowOf(now.progress) },
    stages: stored.stages.map((stage, k) => shownStage(stage, drawn.stages[k]!, stored)),
    curves: drawn.curves,
    times: drawn.times,
    missing: drawn.missing,
    marks: [
      ...(await marksIn(marks, stored, drawn.stages)),
      ...drawn.repaired.map(({ place, file }) => ({ place, kind: 'recovery', text: repairedText(file) })),
    ],
    scores: await scores.of(run, problem),
    problems,
  };
}

function shownStage(
  { stage: { stage: name, attempt }, planned, band }: StoredRun['stages'][number],
  { from, to }: PlacedStage,
  { givenUp }: StoredRun,
) {
  const before = givenUp.filter(({ stage }) => stage === name).map(({ attempt }) => attempt);
  return { name, attempt, planned, band, from, to, givenUp: before };
}

/** What only the workflow knows. */
function nowOf(progress: Awaited<ReturnType<LiveRuns['of']>>['progress']) {
  const stage = progress?.stages.find(({ state }) => state === 'running');
  return {
    state: progress?.state ?? null,
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

/** What happened to the run on its way, each at a place of the curves. */
async function marksIn(marks: RunMarks, stored: StoredRun, placed: readonly PlacedStage[]) {
  const found: RunMark[] = await marks.of(stored);
  return found.flatMap(({ stage, attempt, step, kind, text }) => {
    const at = placed.find(one => one.stage.stage === stage && one.stage.attempt === attempt);
    return at ? [{ place: at.from - 1 + step, kind, text }] : [];
  });
}
