/** What a run needs of the training service that its spec leaves it to. */
import type { ServiceNeeds } from '../engine/protocol/index.js';
import { adapterOf, type RunSpec } from '../spec/index.js';
import { lossSettings } from '../training/index.js';
import type { RunDataSummary } from './data-summary.js';

/** @returns null where the workers themselves train */
export function serviceNeeds(spec: RunSpec, data: RunDataSummary): ServiceNeeds | null {
  const { engine, phases, warmup, evaluation } = spec;
  if (engine.kind !== 'tinker') return null;
  const evaluated = evaluation.sets.length > 0;
  const lengths = [
    ...data.phases.map(({ tokens }, k) => (tokens?.most ?? 0) + phases[k]!.rl.sampling.maxNewTokens),
    ...data.sets.map(({ tokens }) => (tokens?.most ?? 0) + evaluation.sampling.maxNewTokens),
    data.warmup?.tokens?.most ?? 0,
  ];
  return {
    model: engine.model,
    adapter: adapterOf(spec),
    contextLength: Math.max(...lengths),
    losses: phases.map(({ rl }) => lossSettings(rl)),
    optimizers: [...(warmup ? [warmup.optimizer] : []), ...phases.map(({ rl }) => rl.optimizer)],
    samplings: [...phases.map(({ rl }) => rl.sampling), ...(evaluated ? [evaluation.sampling] : [])].map(sampling => ({
      ...sampling,
      stopIds: [],
    })),
    ...(phases.some(({ rl }) => rl.overlap) && { overlap: true }),
  };
}
