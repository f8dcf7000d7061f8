/**
 * One optimiser step on the service. Whatever the loss, it is taken by the one loss function that means the same everywhere:
 * importance sampling against the trainer's own log-probabilities, whose ratio is 1 and whose gradient is each token's
 * advantage times that of its log-probability. So one more forward pass gives the log-probabilities, from which the loss's
 * derivative by each is worked out here (loss-slopes.ts) and sent as the advantage, the service's own reduction undone.
 *
 * A service that does not clip is clipped from here: its metric tells the gradient's length when the step is already taken,
 * so a step that was too long is taken back (policy.ts) and taken again with a gradient as much shorter.
 */
import type { PromptGroup } from '../model/index.js';
import { expectFinite } from '../process/index.js';
import { EngineLostError, type OptimizerSettings, type StepMetrics } from '../protocol/index.js';
import { clipScale } from '../training/index.js';
import type { HeldModel } from './held-model.js';
import type { Policy } from './policy.js';
import { factors } from './reduction.js';
import { type AdamParams, chunks } from './remote-model.js';
import type { Service } from './wire/service.js';

export interface Step<M> {
  groups: readonly PromptGroup[];
  optimizer: OptimizerSettings;
  /** Of the policy after it. */
  tag: string;
  /**
   * @param logprobs of every response token, in the groups' order
   * @param score the same under the reference policy
   * @returns dLoss/dlog p of each, and what is reported of them
   */
  measure(logprobs: Float32Array, score: () => Promise<Float32Array>): Promise<{ slopes: Float64Array; metrics: M }>;
}

export interface StepContext {
  service: Service;
  policy: Policy;
  signal: AbortSignal | undefined;
  /** Said after each part of the work. */
  progress(done: number, total: number): void;
}

const PARTS = 4;
/** A gradient that is longer by less than rounding is as long as it may be. */
const ROUNDING = 1e-6;

/** @param held the policy, looked at just now */
export async function takeStep<M extends { loss: number }>(
  context: StepContext,
  held: HeldModel,
  step: Step<M>,
): Promise<M & Omit<StepMetrics, 'seconds'>> {
  const { policy, service, signal, progress } = context;
  const { tag, groups, optimizer } = step;
  const before = held.state;
  const { breaks } = service;
  const sequences = sequencesOf(groups);
  progress(0, PARTS);

  const logprobs = await held.calls(signal).forward(sequences);
  const tokens = responseTokens(groups, logprobs);
  const score = async () => responseTokens(groups, await policy.referenceModel().forward(sequences));
  const { slopes, metrics } = await step.measure(tokens, score);
  expectFinite('loss', metrics.loss);
  progress(1, PARTS);

  const taken = async (model: HeldModel, scale: number) => {
    await model.record({ kind: 'open' });
    await model.calls(signal).gradient(gradientCalls(groups, logprobs, slopes, scale, model));
    progress(2, PARTS);
    const norm = (await model.calls(signal).optimStep(adamOf(optimizer, model)))[model.state.meaning.normMetric];
    progress(3, PARTS);
    if (!Number.isFinite(norm)) {
      await policy.takeBack(model, null, signal);
      expectFinite('gradient norm', norm ?? Number.NaN);
    }
    if (norm === 0 && slopes.some(slope => slope !== 0))
      throw new EngineLostError(
        `${service.name} took a step without the gradient that it was given: it is taken again`,
      );
    return norm!;
  };
  let [after, scale] = [held, before.clip?.tag === tag ? before.clip.scale : 1];
  let norm = await taken(after, scale);
  const shorter = before.meaning.clips || scale !== 1 ? 1 : clipScale(optimizer, norm);
  if (shorter < 1 - ROUNDING) {
    // The same weights as before, so what they gave is still theirs.
    [after, scale] = [await policy.takeBack(after, { tag, scale: shorter }, signal), shorter];
    norm = await taken(after, scale);
  }
  const left = after.state;
  await after.done({ tag, step: before.step + 1 }, breaks, signal);
  await policy.forgetUnkept(left);
  progress(PARTS, PARTS);
  return {
    ...metrics,
    gradNorm: norm / scale,
    // A service tells no distributions; of tokens that the policy sampled this is its entropy's estimate.
    entropy: -tokens.reduce((sum, logprob) => sum + logprob, 0) / tokens.length,
    tokens: tokens.length,
    optimizerStep: before.step + 1,
  };
}

/** Prompt and response of each response, in the groups' order. */
export const sequencesOf = (groups: readonly PromptGroup[]): number[][] =>
  groups.flatMap(({ promptIds, responses }) => responses.map(ids => [...promptIds, ...ids]));

/** Of each sequence's targets those that are its response's. */
export function responseTokens(groups: readonly PromptGroup[], logprobs: readonly Float32Array[]): Float32Array {
  let next = 0;
  const parts = groups.flatMap(({ promptIds, responses }) =>
    responses.map(() => logprobs[next++]!.subarray(promptIds.length - 1)),
  );
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function gradientCalls(
  groups: readonly PromptGroup[],
  logprobs: readonly Float32Array[],
  slopes: Float64Array,
  scale: number,
  { state }: HeldModel,
) {
  const sequences = sequencesOf(groups);
  const starts = groups.flatMap(({ promptIds, responses }) => responses.map(() => promptIds.length - 1));
  let next = 0;
  const data = sequences.map((tokens, i) => {
    const advantages = new Float64Array(tokens.length - 1);
    for (let t = starts[i]!; t < advantages.length; t++) advantages[t] = -scale * slopes[next++]!;
    return { tokens, inputs: { logprobs: logprobs[i]!, advantages } };
  });
  const calls = chunks(data);
  const undone = factors(
    state.meaning.reduction,
    calls.map(call => call.map(({ tokens }) => tokens.length - 1)),
  );
  return calls.map((call, i) =>
    call.map(({ tokens, inputs }, j) => ({
      tokens,
      inputs: { ...inputs, advantages: inputs.advantages.map(advantage => advantage * undone[i]![j]!) },
    })),
  );
}

function adamOf(settings: OptimizerSettings, { state }: HeldModel): AdamParams {
  const { learningRate, beta1, beta2, epsilon, weightDecay, maxGradNorm } = settings;
  return {
    learning_rate: learningRate,
    beta1,
    beta2,
    eps: epsilon,
    weight_decay: weightDecay,
    ...(state.meaning.clips && maxGradNorm > 0 && { grad_clip_norm: maxGradNorm }),
  };
}
