/** Warm-up: supervised fine-tuning on reasoning traces, in blocks of steps that end in a checkpoint. */
import { allHandlersFinished, condition, continueAsNew, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { PolicyRef } from '../activities/contract/index.js';
import type { ControlActivities } from '../activities/index.js';
import type { StageSettings } from '../activities/run/index.js';
import type { ArtifactRef, StageAttempt } from '../activities/store/index.js';
import { type BlockStart, blockLength } from './blocks.js';
import { PauseGate, reportStep } from './messages.js';
import { CONTROL, engineActivities } from './options.js';
import { advanced, isSnapshotDue, NEW_CLOCK, restarted } from './snapshot-interval.js';

const { summarizeSteps } = proxyActivities<ControlActivities>(CONTROL);

export interface WarmupInput {
  stage: StageAttempt;
  settings: StageSettings;
  data: ArtifactRef;
  /** The base policy. */
  policy: PolicyRef;
  paused: boolean;
  /** Where an earlier execution left off, in what its version knew of; absent at the start. */
  position?: Partial<Position>;
}

interface Position extends BlockStart {
  policy: PolicyRef;
}

export interface WarmupResult {
  policy: PolicyRef;
  steps: number;
  /** A line for each step, with its loss. */
  summaries: ArtifactRef;
}

export async function warmup(input: WarmupInput): Promise<WarmupResult> {
  const { stage, settings } = input;
  const { snapshot } = engineActivities(settings.engine);
  const kept = settings.keep && { keep: settings.keep };
  const gate = new PauseGate(input.paused);
  let at: Position = { policy: input.policy, step: 0, clock: NEW_CLOCK, secondsPerStep: null, ...input.position };

  while (at.step < settings.steps) {
    await gate.pass();
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof warmup>({ ...input, paused: gate.paused, position: at });
    }
    at = await trainBlock(input, at);
  }
  const policy = await snapshot({ stage, policy: at.policy, ...kept });
  const summaries = await summarizeSteps({ stage, steps: settings.steps });
  return { policy, steps: settings.steps, summaries };
}

async function trainBlock({ stage, settings, data, policy: entry }: WarmupInput, at: Position): Promise<Position> {
  const started = Date.now();
  const { warmupSteps, snapshot } = engineActivities(settings.engine);
  const { blockSeconds: seconds } = settings;
  const upTo = at.step + blockLength(settings, at);
  const {
    policy,
    metrics,
    tokens,
    step: to = upTo,
  } = await warmupSteps({
    stage,
    spec: settings.spec,
    data,
    policy: at.policy,
    entry: at.policy.name === entry.name,
    from: at.step + 1,
    to: upTo,
    ...(seconds !== undefined && { seconds }),
  });
  const trained = (Date.now() - started) / 1000;
  let clock = advanced(at.clock, { worked: trained, redo: trained });
  if (isSnapshotDue(settings.snapshotEvery, { from: at.step, to }, clock)) {
    const from = Date.now();
    await snapshot({ stage, policy, ...(settings.keep && { keep: settings.keep }) });
    clock = restarted((Date.now() - from) / 1000);
  }
  const taken = (Date.now() - started) / 1000;
  reportStep(
    stage.stage,
    {
      step: to,
      steps: settings.steps,
      reward: null,
      passRate: null,
      ...metrics,
      tokensPerSecond: tokens / Math.max(taken, 0.001),
      seconds: taken / (to - at.step),
      effectiveGroups: null,
      droppedGroups: null,
      carriedEffectiveGroups: null,
    },
    at.step,
  );
  return { policy, step: to, clock, secondsPerStep: trained / (to - at.step) };
}
