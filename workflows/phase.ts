/**
 * A phase of reinforcement learning: in each step, sample groups of responses, score them, draw again for groups that
 * teach nothing (DAPO's dynamic sampling), and update the policy on those that do.
 */
import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  proxyActivities,
  workflowInfo,
} from '@temporalio/workflow';
import type { PolicyRef } from '../activities/contract/index.js';
import type { ControlActivities } from '../activities/index.js';
import type { StageSettings } from '../activities/run/index.js';
import type { ArtifactRef, StageAttempt } from '../activities/store/index.js';
import { type BlockStart, blockLength } from './blocks.js';
import { PauseGate, reportStep } from './messages.js';
import { CONTROL, engineActivities } from './options.js';
import { damagedArtifact } from './repairs.js';
import { advanced, isSnapshotDue, NEW_CLOCK, restarted } from './snapshot-interval.js';
import { type JudgedStep, stepByParts } from './step-by-parts.js';

const { recordDifficulty, summarizeSteps } = proxyActivities<ControlActivities>(CONTROL);

export interface PhaseInput {
  stage: StageAttempt;
  settings: StageSettings;
  data: ArtifactRef;
  pool: ArtifactRef;
  /** The entry policy. */
  policy: PolicyRef;
  paused: boolean;
  /** Where an earlier execution of this phase left off, in what its version knew of; absent at its start. */
  position?: Partial<Position>;
}

interface Position extends BlockStart {
  policy: PolicyRef;
  /** Which samples the first round of the next step, where that is not its own policy. */
  before?: PolicyRef;
  /** Prompts drawn so far. */
  cursor: number;
  /** Steps without signal in a row. */
  silent: number;
}

const BEGINNING = { step: 0, cursor: 0, silent: 0, clock: NEW_CLOCK, secondsPerStep: null };

export interface PhaseResult {
  policy: PolicyRef;
  steps: number;
  /** A line for each step. */
  summaries: ArtifactRef;
  difficulty: ArtifactRef;
}

export async function phase(input: PhaseInput): Promise<PhaseResult> {
  const { stage, settings } = input;
  const rl = settings.rl!;
  const kept = { ...(settings.keep && { keep: settings.keep }), ...(rl.shards !== undefined && { shards: rl.shards }) };
  const { snapshot } = engineActivities(settings.engine);
  const gate = new PauseGate(input.paused);
  let at: Position = { policy: input.policy, ...BEGINNING, ...input.position };

  while (at.step < settings.steps) {
    await gate.pass();
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof phase>({ ...input, paused: gate.paused, position: at });
    }
    const before = at.step;
    at = await takeStepsTwice(input, at);
    if (at.silent >= rl.patience && rl.onMissing === 'stop') throw noSignal(input, at);
    if (isSnapshotDue(settings.snapshotEvery, { from: before, to: at.step }, at.clock)) {
      const started = Date.now();
      await snapshot({ stage, policy: at.policy, ...kept });
      at = { ...at, clock: restarted(secondsSince(started)) };
    }
  }

  const policy = await snapshot({ stage, policy: at.policy, ...kept });
  const [difficulty, summaries] = await Promise.all([
    recordDifficulty({ stage, steps: settings.steps }),
    summarizeSteps({ stage, steps: settings.steps }),
  ]);
  return { policy, steps: settings.steps, summaries, difficulty };
}

/** What was found damaged among the steps' own artifacts is made again when they are gone through a second time. */
async function takeStepsTwice(input: PhaseInput, at: Position): Promise<Position> {
  try {
    return await takeSteps(input, at);
  } catch (error) {
    if (damagedArtifact(error) === null) throw error;
    return takeSteps(input, at);
  }
}

async function takeSteps({ stage, settings, data, pool, policy: entry }: PhaseInput, at: Position): Promise<Position> {
  const rl = settings.rl!;
  const { trainSteps } = engineActivities(settings.engine);
  const next = {
    ...{ stage, spec: settings.spec, data, pool },
    ...{ policy: at.policy, entry: at.policy.name === entry.name, step: at.step + 1, cursor: at.cursor },
    ...(at.before && { before: at.before }),
  };
  const started = Date.now();
  const made: JudgedStep =
    rl.ruleAlone && rl.shards === undefined
      ? await trainSteps({ ...next, to: at.step + blockLength(settings, at), seconds: settings.blockSeconds! })
      : await stepByParts(next, settings);
  const { policy, step, counts, metrics, judge } = made;
  const worked = secondsSince(started);
  const seconds = worked / (step - at.step);
  const report = {
    step,
    steps: settings.steps,
    reward: counts.meanReward,
    passRate: counts.passRate,
    loss: metrics?.loss ?? null,
    gradNorm: metrics?.gradNorm ?? null,
    entropy: metrics?.entropy ?? null,
    tokensPerSecond: made.newTokens / Math.max(worked, 0.001),
    seconds,
    effectiveGroups: counts.effective,
    droppedGroups: counts.noVariance,
    carriedEffectiveGroups: counts.carriedEffective,
    unscoredGroups: counts.unscored,
    ...(judge && { judge }),
  };
  reportStep(stage.stage, report, at.step);
  return {
    policy,
    ...(made.before && { before: made.before }),
    step,
    cursor: at.cursor + made.drawn,
    silent: made.skipped ? (step - at.step > 1 ? 1 : at.silent + 1) : 0,
    clock: advanced(at.clock, { worked, redo: made.updateSeconds }),
    secondsPerStep: seconds,
  };
}

/** By workflow time, which a replay repeats. */
const secondsSince = (started: number): number => (Date.now() - started) / 1000;

function noSignal({ stage, settings }: PhaseInput, { silent, step }: Position): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `${stage.stage} has no signal to learn from: in ${silent} steps in a row, up to step ${step}, fewer than ` +
      `${settings.rl!.minEffectiveGroups} groups of ${settings.rl!.promptsPerStep} had responses of different reward, ` +
      'after all refills. The prompts are too hard or too easy for this policy: put phases of closer lengths before it, ' +
      'train the phase before longer, or replay this one with other settings (rl.groupSize, rl.sampling.temperature, ' +
      'rl.maxRefills, or rl.signal.onMissing = "continue").',
    'NoSignal',
  );
}
