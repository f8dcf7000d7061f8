/** One RL step: the optimiser updates over a step's effective groups, logged so that they can be made again. */
import {
  isPass,
  overUpdates,
  type Round,
  readKept,
  rewardsOf,
  type ScoredRollouts,
  type StepCounts,
  type StepInputs,
  type UpdateRecord,
} from '../artifacts/index.js';
import type { PolicyRef } from '../contract/index.js';
import type { EngineDependencies } from '../dependencies.js';
import type { LossSettings } from '../engine/protocol/index.js';
import { rulesOf } from '../engine/training/index.js';
import {
  applyStep,
  ensurePolicyLoaded,
  ensureSnapshot,
  loggedStep,
  Publications,
  policyName,
  referenceOf,
  shareWeights,
} from '../policies/index.js';
import { codeVersion } from '../provenance/index.js';
import type { JudgeUsage } from '../rewards/index.js';
import type { RlSettings, RunSpec } from '../spec/index.js';
import {
  type ArtifactRef,
  fenceOf,
  readLines,
  type StageAttempt,
  type Store,
  stepUri,
  type TextReader,
} from '../store/index.js';
import { type Supervision, supervised } from '../supervision/index.js';
import { timed } from '../telemetry/index.js';
import { entropyControl } from './entropy-control.js';
import { phaseOf } from './phase-of.js';
import { type Ahead, RolloutsAhead } from './rollouts-ahead.js';

export interface UpdateInput {
  stage: StageAttempt;
  spec: ArtifactRef;
  policy: PolicyRef;
  /** Whether the policy is the stage's entry policy: the optimiser starts fresh. */
  entry: boolean;
  step: number;
  rounds: Round[];
  /** Log the step, but leave the policy as it is: too few groups teach anything. */
  skip: boolean;
  /** As of the step's own rollouts. */
  before?: PolicyRef;
  /** Where the next step's prompts are drawn, where its first round is to be sampled beside the update. */
  ahead?: Ahead;
  /** What the judge was asked in these rounds. */
  judge?: JudgeUsage;
  /** How many the rollouts of the next step are cut into, which then need the weights; absent where they are not. */
  shards?: number;
}

export interface UpdateResult {
  policy: PolicyRef;
  counts: StepCounts;
  /** Means over the step's updates; null if it was skipped. */
  metrics: { loss: number; gradNorm: number; entropy: number } | null;
}

export function update(deps: EngineDependencies) {
  return (input: UpdateInput): Promise<UpdateResult> =>
    supervised(`updating in step ${input.step}`, async supervision => {
      const spec = await readKept<RunSpec>(deps.store, input.spec);
      return Publications.during(deps.store, supervision.check, async publications => {
        const { result } = await updateBeside(deps, spec, input, supervision, publications);
        return result;
      });
    });
}

/** The update, and what is sampled beside it. @returns also the seconds of the update alone */
export async function updateBeside(
  deps: EngineDependencies,
  spec: RunSpec,
  input: UpdateInput,
  supervision: Supervision,
  publications: Publications,
): Promise<{ result: UpdateResult; seconds: number }> {
  const ahead = new RolloutsAhead(deps, spec, input, supervision, publications);
  const started = performance.now();
  try {
    const work = () => updatePolicy(deps, spec, input, supervision, publications, ahead);
    const result = await timed(deps, 'update', work);
    const seconds = input.skip ? 0 : (performance.now() - started) / 1000;
    await ahead.done();
    return { result, seconds };
  } finally {
    await ahead.abandon();
  }
}

/** @param publications what the step rests on, perhaps still being published, and then the step itself */
async function updatePolicy(
  deps: EngineDependencies,
  spec: RunSpec,
  input: UpdateInput,
  supervision: Supervision,
  publications: Publications,
  ahead: RolloutsAhead,
): Promise<UpdateResult> {
  const { stage, step, policy } = input;
  const { store } = deps;
  const logged = () => publications.done();
  const inputs = await stepInputs(store, spec, input, logged);
  const name = input.skip ? policy.name : policyName(inputs);
  const made = await loggedStep(store, stage, step, name);
  if (made) return resultOf(made);

  const counts = { ...(await countStep(publications, inputs, input.skip)), ...(input.judge && { judge: input.judge }) };
  const code = codeVersion(deps.numerics);
  let record: UpdateRecord;
  if (input.skip) {
    record = { stage, step, inputs, result: policy, skipped: 'no-signal', metrics: [], counts, code };
  } else {
    if (inputs.reference) await ensureSnapshot(deps, inputs.reference, supervision);
    await ensurePolicyLoaded(deps, policy, input.entry ? 'fresh' : 'as-trained', supervision, {
      logged,
      shards: input.shards,
    });
    publications.check();
    await ahead.begin();
    supervision.note(`updating in step ${step}`);
    const { sha256, metrics } = await applyStep(deps, inputs, supervision.call, publications);
    const result = { name, uri: stepUri(stage, step, 'update.json'), sha256 };
    // Before the step is logged: who then needs them finds them.
    if (input.shards !== undefined) await shareWeights(deps, result, inputs, supervision, fenceOf(stage));
    record = { stage, step, inputs, result, skipped: null, metrics, counts, code };
  }
  publications.step(record);
  deps.observer?.step(record);
  return resultOf(record);
}

