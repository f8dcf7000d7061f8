/**
 * A run of QwenLong-L1's method (arXiv 2505.17667): warm up on reasoning traces, then reinforcement learning in phases of
 * growing context, each drawing again from what earlier phases found difficult; evaluate along the way; export.
 */
import { isCancellation, proxyActivities, startChild, workflowInfo } from '@temporalio/workflow';
import {
  type CurriculumInput,
  type CurriculumResult,
  isEvaluated,
  labelAfter,
  type PolicyRef,
  type StageProgress,
} from '../activities/contract/index.js';
import type { ControlActivities } from '../activities/index.js';
import type { RunPlan, StagePlan } from '../activities/run/index.js';
import type { ArtifactRef, StageAttempt } from '../activities/store/index.js';
import { evaluation } from './evaluation.js';
import { CONTROL, DATA, engineActivities } from './options.js';
import { phase } from './phase.js';
import { Repairs } from './repairs.js';
import { type Attempt, RunState } from './run-state.js';
import { warmup } from './warmup.js';

const { prepareRun, recordAgain } = proxyActivities<ControlActivities>(DATA);
const { claimAttempt, buildPool, exportPolicy } = proxyActivities<ControlActivities>(CONTROL);

type StageRow = CurriculumResult['stages'][number];

export async function curriculum(input: CurriculumInput): Promise<CurriculumResult> {
  const state = new RunState(workflowInfo().workflowId);
  const repairs = new Repairs();
  for (;;) {
    try {
      return await train(input, state, repairs);
    } catch (error) {
      if (!repairs.mayMend(error)) throw error;
      repairs.begin(error);
    }
  }
}

async function train(input: CurriculumInput, state: RunState, repairs: Repairs): Promise<CurriculumResult> {
  const run = workflowInfo().workflowId;
  const plan = await prepareRun({ run, input });
  state.plan(stagesToShow(plan));
  if (plan.exportTo) state.keepTrackersUp(plan.exportTo);

  const { branch, engine } = plan;
  const { importBase, examineService } = engineActivities(engine);
  // Before anything is spent: whether the service that is to train has what the run needs.
  if (engine) await examineService({ run });
  let policy = branch ? branch.policy : await importBase({ run, model: plan.model });
  state.reached(policy);
  if (!branch) await evaluatePolicy(state, plan, 'base', policy);

  const stages: StageRow[] = [];
  const difficulties: ArtifactRef[] = [...(branch?.difficulties ?? [])];
  for (const stage of plan.stages) {
    const started = Date.now();
    const trained = await trainStage(state, repairs, plan, stage, policy, difficulties);
    policy = trained.policy;
    state.reached(policy);
    if (trained.difficulty) difficulties.push(trained.difficulty);
    stages.push({
      name: stage.name,
      kind: kindOf(stage.name),
      steps: trained.steps,
      seconds: (Date.now() - started) / 1000,
      policy,
    });
    await evaluatePolicy(state, plan, labelAfter(stage.name, stage === plan.stages.at(-1)), policy);
  }

  const result = await exportPolicy({ run, policy, stages, evaluations: state.table });
  state.reached(result.policy);
  state.finish();
  return result;
}

interface Trained {
  policy: PolicyRef;
  steps: number;
  /** Phases only: what later phases resample by. */
  difficulty?: ArtifactRef;
}

/** Tries a stage until an attempt succeeds. One that fails for good waits for the update `replayPhase`. */
async function trainStage(
  state: RunState,
  repairs: Repairs,
  plan: RunPlan,
  stage: StagePlan,
  policy: PolicyRef,
  difficulties: ArtifactRef[],
): Promise<Trained> {
  const { workflowId: run } = workflowInfo();
  const { spec, checkpoints, shards } = plan;
  const { warmup: warmupData } = plan.data;
  const claim = (attempt: number, overrides: Record<string, unknown>) =>
    claimAttempt({
      stage: { run, stage: stage.name, attempt },
      spec,
      warmupData,
      overrides,
      ...(checkpoints && { checkpoints }),
      ...(shards !== undefined && { shards }),
    });

  let next: Attempt = { attempt: stage.attempt, settings: await claim(stage.attempt, stage.overrides) };
  for (;;) {
    const { attempt, settings } = next;
    const at: StageAttempt = { run, stage: stage.name, attempt };
    try {
      return stage.name === 'warmup'
        ? await runWarmup(state, plan, at, settings, policy)
        : await runPhase(state, plan, at, settings, policy, difficulties);
    } catch (error) {
      if (isCancellation(error) || repairs.mayMend(error)) throw error;
      next = await state.awaitReplay(stage.name, claim, error);
    }
  }
}

