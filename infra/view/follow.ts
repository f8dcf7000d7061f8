/** Watches a run until it ends or waits for a person, through whatever happens to the server and the workers meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  isGrpcServiceError,
  ServiceError,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { CurriculumResult, EvaluationProgress, Progress } from '../../activities/contract/index.js';
import { type ActivityNotes, activityNotes } from './activity-notes.js';
import { asking } from './asking.js';
import { answeringChanges, evaluationBlock } from './evaluation-text.js';
import { hasRow, progressChanges } from './progress-text.js';
import { runTable } from './run-table.js';
import type { Screen } from './screen.js';
import { SeenSteps } from './seen-steps.js';
import { type PlannedSteps, StepClock } from './time-left.js';

const POLL_MS = 1000;

export interface FollowOptions {
  client: Client;
  run: string;
  screen: Screen;
  planned?: PlannedSteps;
  /** Ends the watching; the run goes on. */
  signal: AbortSignal;
  /** Lines shown below the block on a terminal (addresses). */
  footer?: string[];
  /** What to do about a run that waits for a person, given its progress. */
  advice: (progress: Progress) => string[];
  /** Asked once a second while the server does not answer: why it never will again, or null to keep trying. */
  gone?: () => string | null;
}

export type Outcome =
  | { kind: 'done'; result: CurriculumResult }
  /** The workflow ended otherwise: failed, cancelled, terminated, timed out. */
  | { kind: 'ended'; status: string; reason: string }
  /** Waits for a person, and there is no terminal to wait at. */
  | { kind: 'waiting' }
  | { kind: 'stopped' };

/** @throws WorkflowNotFoundError when the server knows no such run */
export async function follow(options: FollowOptions): Promise<Outcome> {
  const { client, run, screen, signal } = options;
  const handle = client.workflow.getHandle(run);
  const [clock, seen] = [new StepClock(options.planned), new SeenSteps()];
  const ask = asking(client);
  let before: Look | null = null;
  let told: string[] = [];
  while (!signal.aborted) {
    let troubles: string[] = [];
    let answered = false;
    try {
      const { status } = await ask(() => handle.describe());
      answered = true;
      const ended = status.name !== 'RUNNING';
      const progress = await ask(() => handle.query<Progress>('progress'));
      const notes = ended ? NO_NOTES : await ask(() => activityNotes(client, atWork(progress)));
      seen.note(progress);
      const evaluating = ended ? null : await evaluationUnderWay(client, ask, progress);
      const now: Look = { progress: withScores(progress, before, evaluating), evaluating };
      show(options, before, now, { clock, seen }, notes);
      before = now;
      troubles = notes.retries;
      if (ended) return await outcome(client, run, status.name);
      if (isWaiting(progress) && !screen.terminal) return { kind: 'waiting' };
    } catch (error) {
      // A query needs a worker that takes it; of a run that has ended the result is there without one.
      const now = answered ? await ask(() => handle.describe()).catch(() => null) : null;
      if (now && now.status.name !== 'RUNNING') return await outcome(client, run, now.status.name);
      troubles = [passing(error, answered)];
      const end = options.gone?.() ?? null;
      if (end) return { kind: 'ended', status: 'GONE', reason: end };
    }
    const fresh = troubles.filter(line => !told.includes(line));
    if (fresh.length > 0) screen.print(fresh);
    told = troubles;
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
  return { kind: 'stopped' };
}

/** What one look at a run gave. */
interface Look {
  progress: Progress;
  /** The evaluation that it is at. */
  evaluating: { stage: string; progress: EvaluationProgress } | null;
}

const NO_NOTES: ActivityNotes = { doing: [], retries: [] };

/** The workflows whose activities are now at work: the run itself, what keeps its trackers up, and the stage's child. */
function atWork({ run, stages, exporter }: Progress): string[] {
  return [
    run,
    ...(exporter ? [exporter] : []),
    ...stages.flatMap(stage => (stage.state === 'running' && stage.workflowId ? [stage.workflowId] : [])),
  ];
}

function isWaiting({ state }: Progress): boolean {
  return state === 'awaiting-replay' || state === 'paused';
}

function show(
  { screen, footer = [], advice }: FollowOptions,
  before: Look | null,
  { progress, evaluating }: Look,
  { clock, seen }: { clock: StepClock; seen: SeenSteps },
  notes: ActivityNotes,
) {
  const left = clock.left(progress);
  const { planned } = clock;
  const todo = isWaiting(progress) ? advice(progress) : [];
  if (screen.terminal) {
    const table = runTable({ progress, left, seen, planned }, screen.width, screen.style);
    const evaluation = evaluating ? ['', ...evaluationBlock(evaluating.stage, evaluating.progress)] : [];
    const doing = [...notes.doing, ...notes.retries].map(line => `    ${line}`);
    return screen.draw([...table, ...evaluation, ...doing, ...todo, ...footer]);
  }
  screen.print([
    ...progressChanges(before?.progress ?? null, progress, left),
    ...(evaluating
      ? answeringChanges(evaluating.stage, before?.evaluating?.progress ?? null, evaluating.progress)
      : []),
    ...(before?.progress.state === progress.state ? [] : todo),
  ]);
}

/** The run's table with the scores that the evaluation under way has so far, and those that one had which has just ended. */
function withScores(progress: Progress, before: Look | null, evaluating: Look['evaluating']): Progress {
  const table = [...progress.table];
  for (const row of [...(before?.progress.table ?? []), ...(evaluating?.progress.rows ?? [])])
    if (!hasRow(table, row)) table.push(row);
  return { ...progress, table };
}

/** How far the evaluation is that a run is at, if it is at one. */
async function evaluationUnderWay(
  client: Client,
  ask: ReturnType<typeof asking>,
  { stages }: Progress,
): Promise<Look['evaluating']> {
  const stage = stages.find(
    ({ kind, state, workflowId }) => kind === 'evaluation' && state === 'running' && workflowId,
  );
  if (!stage) return null;
  const handle = client.workflow.getHandle(stage.workflowId!);
  // It may have ended since the run was asked, or have no worker for a moment.
  const progress = await ask(() => handle.query<EvaluationProgress>('progress')).catch(() => null);
  return progress && { stage: stage.name, progress };
}

/** What a trouble that will pass is called; anything else is thrown on. */
export function passing(error: unknown, serverAnswered: boolean): string {
  if (error instanceof WorkflowNotFoundError) throw error;
  if (!(error instanceof ServiceError) && !isGrpcServiceError(error)) throw error;
  if (serverAnswered) return 'No worker answers for the run yet; trying again.';
  return `The server does not answer (${error.cause instanceof Error ? error.cause.message : error.message}); trying again.`;
}

async function outcome(client: Client, run: string, status: string): Promise<Outcome> {
  const handle = client.workflow.getHandle(run);
  try {
    return { kind: 'done', result: (await handle.result()) as CurriculumResult };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    return { kind: 'ended', status, reason: innermost(error) };
  }
}

/** The first cause says what is wrong; what wraps it only says which workflow and activity it went through. */
export function innermost(error: Error): string {
  return error.cause instanceof Error ? innermost(error.cause) : error.message;
}
