/** A model in the stand-in's memory: adapter, Adam's moments, and the gradients that wait for a step. */
import type { Tensors } from '../../../activities/engine/files/index';
import type { Adapter } from '../../../activities/engine/model/index';
import type { Behaviour } from './behaviour';
import { copyOf } from './compute';

/** Of one datum: the plain sum over its tokens. */
export interface Pending {
  call: number;
  length: number;
  gradients: Tensors;
}

export interface AdamParams {
  learning_rate: number;
  beta1: number;
  beta2: number;
  eps: number;
  weight_decay: number;
  grad_clip_norm?: number;
}

/** What a checkpoint holds. */
export interface Weights {
  adapter: Adapter;
  m: Tensors;
  v: Tensors;
  count: number;
}

export const cloned = ({ adapter, m, v, count }: Weights): Weights => ({
  adapter: { ...adapter, tensors: copyOf(adapter.tensors) },
  m: copyOf(m),
  v: copyOf(v),
  count,
});

export const freshOptimizer = (adapter: Adapter): Weights => {
  const zeros = new Map(
    [...adapter.tensors].map(([name, { shape, data }]) => [name, { shape, data: new Float32Array(data.length) }]),
  );
  return { adapter, m: zeros, v: copyOf(zeros), count: 0 };
};

export function reduced(pending: readonly Pending[], { reduction, reducedOver }: Behaviour): Tensors {
  const sum: Tensors = new Map();
  for (const { call, length, gradients } of pending) {
    const all = pending.filter(other => reducedOver === 'step' || other.call === call).map(other => other.length);
    const divisor = {
      sum: 1,
      'mean of means': length * all.length,
      'mean of sums': all.length,
      'sum of means': length,
      'token mean': all.reduce((a, b) => a + b, 0),
    }[reduction];
    for (const [name, { shape, data }] of gradients) {
      const total = sum.get(name) ?? { shape, data: new Float32Array(data.length) };
      for (let i = 0; i < data.length; i++) total.data[i]! += data[i]! / divisor;
      sum.set(name, total);
    }
  }
  return sum;
}

export const normOf = (gradients: Tensors): number =>
  Math.sqrt([...gradients.values()].reduce((sum, { data }) => data.reduce((s, x) => s + x * x, sum), 0));

/** Adam with decoupled decay, in 64 bits between what is kept in 32. */
export function adam(weights: Weights, gradients: Tensors, params: AdamParams, scale: number): void {
  const { learning_rate: rate, beta1, beta2, eps, weight_decay: decay } = params;
  weights.count++;
  const [c1, c2] = [1 - beta1 ** weights.count, 1 - beta2 ** weights.count];
  for (const [name, { data }] of weights.adapter.tensors) {
    const [m, v, g] = [weights.m.get(name)!.data, weights.v.get(name)!.data, gradients.get(name)?.data];
    for (let i = 0; i < data.length; i++) {
      const gradient = scale * (g?.[i] ?? 0);
      m[i] = beta1 * m[i]! + (1 - beta1) * gradient;
      v[i] = beta2 * v[i]! + (1 - beta2) * gradient * gradient;
      data[i] = data[i]! * (1 - rate * decay) - (rate * (m[i]! / c1)) / (Math.sqrt(v[i]! / c2) + eps);
    }
  }
}
