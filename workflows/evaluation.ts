/**
 * Evaluation of one model: a row of the table for each set. As a stage of a run it comes prepared; started by a user or a
 * schedule it takes an evaluation spec, prepares itself, and says at the end how it compares with the firing before.
 */
import {
  defineQuery,
  defineSignal,
  log,
  proxyActivities,
  rootCause,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type {
  EngineKind,
  EvaluationProgress,
  EvaluationRow,
  EvaluationSpecInput,
  EvaluationStart,
  EvaluationSummary,
  PolicyRef,
} from '../activities/contract/index.js';
import type { EvaluateInput, PlannedEvaluation } from '../activities/evaluation/index.js';
import type { ControlActivities } from '../activities/index.js';
import type { ArtifactRef } from '../activities/store/index.js';
import { CONTROL, DATA, engineActivities, NOTIFICATION } from './options.js';
import { inShards } from './shards.js';

const { prepareEvaluation, evaluateRemote, gatherResponses, scoreEvaluation } =
  proxyActivities<ControlActivities>(DATA);
const { concludeEvaluation } = proxyActivities<ControlActivities>(CONTROL);
const { notify } = proxyActivities<ControlActivities>(NOTIFICATION);

export const evaluationProgress = defineQuery<EvaluationProgress>('progress');
/** From the activity that has a model answer: so many items of a set are done, or of one of its shards. */
export const evaluated = defineSignal<[set: string, done: number, shard?: number]>('evaluated');

/** A policy on the sets of its own run. */
export interface OwnEvaluationInput {
  run: string;
  spec: ArtifactRef;
  policy: PolicyRef;
  /** `base`, `sft`, `phase-<k>` or `final`. */
  label: string;
  /** With the number of their items; absent in histories of earlier versions. */
  sets: { name: string; data: ArtifactRef; count?: number }[];
  /** How many each set is cut into; absent where it is not. */
  shards?: number;
  /** Which the run is trained with; absent of the workers' own. */
  engine?: EngineKind;
}

export async function evaluation(input: EvaluationSpecInput): Promise<EvaluationSummary>;
export async function evaluation(input: OwnEvaluationInput): Promise<EvaluationRow[]>;
export async function evaluation(
  input: OwnEvaluationInput | EvaluationSpecInput,
): Promise<EvaluationRow[] | EvaluationSummary> {
  const progress = new Progress();
  return isOwn(input) ? evaluateOwn(input, progress) : evaluateAny(input, progress);
}

function isOwn(input: OwnEvaluationInput | EvaluationSpecInput): input is OwnEvaluationInput {
  return typeof input === 'object' && input !== null && 'run' in input && 'policy' in input && 'sets' in input;
}

async function evaluateOwn(
  { sets, engine, shards, ...common }: OwnEvaluationInput,
  progress: Progress,
): Promise<EvaluationRow[]> {
  progress.begin(sets.map(({ name, count = null }) => ({ name, total: count })));
  return evaluateSets(sets, progress, {
    respond: set => answered({ ...common, set }, { engine, shards }),
    score: (set, responses) => scoreEvaluation({ ...common, set, responses }),
  });
}

async function evaluateAny(input: EvaluationSpecInput, progress: Progress): Promise<EvaluationSummary> {
  const { plan, sets, remote, engine, schedule, shards } = await prepareEvaluation({ start: startOf(), input });
  progress.begin(sets.map(({ name, count }) => ({ name, total: count })));
  const respond = (set: PlannedEvaluation) => (remote ? evaluateRemote(set) : answered(set, { engine, shards }));
  const rows = await evaluateSets(sets, progress, {
    respond: ({ name }) => respond({ plan, set: name }),
    score: ({ name }, responses) => scoreEvaluation({ plan, set: name, responses }),
  });
  const summary = await concludeEvaluation({ plan, results: rows.map(({ uri }) => uri) });
  progress.finish();
  return schedule === null ? summary : { ...summary, notification: await notified(summary, schedule) };
}

/** The engine's answers to a set, each shard of it by whichever engine is free. */
async function answered(
  set: EvaluateInput,
  { engine, shards = 1 }: { engine: EngineKind | undefined; shards: number | undefined },
): Promise<ArtifactRef> {
  const { evaluate } = engineActivities(engine);
  if (shards === 1) return evaluate(set);
  return gatherResponses({ ...set, shards: await inShards(shards, shard => evaluate({ ...set, shard })) });
}

interface SetWork<S> {
  respond(set: S): Promise<ArtifactRef>;
  score(set: S, responses: ArtifactRef): Promise<EvaluationRow>;
}

async function evaluateSets<S extends { name: string }>(
  sets: S[],
  progress: Progress,
  { respond, score }: SetWork<S>,
): Promise<EvaluationRow[]> {
  const rows: Promise<EvaluationRow>[] = [];
  for (const set of sets) {
    progress.reached(set.name, 'answering');
    const responses = await respond(set);
    progress.reached(set.name, 'scoring');
    // Scored while the next set is sampled.
    const row = score(set, responses).then(row => progress.scored(row));
    // Its failure is awaited below, unless sampling the next set fails first.
    row.catch(() => {});
    rows.push(row);
  }
  return Promise.all(rows);
}

/** What an evaluation that is done came to does not depend on whether anybody could be told. */
async function notified(summary: EvaluationSummary, schedule: string): Promise<string | null> {
  try {
    return await notify({ schedule, summary });
  } catch (error) {
    const reason = `not delivered: ${rootCause(error) ?? error}`;
    log.warn('The webhook was not told of this firing', { reason });
    return reason;
  }
}

/** Temporal marks what a schedule starts. */
function startOf(): EvaluationStart {
  const { workflowId, searchAttributes, startTime } = workflowInfo();
  const [schedule] = searchAttributes.TemporalScheduledById ?? [];
  if (typeof schedule !== 'string') return { workflowId, schedule: null };
  const [due] = searchAttributes.TemporalScheduledStartTime ?? [];
  const firedAt = (due instanceof Date ? due : startTime).toISOString().replace('.000Z', 'Z');
  return { workflowId, schedule, firedAt };
}

class Progress {
  private readonly progress: EvaluationProgress;
  /** By set, of each of its shards. */
  private readonly done = new Map<string, number[]>();

  constructor() {
    this.progress = { evaluation: workflowInfo().workflowId, state: 'preparing', sets: [], rows: [] };
    setHandler(evaluationProgress, () => this.progress);
    setHandler(evaluated, (name, done, shard = 0) => {
      const set = this.set(name);
      if (!set) return;
      const shards = this.done.get(name) ?? [];
      this.done.set(name, shards);
      // Reports may overtake one another, and an activity that is tried again begins at what it finds.
      shards[shard] = Math.max(shards[shard] ?? 0, done);
      set.done = shards.reduce((sum, one) => sum + one, 0);
    });
  }

  begin(sets: { name: string; total: number | null }[]): void {
    this.progress.state = 'running';
    this.progress.sets = sets.map(set => ({ ...set, state: 'waiting', done: 0 }));
  }

  reached(name: string, state: 'answering' | 'scoring'): void {
    const set = this.set(name)!;
    set.state = state;
    if (state === 'scoring') set.done = set.total ?? set.done;
  }

  scored(row: EvaluationRow): EvaluationRow {
    this.set(row.set)!.state = 'done';
    this.progress.rows.push(row);
    return row;
  }

  finish(): void {
    this.progress.state = 'done';
  }

  private set(name: string) {
    return this.progress.sets.find(set => set.name === name);
  }
}