async function stepInputs(
  store: Store,
  spec: RunSpec,
  { stage, policy, before, entry, rounds }: UpdateInput,
  logged: () => Promise<void>,
): Promise<StepInputs> {
  const { rl } = phaseOf(spec, stage.stage);
  if (rl.kl || rl.aepo) await logged();
  return {
    parent: policy,
    freshOptimizer: entry,
    examples: null,
    rounds,
    ...(before && { sampler: before }),
    settings: {
      kind: 'rl',
      loss: { ...lossSettings(rl), ...(await entropyControl(store, rl, policy)) },
      optimizer: rl.optimizer,
      microBatchTokens: spec.engine.microBatchTokens,
      take: rulesOf(rl.algorithm).dynamicSampling ? 'effective' : 'all',
      groups: rl.promptsPerStep,
      groupsPerUpdate: rl.promptsPerUpdate,
    },
    ...(rl.kl && { reference: await referenceOf(store, policy) }),
  };
}

/** What is not asked for is left out: the settings are part of the policy's name. */
export function lossSettings(rl: RlSettings): LossSettings {
  return {
    algorithm: rl.algorithm,
    clipLow: rl.clipLow,
    clipHigh: rl.clipHigh,
    temperature: rl.sampling.temperature,
    overlong: rl.overlong,
    tokenMean: rl.tokenMean,
    ...(rulesOf(rl.algorithm).options.includes('maxResponseTokens') && {
      maxResponseTokens: rl.sampling.maxNewTokens,
    }),
    ...(rl.kl && { kl: rl.kl }),
    ...(rl.importanceCap && { importanceCap: rl.importanceCap }),
    ...(rl.advantageScale === 'task' && { advantageScale: 'task' }),
    ...(rl.truncatedLogprobs && { truncation: { topP: rl.sampling.topP, topK: rl.sampling.topK } }),
  };
}

async function countStep(log: TextReader, { rounds, settings }: StepInputs, skip: boolean): Promise<StepCounts> {
  if (settings.kind !== 'rl') throw new TypeError('An RL step needs RL settings');
  const scores = (await Promise.all(rounds.map(round => readLines<ScoredRollouts>(log, round.scores)))).flat();
  const effective = scores.filter(group => group.dropped === null);
  const rewards = rewardsOf(scores);
  const dropped = (why: ScoredRollouts['dropped']) => scores.filter(group => group.dropped === why).length;
  const carried = (groups: ScoredRollouts[]) => groups.filter(group => group.origin === 'carried').length;
  const unscored = dropped('unscored');
  const trainable = settings.take === 'all' ? scores.length - unscored : Math.min(effective.length, settings.groups);
  // No reward at all is no evidence of a low one.
  const share = (sum: number) => (rewards.length === 0 ? null : sum / rewards.length);
  return {
    drawn: scores.length,
    carriedDrawn: carried(scores),
    effective: effective.length,
    carriedEffective: carried(effective),
    noVariance: dropped('no-variance'),
    unscored,
    surplus: settings.take === 'effective' ? Math.max(0, effective.length - settings.groups) : 0,
    trained: skip ? 0 : trainable,
    meanReward: share(rewards.reduce((sum, reward) => sum + reward, 0)),
    passRate: share(rewards.filter(isPass).length),
  };
}

function resultOf({ result, counts, metrics }: UpdateRecord): UpdateResult {
  const mean = (field: 'loss' | 'gradNorm' | 'entropy') => overUpdates(metrics, field)!;
  return {
    policy: result,
    counts: counts!,
    metrics: metrics.length > 0 ? { loss: mean('loss'), gradNorm: mean('gradNorm'), entropy: mean('entropy') } : null,
  };
}
