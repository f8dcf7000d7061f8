/** Training steps: the losses of our own engine, taken on the service. */
import { checkGroups, checkRollouts } from '../process/index.js';
import { EngineLostError, type EngineOperations, type SftRequest, type UpdateRequest } from '../protocol/index.js';
import { policyMetrics, policySlopes, rulesOf, sftBatch, tokenTargets } from '../training/index.js';
import { configOf, type Operating } from './operation.js';
import { expectTemperatureOne } from './scores.js';
import { type Step, takeStep } from './step.js';

export async function sft(operating: Operating, request: SftRequest): Promise<EngineOperations['sft'][1]> {
  const { groups, weights } = sftBatch(request.examples);
  return step(operating, {
    ...request,
    groups,
    measure: async logprobs => ({
      slopes: Float64Array.from(weights, weight => -weight),
      metrics: { loss: -logprobs.reduce((sum, logprob, t) => sum + weights[t]! * logprob, 0) },
    }),
  });
}

export async function update(operating: Operating, request: UpdateRequest): Promise<EngineOperations['update'][1]> {
  const { loss } = request;
  expectTemperatureOne(loss.temperature || 1);
  if (loss.kl) operating.policy.referenceModel();
  checkRollouts(request, true);
  return step(operating, {
    ...request,
    groups: request.groups.map(({ promptIds, responses }) => ({ promptIds, responses: responses.map(r => r.ids) })),
    measure: async (logprobs, score) => {
      const targets = tokenTargets(request.groups, loss, {
        current: rulesOf(loss.algorithm).ratio === 'sequence' ? logprobs : null,
        reference: loss.kl ? await withReference(operating, score) : null,
      });
      const { reward, effectiveGroups } = targets;
      return {
        slopes: policySlopes(logprobs, targets, loss),
        metrics: { ...policyMetrics(logprobs, targets, loss), reward, effectiveGroups },
      };
    },
  });
}

async function step<M extends { loss: number }>(operating: Operating, { tag, groups, optimizer, measure }: Step<M>) {
  const started = performance.now();
  const { policy, signal } = operating;
  const held = await policy.ready(signal);
  checkGroups(groups, await configOf(held.state.directory));
  const progress = (done: number, total: number) => operating.progress(done, total, 'micro-batches');
  const metrics = await takeStep({ ...operating, progress }, held, { tag, groups, optimizer, measure });
  return { ...metrics, seconds: (performance.now() - started) / 1000 };
}

/** A reference that the service lost is to be loaded again. */
async function withReference({ policy }: Operating, score: () => Promise<Float32Array>): Promise<Float32Array> {
  try {
    return await score();
  } catch (error) {
    if (error instanceof EngineLostError) await policy.dropReference();
    throw error;
  }
}
