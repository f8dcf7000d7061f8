/**
 * Draws a round of prompts from the pool and samples a group of responses to each. By itself where others are asked for
 * rewards, which keeps no accelerator waiting for them; else as a part of a whole step (see train-steps.ts).
 */
import { type Pool, type PromptItem, type RolloutGroup, readData, readKept } from '../artifacts/index.js';
import type { PolicyRef } from '../contract/index.js';
import type { EngineDependencies } from '../dependencies.js';
import { epochDraw, permutation, randomStream } from '../engine/random.js';
import { ensurePolicyLoaded, textModelOf } from '../policies/index.js';
import type { RunSpec } from '../spec/index.js';
import {
  type ArtifactRef,
  DivergenceError,
  fenceOf,
  phaseNumber,
  publishLines,
  readLines,
  type StageAttempt,
  type Store,
  stepUri,
} from '../store/index.js';
import { type Supervision, supervised } from '../supervision/index.js';
import { timed } from '../telemetry/index.js';
import type { ScoreResult } from './score.js';

/** A step that is to be made from the policy before it. */
export interface StepInput {
  stage: StageAttempt;
  spec: ArtifactRef;
  data: ArtifactRef;
  pool: ArtifactRef;
  policy: PolicyRef;
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

/**
 * The round's groups: those published, with the reference; else made now.
 * @param before `isNew`: it cannot be in the store; `logged`: awaited before the log is read
 */
export async function sampleRound(
  deps: EngineDependencies,
  spec: RunSpec,
  input: RolloutInput,
  supervision: Supervision,
  { isNew = false, logged }: { isNew?: boolean; logged?: () => Promise<void> } = {},
): Promise<{ groups: RolloutGroup[]; published: ArtifactRef | null; uri: string }> {
  const { stage, step, refill, policy } = input;
  const uri = stepUri(stage, step, `rollouts-${refill}.jsonl`);
  const published = isNew ? null : await deps.store.find(uri);
  if (published) {
    const groups = await readLines<RolloutGroup>(deps.store, published);
    const other = groups.find(group => group.policy !== policy.name);
    if (other) throw new DivergenceError(uri, other.policy, policy.name, null);
    return { groups, published, uri };
  }

  const { sampling, groupSize } = spec.phases[phaseNumber(stage.stage) - 1]!.rl;
  const draws = await drawPrompts(deps.store, spec, input);
  await ensurePolicyLoaded(deps, policy, input.entry ? 'fresh' : 'as-trained', supervision, logged);
  supervision.note(`sampling for step ${step}`);
  const { stopIds } = await textModelOf(deps, stage.run);
  const sampled = await deps.engine.call(
    'generate',
    {
      prompts: draws.map(({ promptIds, seed }) => ({ ids: promptIds, seed })),
      group: groupSize,
      sampling: { ...sampling, stopIds },
    },
    supervision.call,
  );
  const groups = draws.map((draw, k): RolloutGroup => ({ ...draw, responses: sampled.groups[k]!.responses }));
  return { groups, published: null, uri };
}

/** The prompts at the cursor: every epoch goes through the pool in an order of its own. */
async function drawPrompts(
  store: Store,
  spec: RunSpec,
  { stage, step, refill, cursor, count, data, pool, policy }: RolloutInput,
): Promise<Omit<RolloutGroup, 'responses'>[]> {
  const items = await readData<PromptItem>(store, data);
  const { entries } = await readKept<Pool>(store, pool);
  const orders = new Map<number, number[]>();
  const orderOf = (epoch: number) => {
    const order =
      orders.get(epoch) ??
      permutation(entries.length, randomStream(spec.seed, stage.stage, stage.attempt, 'epoch', epoch));
    orders.set(epoch, order);
    return order;
  };
  return Array.from({ length: count }, (_, k) => {
    const at = cursor + k;
    const { id, index, origin } = entries[epochDraw(at, entries.length, orderOf)]!;
    const seed = [spec.seed, stage.stage, stage.attempt, step, refill, at, id].join('/');
    return { policy: policy.name, id, index, origin, cursor: at, seed, promptIds: items[index]!.promptIds };
  });
}
