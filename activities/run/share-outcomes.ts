/** The activities by which a run of a study finds what others have come to, and shares what it comes to itself. */
import { type PromptItem, readData, readKept } from '../artifacts/index.js';
import type { EvaluationRow, PolicyRef } from '../contract/index.js';
import type { Dependencies, EngineDependencies } from '../dependencies.js';
import { metricOf } from '../evaluation/index.js';
import { codeVersion } from '../provenance/index.js';
import { evaluationReward } from '../rewards/index.js';
import type { RunSpec } from '../spec/index.js';
import { type ArtifactRef, baseUri, hashOf, phaseNumber, readJson, type StageAttempt } from '../store/index.js';
import { supervised } from '../supervision/index.js';
import { difficultiesOf, phaseOf, poolOf } from '../training/index.js';
import { keepOutcome, knownOutcome, type Outcome, shareOutcomeOf } from './outcomes.js';
import type { RunPlan } from './run-plan.js';

/** What a stage of training ends with. */
export interface StageOutcome {
  policy: PolicyRef;
  steps: number;
  /** Phases only. */
  difficulty?: ArtifactRef;
}

/** What a run is about to do. */
export interface FindOutcomeInput {
  run: string;
  spec: ArtifactRef;
  data: RunPlan['data'];
  /** That the stage begins with, or that is evaluated. */
  policy: PolicyRef;
  /** `warmup`, `phase-<k>`, or `evaluation.<label>`. */
  name: string;
  /** Of the phases before. */
  difficulties: ArtifactRef[];
}

export interface FoundOutcome<T> {
  key: string;
  known: Outcome<T> | null;
}

/** Asked of an engine: what another kind of processor came to is not what this one would come to. */
export function findOutcome(deps: EngineDependencies) {
  return (input: FindOutcomeInput): Promise<FoundOutcome<StageOutcome | EvaluationRow[]>> =>
    supervised(`looking for ${input.name}`, async () => {
      const key = hashOf(await decisive(deps, input));
      const known = await knownOutcome<StageOutcome | EvaluationRow[]>(deps.store, key, needs);
      if (known) await keepOutcome(deps.store, input.run, known);
      return { key, known };
    });
}

export interface ShareOutcomeInput {
  run: string;
  key: string;
  name: string;
  seconds: number;
  result: StageOutcome | EvaluationRow[];
}

export function shareOutcome(deps: Dependencies) {
  return ({ run, ...made }: ShareOutcomeInput): Promise<void> =>
    supervised(`sharing ${made.name}`, () => shareOutcomeOf(deps.store, run, made));
}

function needs(result: StageOutcome | EvaluationRow[]): string[] {
  if (Array.isArray(result)) return result.map(({ uri }) => uri);
  return [result.policy.uri, ...(result.difficulty ? [result.difficulty.uri] : [])];
}

/** All that decides what a stage or an evaluation comes to: no more, for what differs elsewhere is to be shared. */
async function decisive(
  { store, numerics }: EngineDependencies,
  { run, spec: ref, data, policy, name, difficulties }: FindOutcomeInput,
) {
  const spec = await readKept<RunSpec>(store, ref);
  const base = await readJson<PolicyRef>(store, (await store.find(baseUri(run)))!);
  const common = {
    kind: name,
    code: codeVersion(),
    numerics: numerics?.sha256 ?? null,
    // With its tokenizer, which the weights' hash says nothing of.
    base: (await store.recorded(base.uri)) ?? base.sha256,
    policy: { name: policy.name, sha256: policy.sha256 },
  };
  if (name.startsWith('evaluation.')) return { ...common, ...evaluated(spec, data) };
  const trained = { ...common, seed: spec.seed, microBatchTokens: spec.engine.microBatchTokens };
  if (name === 'warmup') {
    const { epochs, batchSize, optimizer } = spec.warmup!;
    return { ...trained, data: data.warmup!.sha256, epochs, batchSize, optimizer };
  }
  const { steps, rl } = phaseOf(spec, name);
  const stage: StageAttempt = { run, stage: name, attempt: 1 };
  const items = await readData<PromptItem>(store, data.train);
  // What is carried over is decided by settings that matter through this alone.
  const { band, entries } = poolOf(stage, spec, items, await difficultiesOf(store, difficulties));
  const { remeasure } = spec.retrospective;
  const again = phaseNumber(name) > 1 && remeasure ? { remeasure } : {};
  const pool = hashOf({ band, entries });
  return { ...trained, data: data.train.sha256, pool, ...again, steps, rl, reward: spec.reward };
}

function evaluated({ seed, evaluation, reward }: RunSpec, data: RunPlan['data']) {
  const { samples, sampling, sets } = evaluation;
  return {
    // The likeliest answer is the same whatever the seed.
    seed: sampling.temperature === 0 ? null : seed,
    samples,
    sampling,
    reward: evaluationReward(reward),
    sets: data.sets.map(({ name, data }) => {
      const written = sets.find(set => set.name === name);
      return { name, data: data.sha256, metric: written ? metricOf(written) : 'custom' };
    }),
  };
}
