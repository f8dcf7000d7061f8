/** A run's stages as the store has them: the attempts of each, how far they are, and how far they go. */
import { attemptsOf, stepNumbers } from '../../activities/policies/index.js';
import type { RunDataSummary, RunPlan } from '../../activities/run/index.js';
import type { RunSpec } from '../../activities/spec/index.js';
import {
  attemptUri,
  claimedAttempt,
  dataSummaryUri,
  phaseNumber,
  planUri,
  readJson,
  resultUri,
  type StageAttempt,
  type Store,
  specUri,
  stageUri,
  stepUri,
} from '../../activities/store/index.js';
import { bandOf } from '../../activities/training/index.js';
import { NotThereError } from './errors.js';
import { Recent } from './recent.js';

export interface StoredStage {
  stage: StageAttempt;
  /** Steps begun. */
  steps: number;
  /** Null where the store does not say. */
  planned: number | null;
  /** Prompt lengths in tokens that the phase trains on; null of the warm-up. */
  band: { above: number; upTo: number } | null;
}

export interface StoredRun {
  run: string;
  isDone: boolean;
  /** The current attempt of those that have begun. */
  stages: StoredStage[];
  /** Attempts that were given up for a later one. */
  givenUp: StageAttempt[];
  /** Steps of all its stages together; null where the store does not say. */
  planned: number | null;
  /** ISO 8601: when its spec was written, and when it last published a step or its result. */
  begun: string | null;
  latest: string | null;
}

/** What is decided before a run begins. */
export interface RunBasis {
  spec: RunSpec;
  plan: RunPlan | null;
  data: RunDataSummary | null;
}

const bases = new WeakMap<Store, Recent<Promise<RunBasis>>>();
const RUNS = 256;

/** @throws NotThereError when the store has no such run */
export function basisOf(store: Store, run: string): Promise<RunBasis> {
  const kept = bases.get(store) ?? new Recent<Promise<RunBasis>>(RUNS);
  bases.set(store, kept);
  const known = kept.get(run);
  if (known) return known;
  const read = readBasis(store, run);
  // What is not there yet, or is away, is looked for again.
  return kept.set(
    run,
    read.then(
      basis => {
        if (basis.data === null) kept.delete(run);
        return basis;
      },
      error => {
        kept.delete(run);
        throw error;
      },
    ),
  );
}

async function readBasis(store: Store, run: string): Promise<RunBasis> {
  const spec = await store.find(specUri(run));
  if (!spec) throw new NotThereError(`The store has no run "${run}". Is it another store (--store, LONGHAUL_STORE)?`);
  const published = await store.find(planUri(run));
  const plan = published && (await readJson<RunPlan>(store, published));
  // Of a branch it is the other run's.
  const data = plan?.data.summary ?? (await store.find(dataSummaryUri(run)));
  return {
    spec: await readJson<RunSpec>(store, spec),
    plan,
    data: data && (await readJson<RunDataSummary>(store, data)),
  };
}

/** @throws NotThereError when the store has no such run */
export async function storedRun(store: Store, run: string): Promise<StoredRun> {
  const basis = await basisOf(store, run);
  const { spec, data } = basis;
  const stages: StoredStage[] = [];
  const givenUp: StageAttempt[] = [];
  let newest: string | null = null;
  for (const stage of await attemptsOf(store, run)) {
    if ((await claimedAttempt(store, stageUri(stage))) !== stage.attempt) {
      givenUp.push(stage);
      continue;
    }
    const k = stage.stage === 'warmup' ? -1 : phaseNumber(stage.stage) - 1;
    const { steps, latest } = await begunSteps(store, stage);
    newest = latest ?? newest;
    stages.push({
      stage,
      steps,
      planned: k < 0 ? (data?.warmup?.steps ?? null) : (spec.phases[k]?.steps ?? null),
      band: spec.phases[k] ? bandOf(spec, k) : null,
    });
  }
  const done = await store.publishedAt(resultUri(run));
  return {
    run,
    isDone: done !== null,
    stages,
    givenUp,
    planned: plannedSteps(basis),
    begun: (await store.publishedAt(specUri(run)))?.toISOString() ?? null,
    latest: done?.toISOString() ?? newest,
  };
}

function plannedSteps({ spec, plan, data }: RunBasis): number | null {
  const first = plan?.branch?.first ?? null;
  const phases = spec.phases.slice(first === null || first === 'warmup' ? 0 : phaseNumber(first) - 1);
  const steps = phases.reduce((sum, phase) => sum + phase.steps, 0);
  if (!spec.warmup || first?.startsWith('phase-')) return steps;
  return data?.warmup ? data.warmup.steps + steps : null;
}

interface BegunSteps {
  steps: number;
  latest: string | null;
}

const closed = new WeakMap<Store, Recent<BegunSteps>>();
const ATTEMPTS = 8192;

/** Of an attempt that was closed they are counted once: there will be no others. */
async function begunSteps(store: Store, stage: StageAttempt): Promise<BegunSteps> {
  const kept = closed.get(store) ?? new Recent<BegunSteps>(ATTEMPTS);
  closed.set(store, kept);
  const known = kept.get(attemptUri(stage));
  if (known) return known;
  const isClosed = await store.has(attemptUri(stage, 'steps.jsonl'));
  const numbers = await stepNumbers(store, stage);
  const begun = { steps: numbers.length, latest: await latestOf(store, stage, numbers) };
  return isClosed ? kept.set(attemptUri(stage), begun) : begun;
}

/** When it last logged a step: the last one that has begun may not be. */
async function latestOf(store: Store, stage: StageAttempt, steps: readonly number[]): Promise<string | null> {
  for (const step of steps.slice(-2).reverse()) {
    const time = await store.publishedAt(stepUri(stage, step, 'update.json'));
    if (time) return time.toISOString();
  }
  return null;
}
