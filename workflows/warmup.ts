/** Warm-up: supervised fine-tuning on reasoning traces, in blocks of steps that end in a checkpoint. */
import { allHandlersFinished, condition, continueAsNew, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { StageSettings } from '../activities/claim-attempt.js';
import type { ControlActivities, EngineActivities } from '../activities/index.js';
import type { ArtifactRef, StageAttempt } from '../activities/store/index.js';
import type { PolicyRef } from './contract.js';
import { PauseGate, reportStep } from './messages.js';
import { CONTROL, GRADIENT } from './options.js';

const { warmupSteps, snapshot } = proxyActivities<EngineActivities>(GRADIENT);
const { summarizeSteps } = proxyActivities<ControlActivities>(CONTROL);

export interface WarmupInput {
  stage: StageAttempt;
  settings: StageSettings;
  data: ArtifactRef;
  /** The base policy. */
  policy: PolicyRef;
  paused: boolean;
  /** Where an earlier execution left off; absent at the start. */
  position?: Position;
}

interface Position {
  policy: PolicyRef;
  /** Steps done. */
  step: number;
}

export interface WarmupResult {
  policy: PolicyRef;
  steps: number;
  /** A line for each step, with its loss. */
  summaries: ArtifactRef;
}

export async function warmup(input: WarmupInput): Promise<WarmupResult> {
  const { stage, settings } = input;
  const gate = new PauseGate(input.paused);
  let at: Position = input.position ?? { policy: input.policy, step: 0 };

  while (at.step < settings.steps) {
    await gate.pass();
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof warmup>({ ...input, paused: gate.paused, position: at });
    }
    at = await trainBlock(input, at);
  }
  const policy = await snapshot({ stage, policy: at.policy });
  const summaries = await summarizeSteps({ stage, steps: settings.steps });
  return { policy, steps: settings.steps, summaries };
}

async function trainBlock({ stage, settings, data, policy: entry }: WarmupInput, at: Position): Promise<Position> {
  const started = Date.now();
  const to = Math.min(at.step + blockLength(settings), settings.steps);
  const { policy, metrics, tokens } = await warmupSteps({
    stage,
    spec: settings.spec,
    data,
    policy: at.policy,
    entry: at.policy.name === entry.name,
    from: at.step + 1,
    to,
  });
  if (Math.floor(to / settings.snapshotEvery) > Math.floor(at.step / settings.snapshotEvery)) {
    await snapshot({ stage, policy });
  }
  const seconds = (Date.now() - started) / 1000;
  reportStep(
    stage.stage,
    {
      step: to,
      steps: settings.steps,
      reward: null,
      passRate: null,
      ...metrics,
      tokensPerSecond: tokens / Math.max(seconds, 0.001),
      seconds: seconds / (to - at.step),
      effectiveGroups: null,
      droppedGroups: null,
      carriedEffectiveGroups: null,
    },
    at.step,
  );
  return { policy, step: to };
}

/** Steps of one activity: a fiftieth of the stage, so that progress shows and a pause soon takes effect. */
function blockLength({ steps, snapshotEvery }: StageSettings): number {
  return Math.max(1, Math.min(snapshotEvery, Math.ceil(steps / 50)));
}