function runWarmup(
  state: RunState,
  plan: RunPlan,
  stage: StageAttempt,
  settings: Attempt['settings'],
  policy: PolicyRef,
): Promise<Trained> {
  const data = plan.data.warmup!;
  return state.runStage<typeof warmup>(stage.stage, stage.attempt, isPaused =>
    startChild(warmup, { workflowId: childId(stage), args: [{ stage, settings, data, policy, paused: isPaused() }] }),
  );
}

function runPhase(
  state: RunState,
  plan: RunPlan,
  stage: StageAttempt,
  settings: Attempt['settings'],
  policy: PolicyRef,
  difficulties: ArtifactRef[],
): Promise<Trained> {
  const data = plan.data.train;
  return state.runStage<typeof phase>(stage.stage, stage.attempt, async isPaused => {
    const { spec } = settings;
    const again = settings.remeasure ? [await measureAgain(stage, settings, data, policy, difficulties)] : [];
    const { pool } = await buildPool({ stage, spec, data, difficulties: [...difficulties, ...again] });
    const paused = isPaused();
    return startChild(phase, { workflowId: childId(stage), args: [{ stage, settings, data, pool, policy, paused }] });
  });
}

/** How difficult earlier samples are for the policy that the phase begins with. */
async function measureAgain(
  stage: StageAttempt,
  { spec, engine }: Attempt['settings'],
  data: ArtifactRef,
  policy: PolicyRef,
  difficulties: ArtifactRef[],
): Promise<ArtifactRef> {
  const { answerAgain } = engineActivities(engine);
  const responses = await answerAgain({ stage, spec, data, policy, difficulties });
  return recordAgain({ stage, spec, data, responses });
}

async function evaluatePolicy(state: RunState, plan: RunPlan, label: string, policy: PolicyRef): Promise<void> {
  if (!isEvaluated(plan, label)) return;
  const { workflowId: run } = workflowInfo();
  const { spec, shards } = plan;
  const rows = await state.runStage<typeof evaluation>(`evaluation/${label}`, 1, () =>
    startChild(evaluation, {
      workflowId: `${run}/evaluation/${label}`,
      args: [
        {
          ...{ run, spec, policy, label, sets: plan.data.sets },
          ...(shards !== undefined && { shards }),
          ...(plan.engine && { engine: plan.engine }),
        },
      ],
    }),
  );
  state.addRows(rows);
}

function stagesToShow(plan: RunPlan): StageProgress[] {
  const names = plan.branch ? [] : ['evaluation/base'];
  for (const stage of plan.stages)
    names.push(stage.name, `evaluation/${labelAfter(stage.name, stage === plan.stages.at(-1))}`);
  return names
    .filter(name => !name.startsWith('evaluation/') || isEvaluated(plan, name.slice('evaluation/'.length)))
    .map(name => ({
      name,
      kind: kindOf(name),
      state: 'waiting',
      attempt: 1,
      workflowId: null,
      latest: null,
      startedAt: null,
      finishedAt: null,
      error: null,
    }));
}

function kindOf(stage: string): StageProgress['kind'] {
  if (stage === 'warmup') return 'warmup';
  return stage.startsWith('phase-') ? 'phase' : 'evaluation';
}

function childId({ run, stage, attempt }: StageAttempt): string {
  return `${run}/${stage}/${attempt}`;
}
