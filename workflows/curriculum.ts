/**
 * A run of QwenLong-L1's method (arXiv 2505.17667): warm up on reasoning traces, then reinforcement learning in phases of
 * growing context, each drawing again from what earlier phases found difficult; evaluate along the way; export.
 */
import { isCancellation, proxyActivities, startChild, workflowInfo } from '@temporalio/workflow';
import {
  type CurriculumInput,
  type CurriculumResult,
  type EvaluationRow,
  isEvaluated,
  labelAfter,
  type PolicyRef,
  type StageProgress,
} from '../activities/contract/index.js';
import type { ControlActivities } from '../activities/index.js';
import type { RunPlan, StageOutcome, StagePlan } from '../activities/run/index.js';
import type { ArtifactRef, StageAttempt } from '../activities/store/index.js';
import { evaluation } from './evaluation.js';
import { CONTROL, DATA, engineActivities } from './options.js';
import { phase } from './phase.js';
import { Repairs } from './repairs.js';
import { type Attempt, RunState } from './run-state.js';
import { Sharing } from './sharing.js';
import { warmup } from './warmup.js';

const { prepareRun, recordAgain } = proxyActivities<ControlActivities>(DATA);
const { claimAttempt, buildPool, exportPolicy } = proxyActivities<ControlActivities>(CONTROL);

type StageRow = CurriculumResult['stages'][number];

export async function curriculum(input: CurriculumInput): Promise<CurriculumResult> {
  const state = new RunState(workflowInfo().workflowId);
  const repairs = new Repairs();
  const sharing = isCell(input) ? new Sharing(state.clock) : null;
  for (;;) {
    try {
      return await train(input, state, repairs, sharing);
    } catch (error) {
      if (!repairs.mayMend(error)) throw error;
      repairs.begin(error);
    }
  }
}

const isCell = (input: CurriculumInput): boolean => typeof input === 'object' && input !== null && 'study' in input;

async function train(
  input: CurriculumInput,
  state: RunState,
  repairs: Repairs,
  sharing: Sharing | null,
): Promise<CurriculumResult> {
  const run = workflowInfo().workflowId;
  const begun = await (sharing ? sharing.inTurn('beginning', () => begin(input, state)) : begin(input, state));
  const { plan } = begun;
  let { policy } = begun;
  const shared = plan.share ? sharing : null;
  state.reached(policy);
  if (!plan.branch) await evaluatePolicy(state, shared, plan, 'base', policy);

  const stages: StageRow[] = [];
  const difficulties: ArtifactRef[] = [...(plan.branch?.difficulties ?? [])];
  for (const stage of plan.stages) {
    const started = state.clock.read();
    const trained = await stageOutcome(state, repairs, shared, plan, stage, policy, difficulties);
    policy = trained.policy;
    state.reached(policy);
    if (trained.difficulty) difficulties.push(trained.difficulty);
    stages.push({
      name: stage.name,
      kind: kindOf(stage.name),
      steps: trained.steps,
      seconds: (state.clock.read() - started) / 1000,
      policy,
      ...(trained.takenFrom !== undefined && { takenFrom: trained.takenFrom }),
    });
    await evaluatePolicy(state, shared, plan, labelAfter(stage.name, stage === plan.stages.at(-1)), policy);
  }

  const result = await exportPolicy({ run, policy, stages, evaluations: state.table });
  state.reached(result.policy);
  state.finish();
  return result;
}

/** Everything that can be wrong, found before anything is spent; then the policy that the run begins with. */
async function begin(input: CurriculumInput, state: RunState): Promise<{ plan: RunPlan; policy: PolicyRef }> {
  const run = workflowInfo().workflowId;
  const plan = await prepareRun({ run, input });
  state.plan(stagesToShow(plan));
  if (plan.exportTo) state.keepTrackersUp(plan.exportTo);
  const { branch, engine, model, share } = plan;
  const { importBase, examineService } = engineActivities(engine);
  // Whether the service that is to train has what the run needs.
  if (engine) await examineService({ run });
  const policy = branch ? branch.policy : await importBase({ run, model, ...(share && { share }) });
  return { plan, policy };
}

interface Trained extends StageOutcome {
  /** Of a stage that another run went through. */
  takenFrom?: string;
}

/** What another run of a study came to where it went through the same stage; else what this one comes to. */
async function stageOutcome(
  state: RunState,
  repairs: Repairs,
  sharing: Sharing | null,
  plan: RunPlan,
  stage: StagePlan,
  policy: PolicyRef,
  difficulties: ArtifactRef[],
): Promise<Trained> {
  const train = (failed?: () => Promise<void>) => trainStage(state, repairs, plan, stage, policy, difficulties, failed);
  // Later attempts may have other settings.
  if (!sharing || stage.attempt > 1) return (await train()).trained;
  const { name } = stage;
  const { workflowId: run } = workflowInfo();
  const { spec, data } = plan;
  let takenFrom: string | undefined;
  const outcome = await sharing.obtain<StageOutcome>({
    ask: { run, spec, data, policy, name, difficulties },
    took: ({ of }) => {
      if (of !== run) takenFrom = of;
      state.took(name, of);
    },
    make: async giveUpTurn => {
      const { trained, attempt } = await train(giveUpTurn);
      const { policy, steps, difficulty } = trained;
      return { result: trained, share: attempt > 1 ? null : { policy, steps, ...(difficulty && { difficulty }) } };
    },
  });
  return { ...outcome, ...(takenFrom !== undefined && { takenFrom }) };
}

/** Tries a stage until an attempt succeeds. One that fails for good waits for the update `replayPhase`. */
async function trainStage(
  state: RunState,
  repairs: Repairs,
  plan: RunPlan,
  stage: StagePlan,
  policy: PolicyRef,
  difficulties: ArtifactRef[],
  failed: () => Promise<void> = async () => {},
): Promise<{ trained: Trained; attempt: number }> {
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
      const trained = await (stage.name === 'warmup'
        ? runWarmup(state, plan, at, settings, policy)
        : runPhase(state, plan, at, settings, policy, difficulties));
      return { trained, attempt };
    } catch (error) {
      if (isCancellation(error) || repairs.mayMend(error)) throw error;
      await failed();
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

async function evaluatePolicy(
  state: RunState,
  sharing: Sharing | null,
  plan: RunPlan,
  label: string,
  policy: PolicyRef,
): Promise<void> {
  if (!isEvaluated(plan, label)) return;
  const evaluate = () => evaluateAnew(state, plan, label, policy);
  if (!sharing) return state.addRows(await evaluate());
  const { spec, data } = plan;
  const rows = await sharing.obtain<EvaluationRow[]>({
    ask: { run: workflowInfo().workflowId, spec, data, policy, name: `evaluation.${label}`, difficulties: [] },
    took: ({ of }) => state.took(`evaluation/${label}`, of),
    make: async () => {
      const rows = await evaluate();
      return { result: rows, share: rows };
    },
  });
  state.addRows(rows);
}

async function evaluateAnew(
  state: RunState,
  plan: RunPlan,
  label: string,
  policy: PolicyRef,
): Promise<EvaluationRow[]> {
  const { workflowId: run } = workflowInfo();
  const { spec, shards } = plan;
  return state.runStage<typeof evaluation>(`evaluation/${label}`, 1, () =>
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
