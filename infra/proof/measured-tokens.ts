/**
 * The tokens of a step's responses, measured again under the policy that sampled them: what its log does not keep. Kept
 * in the store beside the run, a file a round, a line a group as the round's rollouts have them.
 */
import { type RolloutGroup, sampledBy, type UpdateRecord } from '../../activities/artifacts/index.js';
import type { PolicyDependencies } from '../../activities/dependencies.js';
import type { ScoreRequest } from '../../activities/engine/protocol/index.js';
import { ensurePolicyLoaded } from '../../activities/policies/index.js';
import { type CodeVersion, codeVersion } from '../../activities/provenance/index.js';
import { linesText, readLines, type StageAttempt, type Store, storeUri } from '../../activities/store/index.js';
import type { Supervision } from '../../activities/supervision/index.js';

export interface MeasuredGroup {
  id: string;
  /** Name of the policy that sampled, under which this was measured. */
  policy: string;
  /**
   * By response the trainer's log-probability of each token, natural log, at the temperature of sampling: among all tokens,
   * or where the step was trained within the nucleus, among those that it keeps.
   */
  logprobs: number[][];
  /** Likewise the entropy of that distribution, in nats; null of a training service. */
  entropies: number[][] | null;
  /** What measured. */
  code: CodeVersion;
}

type StepOf = Pick<UpdateRecord, 'stage' | 'step' | 'inputs'>;

const uriOf = ({ run, stage, attempt }: StageAttempt, step: number, round: number): string =>
  storeUri('runs', run, 'tokens', `${stage}.${attempt}.${step}.${round}.jsonl`);

/** Of 32 bits. */
const DIGITS = 8;
const short = (values: readonly number[]): number[] => values.map(value => Number(value.toPrecision(DIGITS)));

export async function isMeasured(store: Store, { stage, step, inputs }: StepOf): Promise<boolean> {
  const rounds = await Promise.all(inputs.rounds.map((_, round) => store.has(uriOf(stage, step, round))));
  return rounds.every(isThere => isThere);
}

/** Measures all rounds of a step that are not measured yet. @returns how many groups they have */
export async function measureTokens(
  deps: PolicyDependencies,
  { stage, step, inputs }: StepOf,
  supervision: Supervision,
): Promise<number> {
  const { store, engine, numerics } = deps;
  const code = codeVersion(numerics);
  let groups = 0;
  for (const [round, { rollouts }] of inputs.rounds.entries()) {
    if (await store.has(uriOf(stage, step, round))) continue;
    const sampled = await readLines<RolloutGroup>(store, rollouts);
    groups += sampled.length;
    await ensurePolicyLoaded(deps, sampledBy(inputs, round), 'weights', supervision);
    const { logprobs, entropies } = await engine.call(
      'score',
      {
        groups: sampled.map(({ promptIds, responses }) => ({ promptIds, responses: responses.map(({ ids }) => ids) })),
        ...distributionOf(inputs),
        entropies: true,
      },
      supervision.call,
    );
    const lines = sampled.map(
      ({ id, policy }, k): MeasuredGroup => ({
        ...{ id, policy, logprobs: logprobs[k]!.map(short) },
        ...{ entropies: entropies ? entropies[k]!.map(short) : null, code },
      }),
    );
    await store.publishText(uriOf(stage, step, round), linesText(lines));
  }
  return groups;
}

/** Null of a step that is not measured. @throws what reading a damaged file throws */
export async function measuredTokens(
  store: Store,
  stage: StageAttempt,
  step: number,
  round: number,
): Promise<MeasuredGroup[] | null> {
  const ref = await store.find(uriOf(stage, step, round));
  return ref && readLines<MeasuredGroup>(store, ref);
}

/** Which the step's log-probabilities are of, its sampler's too. Those of greedy responses are at temperature 1. */
function distributionOf({ settings }: StepOf['inputs']): Pick<ScoreRequest, 'temperature' | 'truncation'> {
  if (settings.kind !== 'rl') return { temperature: 1 };
  const { temperature, truncation } = settings.loss;
  return { temperature: temperature || 1, ...(truncation && { truncation }) };
}
