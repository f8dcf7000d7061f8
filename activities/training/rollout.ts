/**
 * Draws a round of prompts from the pool and samples a group of responses to each. By itself where others are asked for
 * rewards, which keeps no accelerator waiting for them, or a shard of it where several workers share the round; else as a
 * part of a whole step (see train-steps.ts).
 */
import { type RolloutGroup, readKept, type Shard, sampledBy, shardsOf } from '../artifacts/index.js';
import type { PolicyRef } from '../contract/index.js';
import type { EngineDependencies } from '../dependencies.js';
import type { GenerateRequest, GenerateResult, Sampler } from '../engine/protocol/index.js';
import { ensurePolicyLoaded, samplerOf, textModelOf } from '../policies/index.js';
import type { RunSpec } from '../spec/index.js';
import {
  type ArtifactRef,
  DivergenceError,
  fenceOf,
  publishLines,
  readLines,
  type StageAttempt,
  stepUri,
} from '../store/index.js';
import { type Supervision, supervised } from '../supervision/index.js';
import { timed } from '../telemetry/index.js';
import { drawPrompts } from './draws.js';
import { phaseOf } from './phase-of.js';
import type { ScoreResult } from './score.js';

/** A step that is to be made from the policy before it. */
export interface StepInput {
  stage: StageAttempt;
  spec: ArtifactRef;
  data: ArtifactRef;
  pool: ArtifactRef;
  policy: PolicyRef;
  /** Where the step's first round is sampled beside the update that made the policy: the one before, which samples it. */
  before?: PolicyRef;
  /** Whether the policy is the stage's entry policy, whose first update begins with a fresh optimiser. */
  entry: boolean;
  step: number;
  /** Position in the phase's sequence of draws. */
  cursor: number;
}

export interface RolloutInput extends StepInput {
  /** 0 for the step's first round. */
  refill: number;
  /** How many prompts to take at the cursor. */
  count: number;
  /** Which of them, where others take the rest. */
  shard?: Shard;
}

export interface SampledRound {
  rollouts: ArtifactRef;
  newTokens: number;
  /** In results of version 0.2 where the rule alone rewards. */
  scored?: ScoreResult;
}

export interface RolloutResult extends SampledRound {
  /** In results of version 0.2 where the rule alone rewards: the rounds that had to follow the first, in order. */
  more?: SampledRound[];
}

export function rollout(deps: EngineDependencies) {
  return (input: RolloutInput): Promise<RolloutResult> =>
    supervised(`sampling for step ${input.step}`, async supervision => {
      const { store } = deps;
      const spec = await readKept<RunSpec>(store, input.spec);
      const sampled = await timed(deps, 'rollout', () => sampleRound(deps, spec, input, supervision));
      const { groups, published, uri } = sampled;
      supervision.check();
      const rollouts = published ?? (await publishLines(store, uri, groups, fenceOf(input.stage)));
      return { rollouts, newTokens: newTokensOf(groups) };
    });
}

export function newTokensOf(groups: readonly RolloutGroup[]): number {
  return groups.flatMap(group => group.responses).reduce((sum, { ids }) => sum + ids.length, 0);
}

/** Where a round's rollouts lie, or those of one of its shards until they are gathered. */
export function rolloutsUri(stage: StageAttempt, step: number, refill: number, shard?: Shard): string {
  const part = shard ? `.${shard.index + 1}-of-${shard.of}` : '';
  return stepUri(stage, step, `rollouts-${refill}${part}.jsonl`);
}

/**
 * The round's groups, or its shard's: those published, with the reference; else made now.
 * @param before `isNew`: it cannot be in the store; `logged`: awaited before the log is read; `sampler`: of the policy before
 */
export async function sampleRound(
  deps: EngineDependencies,
  spec: RunSpec,
  input: RolloutInput,
  supervision: Supervision,
  { isNew = false, logged, sampler }: SampleOptions = {},
): Promise<{ groups: RolloutGroup[]; published: ArtifactRef | null; uri: string }> {
  const { stage, step, refill, shard } = input;
  const policy = sampledBy({ parent: input.policy, ...(input.before && { sampler: input.before }) }, refill);
  // Made beside the update before, perhaps by this very activity.
  if (policy !== input.policy) await logged?.();
  const uri = rolloutsUri(stage, step, refill, shard);
  const gathered = shard ? await deps.store.find(rolloutsUri(stage, step, refill)) : null;
  const published = isNew ? null : (gathered ?? (await deps.store.find(uri)));
  if (published) {
    const groups = await readLines<RolloutGroup>(deps.store, published);
    const other = groups.find(group => group.policy !== policy.name);
    if (other) throw new DivergenceError(uri, other.policy, policy.name, null);
    return { groups, published, uri };
  }

  const { sampling, groupSize, truncatedLogprobs } = phaseOf(spec, stage.stage).rl;
  const draws = shardOf(await drawPrompts(deps.store, spec, { ...input, policy }), spec, input);
  const { stopIds } = await textModelOf(deps, stage.run);
  const request = {
    prompts: draws.map(({ promptIds, seed }) => ({ ids: promptIds, seed })),
    group: groupSize,
    sampling: { ...sampling, stopIds, ...(truncatedLogprobs && { truncatedLogprobs }) },
  };
  const sampled = await generated(deps, policy, input, request, supervision, { logged, sampler });
  const groups = draws.map((draw, k): RolloutGroup => ({ ...draw, responses: sampled.groups[k]!.responses }));
  return { groups, published: null, uri };
}

interface SampleOptions {
  isNew?: boolean;
  logged?: (() => Promise<void>) | undefined;
  sampler?: Sampler | undefined;
}

/** By the policy, kept for this where another follows it already, else loaded. */
async function generated(
  deps: EngineDependencies,
  policy: PolicyRef,
  input: RolloutInput,
  request: GenerateRequest,
  supervision: Supervision,
  { logged, sampler }: SampleOptions,
): Promise<GenerateResult> {
  const { call, note } = supervision;
  const isOlder = policy !== input.policy;
  const kept = sampler ?? (isOlder ? await samplerOf(deps, policy, supervision) : null);
  if (kept) return kept.generate(request, call);
  await ensurePolicyLoaded(deps, policy, isOlder ? 'weights' : readiness(input), supervision, {
    logged,
    shards: input.shard?.of,
  });
  note(`sampling for step ${input.step}`);
  return deps.engine.call('generate', request, call);
}

/** What an engine that samples a shard need not have is the state of an optimiser that another goes on with. */
function readiness({ entry, shard }: RolloutInput) {
  if (entry) return 'fresh';
  return shard ? 'weights' : 'as-trained';
}

/** Those of the draws that the shard is of, by the tokens that each has at most. */
function shardOf<D extends { promptIds: number[] }>(draws: D[], spec: RunSpec, { stage, shard }: RolloutInput): D[] {
  if (!shard) return draws;
  const { sampling, groupSize } = phaseOf(spec, stage.stage).rl;
  const shards = shardsOf(
    draws.map(({ promptIds }) => promptIds.length + groupSize * sampling.maxNewTokens),
    shard.of,
  );
  return draws.filter((_, k) => shards[k] === shard.index);
}
