/** What a service does where the protocol leaves it open: found by trial, never told by its name. */
import type { Reduction } from './reduction.js';

export interface Meaning {
  reduction: Reduction;
  /** The metric of optim_step that is the gradient's L2 norm before any clipping. */
  normMetric: string;
  /** Whether the service clips at `grad_clip_norm`; else it is done from here (step.ts). */
  clips: boolean;
  /** Whether sampled log-probabilities are those at the sampling temperature, or at 1. Training is always at 1. */
  sampledAt: 'temperature' | 'one';
  /** What it scales adapters by: alpha over rank. */
  alpha: number;
  /** The linear layers that its adapters have, by the last parts of their names. */
  modules: string[];
  /** Whether gradients of a model that was unloaded reach the next one. */
  leavesGradients: boolean;
  /** The largest difference between log-probabilities of equal calls, and of a sequence alone and beside others; in nats. */
  spread: number;
  /** How far equal steps come apart, relative. */
  tolerance: number;
}

/** In words, for people. */
export function meaningText({ reduction, clips, sampledAt, alpha, leavesGradients, spread }: Meaning): string {
  return [
    `gradients: ${reduction.divisor}${reduction.divisor === 'sum' ? '' : ` of a ${reduction.over}`}`,
    clips ? 'clips gradients' : 'clips no gradients (done from here)',
    `samples' log-probabilities at ${sampledAt === 'one' ? 'temperature 1' : 'the sampling temperature'}`,
    `alpha ${alpha}`,
    ...(leavesGradients ? ['leaves gradients of unloaded models behind (washed away from here)'] : []),
    `equal calls within ${spread.toExponential(1)}`,
  ].join('; ');
}
