/**
 * The order of a run's activities without a server: what the workflows do, tries again included. For tests that kill
 * something at every place in turn.
 */
import { ApplicationFailure } from '@temporalio/common';
import type { CurriculumInput, PolicyRef } from '../../activities/contract/index.js';
import { createActivities } from '../../activities/index.js';
import type { ArtifactRef, StageAttempt } from '../../activities/store/index.js';
import type { StepInput, TrainStepsResult } from '../../activities/training/index.js';
import { isSnapshotDue, NEW_CLOCK } from '../../workflows/snapshot-interval.js';
import type { SmallRun } from './small-run.js';

const TRIES = 5;

export interface Driven {
  base: PolicyRef;
  sft: PolicyRef;
  final: PolicyRef;
  pools: ArtifactRef[];
}

export type Activities = ReturnType<typeof createActivities>;
export type Attempt = <I, R>(activity: (input: I) => Promise<R>, input: I) => Promise<R>;

/** Takes a step of a phase. */
export type StepDriver = (
  activities: Activities,
  attempt: Attempt,
  next: StepInput,
) => Promise<Pick<TrainStepsResult, 'policy' | 'drawn' | 'before'>>;

const byOneActivity: StepDriver = ({ trainSteps }, attempt, next) =>
  attempt(trainSteps, { ...next, to: next.step, seconds: 1 });

export async function driveRun(
  small: Pick<SmallRun, 'deps' | 'run'> & { spec: CurriculumInput },
  name = 'run',
  takeStep: StepDriver = byOneActivity,
): Promise<Driven> {
  const activities = createActivities(small.deps);
  const attempt: Attempt = async (activity, input) => {
    for (let tries = 1; ; tries++) {
      try {
        return await small.run(activity, input);
      } catch (error) {
        if (tries === TRIES || (error instanceof ApplicationFailure && error.nonRetryable)) throw error;
      }
    }
  };

  const plan = await attempt(activities.prepareRun, { run: name, input: small.spec });
  const base = await attempt(activities.importBase, { run: name, model: plan.model });
  let policy = base;
  let sft = base;
  const pools: ArtifactRef[] = [];
  const difficulties: ArtifactRef[] = [];
  for (const planned of plan.stages) {
    const stage: StageAttempt = { run: name, stage: planned.name, attempt: 1 };
    const warmupData = plan.data.warmup;
    const settings = await attempt(activities.claimAttempt, {
      ...{ stage, spec: plan.spec, warmupData, overrides: {} },
      checkpoints: plan.checkpoints!,
    });
    const { spec, steps, keep } = settings;
    const snapshotOf = (policy: PolicyRef) => attempt(activities.snapshot, { stage, policy, keep: keep! });
    const stepsDone = async (from: number, to: number) => {
      if (isSnapshotDue(settings.snapshotEvery, { from, to }, NEW_CLOCK)) await snapshotOf(policy);
    };
    if (stage.stage === 'warmup') {
      for (let from = 1; from <= steps; from += 2) {
        const to = Math.min(from + 1, steps);
        const block = { stage, spec, data: warmupData!, policy, entry: from === 1, from, to };
        policy = (await attempt(activities.warmupSteps, block)).policy;
        await stepsDone(from - 1, to);
      }
      sft = policy;
    } else {
      const data = plan.data.train;
      const again: ArtifactRef[] = [];
      if (settings.remeasure) {
        const responses = await attempt(activities.answerAgain, { stage, spec, data, policy, difficulties });
        again.push(await attempt(activities.recordAgain, { stage, spec, data, responses }));
      }
      const known = { difficulties: [...difficulties, ...again] };
      const { pool } = await attempt(activities.buildPool, { stage, spec, data, ...known });
      pools.push(pool);
      const entryPolicy = policy;
      let cursor = 0;
      let before: PolicyRef | undefined;
      for (let step = 1; step <= steps; step++) {
        const entry = policy.name === entryPolicy.name;
        const next = { stage, spec, data, pool, policy, entry, step, cursor, ...(before && { before }) };
        const trained = await takeStep(activities, attempt, next);
        ({ policy, before } = trained);
        cursor += trained.drawn;
        await stepsDone(step - 1, step);
      }
      difficulties.push(await attempt(activities.recordDifficulty, { stage, steps }));
    }
    policy = await snapshotOf(policy);
  }
  return { base, sft, final: policy, pools };
}
