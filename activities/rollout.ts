/**
 * Draws a round of prompts from the pool and samples a group of responses to each. Where the rule alone rewards them they
 * are scored at once, and the step's further rounds are drawn as that shows the need; elsewhere scoring waits for others,
 * which keeps no accelerator waiting.
 */
import type { PolicyRef } from '../workflows/contract.js';
import { promptsToDraw } from '../workflows/refills.js';
import { type Pool, type PromptItem, type RolloutGroup, readData, readKept, type ScoredRollouts } from './artifacts.js';
import type { EngineDependencies } from './dependencies.js';
import { epochDraw, permutation, randomStream } from './engine/random.js';
import { ensurePolicyLoaded } from './policy.js';
import { Publications } from './publications.js';
import { effectiveOf, type ScoreResult, scoreRound } from './score.js';
import type { RunSpec } from './spec.js';
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
      const spec = await readKept<RunSpec>(deps.store, input.spec);
      const publications = new Publications();
      try {
        return await rounds(deps, spec, input, publications, supervision);
      } finally {
        await publications.over();
      }
    });
}

async function rounds(
  deps: EngineDependencies,
  spec: RunSpec,
  input: RolloutInput,
  publications: Publications,
  supervision: Supervision,
): Promise<RolloutResult> {
  const { promptsPerStep, maxRefills } = spec.phases[phaseNumber(input.stage.stage) - 1]!.rl;
  let last: Round | null = null;
  const next = async (part: Partial<RolloutInput> = {}) => {
    last = await round(deps, spec, { ...input, ...part }, last?.made ?? false, publications, supervision);
    return last;
  };
  const first = await next();
  // A later round is asked for by itself where an earlier version made the first.
  if (!first.scored || input.refill > 0) return first.published;
  const more: Round[] = [];
  const seen = { drawn: first.scored.length, effective: effectiveOf(first.scored) };
  while (more.length < maxRefills && seen.effective < promptsPerStep) {
    const [refill, cursor] = [more.length + 1, input.cursor + seen.drawn];
    const another = await next({ refill, cursor, count: promptsToDraw(promptsPerStep, seen) });
    more.push(another);
    seen.drawn += another.scored!.length;
    seen.effective += effectiveOf(another.scored!);
  }
  return { ...(await first.published), more: await Promise.all(more.map(({ published }) => published)) };
}

/** While it is being published. */
interface Round {
  /** Just now: so none after it is in the store. */
  made: boolean;
  /** Where the rule alone rewards. */
  scored: ScoredRollouts[] | null;
  published: Promise<SampledRound>;
}

/**
 * One round, scored where the rule alone rewards.
 * @param isNew it cannot be in the store
 */
async function round(
  deps: EngineDependencies,
  spec: RunSpec,
  input: RolloutInput,
  isNew: boolean,
  publications: Publications,
  supervision: Supervision,
): Promise<Round> {
  const { groups, made, publish } = await sampleRound(deps, spec, input, isNew, supervision);
  const rollouts = publications.add(publish);
  const responses = groups.flatMap(group => group.responses);
  const newTokens = responses.reduce((sum, response) => sum + response.ids.length, 0);
  if (deps.rewarder(spec.reward).asksOthers)
    return { made, scored: null, published: rollouts.then(ref => ({ rollouts: ref, newTokens })) };
  const round = await scoreRound(deps, input, supervision, { made, groups: async () => groups });
  const scored = publications.add(round.publish);
  const published = (async () => ({ rollouts: await rollouts, newTokens, scored: await scored }))();
  // As of any publication: it is heard of where it is waited for.
  published.catch(() => {});
  return { made, scored: round.groups, published };
}

/** The round's rollouts: those published, else made now. */
async function sampleRound(
  deps: EngineDependencies,
  spec: RunSpec,
  input: RolloutInput,
  isNew: boolean,
  supervision: Supervision,
): Promise<{ groups: RolloutGroup[]; made: boolean; publish: () => Promise<ArtifactRef> }> {
  const { stage, step, refill, policy } = input;
  const uri = stepUri(stage, step, `rollouts-${refill}.jsonl`);
  const published = isNew ? null : await deps.store.find(uri);
  if (published) {
    const groups = await readLines<RolloutGroup>(deps.store, published);
    const other = groups.find(group => group.policy !== policy.name);
    if (other) throw new DivergenceError(uri, other.policy, policy.name, null);
    return { groups, made: false, publish: async () => published };
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
  const publish = () => {
    supervision.check();
    return publishLines(deps.store, uri, groups, fenceOf(stage));
  };
  return { groups, made: true, publish };
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
