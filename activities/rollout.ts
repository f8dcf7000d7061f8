/**
 * Draws a round of prompts from the pool and samples a group of responses to each. Where the rule alone rewards them they
 * are scored at once, and the step's further rounds are drawn as that shows the need; elsewhere scoring waits for others,
 * which keeps no accelerator waiting.
 */
import type { PolicyRef } from '../workflows/contract.js';
import { promptsToDraw } from '../workflows/refills.js';
import { type Pool, type PromptItem, type RolloutGroup, readData } from './artifacts.js';
import type { EngineDependencies } from './dependencies.js';
import { epochDraw, permutation, randomStream } from './engine/random.js';
import { ensurePolicyLoaded } from './policy.js';
import { type ScoreResult, scoreRound } from './score.js';
import type { RunSpec } from './spec.js';
import {
  type ArtifactRef,
  DivergenceError,
  fenceOf,
  phaseNumber,
  publishLines,
  readJson,
  readLines,
  type StageAttempt,
  type Store,
  stepUri,
} from './store/index.js';
import { type Supervision, supervised } from './supervision.js';
import { textModelOf } from './text-model.js';

export interface RolloutInput {
  stage: StageAttempt;
  spec: ArtifactRef;
  data: ArtifactRef;
  pool: ArtifactRef;
  policy: PolicyRef;
  /** Whether the policy is the stage's entry policy, whose first update begins with a fresh optimiser. */
  entry: boolean;
  step: number;
  /** 0 for the step's first round. */
  refill: number;
  /** Position in the phase's sequence of draws, and how many prompts to take from there. */
  cursor: number;
  count: number;
}

export interface SampledRound {
  rollouts: ArtifactRef;
  newTokens: number;
  /** Where the rule alone rewards. Absent elsewhere, and in results of earlier versions: `score` is for them. */
  scored?: ScoreResult;
}

export interface RolloutResult extends SampledRound {
  /** The rounds that had to follow the first, in order; each is scored. */
  more?: SampledRound[];
}

export function rollout(deps: EngineDependencies) {
  return (input: RolloutInput): Promise<RolloutResult> =>
    supervised(`sampling for step ${input.step}`, async supervision => {
      const spec = await readJson<RunSpec>(deps.store, input.spec);
      const { promptsPerStep, maxRefills } = spec.phases[phaseNumber(input.stage.stage) - 1]!.rl;
      const first = await round(deps, spec, input, supervision);
      // A later round is asked for by itself where an earlier version made the first.
      if (!first.scored || input.refill > 0) return first;
      const more: SampledRound[] = [];
      const seen = { drawn: first.scored.groups, effective: first.scored.effective };
      while (more.length < maxRefills && seen.effective < promptsPerStep) {
        const [refill, cursor] = [more.length + 1, input.cursor + seen.drawn];
        const count = promptsToDraw(promptsPerStep, seen);
        const { scored, ...sampled } = await round(deps, spec, { ...input, refill, cursor, count }, supervision);
        more.push({ ...sampled, scored: scored! });
        seen.drawn += scored!.groups;
        seen.effective += scored!.effective;
      }
      return { ...first, more };
    });
}

/** One round, scored where the rule alone rewards. */
async function round(
  deps: EngineDependencies,
  spec: RunSpec,
  input: RolloutInput,
  supervision: Supervision,
): Promise<SampledRound> {
  const { stage, data, step, refill } = input;
  const { rollouts, groups } = await sampleRound(deps, spec, input, supervision);
  const responses = groups.flatMap(group => group.responses);
  const newTokens = responses.reduce((sum, response) => sum + response.ids.length, 0);
  if (deps.rewarder(spec.reward).asksOthers) return { rollouts, newTokens };
  const unscored = { stage, spec: input.spec, data, step, refill, rollouts };
  return { rollouts, newTokens, scored: await scoreRound(deps, unscored, supervision, groups) };
}

/** The round's rollouts: those published, else made and published now. */
async function sampleRound(
  deps: EngineDependencies,
  spec: RunSpec,
  input: RolloutInput,
  supervision: Supervision,
): Promise<{ rollouts: ArtifactRef; groups: RolloutGroup[] }> {
  const { stage, step, refill, policy } = input;
  const uri = stepUri(stage, step, `rollouts-${refill}.jsonl`);
  const published = await deps.store.find(uri);
  if (published) {
    const groups = await readLines<RolloutGroup>(deps.store, published);
    const other = groups.find(group => group.policy !== policy.name);
    if (other) throw new DivergenceError(uri, other.policy, policy.name, null);
    return { rollouts: published, groups };
  }

  const { sampling, groupSize } = spec.phases[phaseNumber(stage.stage) - 1]!.rl;
  const draws = await drawPrompts(deps.store, spec, input);
  await ensurePolicyLoaded(deps, policy, input.entry ? 'fresh' : 'as-trained', supervision);
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
  supervision.check();
  return { rollouts: await publishLines(deps.store, uri, groups, fenceOf(stage)), groups };
}

/** The prompts at the cursor: every epoch goes through the pool in an order of its own. */
async function drawPrompts(
  store: Store,
  spec: RunSpec,
  { stage, step, refill, cursor, count, data, pool, policy }: RolloutInput,
): Promise<Omit<RolloutGroup, 'responses'>[]> {
  const items = await readData<PromptItem>(store, data);
  const { entries } = await readJson<Pool>(store, pool);
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
