/** A run's stages as the store has them: the current attempt of each, how far it is, and how far it goes. */
import { stat } from 'node:fs/promises';
import { attemptsOf, stepNumbers } from '../../activities/policies/index.js';
import type { RunDataSummary } from '../../activities/run/index.js';
import type { RunSpec } from '../../activities/spec/index.js';
import {
  claimedAttempt,
  dataSummaryUri,
  phaseNumber,
  readJson,
  resultUri,
  type StageAttempt,
  type Store,
  specUri,
  stageUri,
  storeUri,
} from '../../activities/store/index.js';
import { bandOf } from '../../activities/training/index.js';
import { NotThereError } from './errors.js';

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
  /** Those that have begun. */
  stages: StoredStage[];
  /** ISO 8601: when its spec was written, and when it last published a step or its result. */
  begun: string | null;
  latest: string | null;
}

/** @throws NotThereError when the store has no such run */
export async function storedRun(store: Store, run: string): Promise<StoredRun> {
  const spec = await store.find(specUri(run));
  if (!spec) throw new NotThereError(`The store has no run "${run}". Is it another store (--store, LONGHAUL_STORE)?`);
  const settings = await readJson<RunSpec>(store, spec);
  const summary = await store.find(dataSummaryUri(run));
  const data = summary && (await readJson<RunDataSummary>(store, summary));
  const stages: StoredStage[] = [];
  for (const stage of await attemptsOf(store, run)) {
    if ((await claimedAttempt(store, stageUri(stage))) !== stage.attempt) continue;
    const k = stage.stage === 'warmup' ? -1 : phaseNumber(stage.stage) - 1;
    stages.push({
      stage,
      steps: (await stepNumbers(store, stage)).length,
      planned: k < 0 ? (data?.warmup?.steps ?? null) : (settings.phases[k]?.steps ?? null),
      band: settings.phases[k] ? bandOf(settings, k) : null,
    });
  }
  const isDone = await store.has(resultUri(run));
  const last = stages.at(-1);
  const steps = last ? await stepNumbers(store, last.stage) : [];
  const newest = isDone ? resultUri(run) : last && steps.length > 0 ? folderOf(last.stage, steps.at(-1)!) : null;
  return {
    run,
    isDone,
    stages,
    begun: await timeOf(store, specUri(run)),
    latest: newest && (await timeOf(store, newest)),
  };
}

const folderOf = ({ run, stage, attempt }: StageAttempt, step: number) =>
  storeUri('runs', run, stage, String(attempt), 'steps', String(step));

async function timeOf(store: Store, uri: string): Promise<string | null> {
  const { mtime } = await stat(await store.localFolder(uri));
  return mtime.toISOString();
}
