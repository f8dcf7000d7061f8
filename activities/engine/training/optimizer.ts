/** AdamW (arXiv 1711.05101, algorithm 2) as an ONNX graph over flat tensors, with global-norm clipping. */
import type * as ort from 'onnxruntime-node';
import type { Tensors } from '../files/index.js';
import type { OptimizerState } from '../folders/index.js';
import { CompiledGraph, floatData, floats, Graph, type SessionSettings, type Value } from '../graph/index.js';
import type { OptimizerSettings } from '../protocol/index.js';

/** Scalars of one step, worked out in 64 bits outside the graph. */
const SCALARS = [
  'gradient_scale',
  'beta1',
  'one_minus_beta1',
  'beta2',
  'one_minus_beta2',
  'step_size',
  'epsilon',
  'root_correction',
  'decay',
] as const;

/** Elements of one run: so few that what its operators hand on stays in the processor's cache. */
const PIECE = 131_072;

/**
 * p <- p decay - step_size m / (sqrt(v) / root_correction + epsilon), with m and v the moments after this gradient.
 * Written as torch.optim.AdamW orders it: step_size = lr / (1 - beta1^t), root_correction = sqrt(1 - beta2^t).
 */
function adamwGraph(): Graph {
  const g = new Graph('adamw');
  const flat = (name: string): Value => g.input(name, 'float32', ['n']);
  const [parameter, gradient, m, v] = [flat('parameter'), flat('gradient'), flat('m'), flat('v')];
  // One feed for all: for small tensors a run's cost is that of handing over its feeds.
  const fed = g.input('scalars', 'float32', [SCALARS.length]);
  const scalars = Object.fromEntries(
    SCALARS.map((name, i) => [name, g.op('Gather', [fed, g.scalar(i, 'int64')], { axis: 0 })]),
  ) as Record<(typeof SCALARS)[number], Value>;
  const mul = (a: Value, b: Value): Value => g.op('Mul', [a, b]);
  const add = (a: Value, b: Value): Value => g.op('Add', [a, b]);
  const scaled = mul(gradient, scalars.gradient_scale);
  const newM = add(mul(m, scalars.beta1), mul(scaled, scalars.one_minus_beta1));
  const newV = add(mul(v, scalars.beta2), mul(mul(scaled, scaled), scalars.one_minus_beta2));
  const denominator = add(g.op('Div', [g.op('Sqrt', [newV]), scalars.root_correction]), scalars.epsilon);
  const change = mul(g.op('Div', [newM, denominator]), scalars.step_size);
  g.output('new_parameter', g.op('Sub', [mul(parameter, scalars.decay), change]));
  g.output('new_m', newM);
  g.output('new_v', newV);
  return g;
}

/** L2 norm over all gradients, in the map's order, in 64 bits. */
export function gradientNorm(gradients: Tensors): number {
  let squares = 0;
  for (const { data } of gradients.values()) {
    // One partial sum a tensor keeps the error of long sums small and the order fixed.
    let partial = 0;
    for (let i = 0; i < data.length; i++) partial += data[i]! * data[i]!;
    squares += partial;
  }
  return Math.sqrt(squares);
}

/** What a gradient of that norm is scaled by, as torch.nn.utils.clip_grad_norm_ does: max / (norm + 1e-6), never up. */
export const clipScale = ({ maxGradNorm }: Pick<OptimizerSettings, 'maxGradNorm'>, norm: number): number =>
  maxGradNorm > 0 ? Math.min(1, maxGradNorm / (norm + 1e-6)) : 1;

export class AdamW {
  private constructor(private readonly graph: CompiledGraph) {}

  static async create(settings: SessionSettings): Promise<AdamW> {
    return new AdamW(await CompiledGraph.compile(adamwGraph(), settings));
  }

  /**
   * One step over all parameters, in place, and over the moments; counts the step.
   *
   * @param gradients under the parameters' names; scaled to `maxGradNorm` where their norm `norm` exceeds it
   */
  async step(
    parameters: Tensors,
    gradients: Tensors,
    norm: number,
    state: OptimizerState,
    settings: OptimizerSettings,
  ): Promise<void> {
    const t = state.step + 1;
    const scalars: Record<(typeof SCALARS)[number], number> = {
      gradient_scale: clipScale(settings, norm),
      beta1: settings.beta1,
      one_minus_beta1: 1 - settings.beta1,
      beta2: settings.beta2,
      one_minus_beta2: 1 - settings.beta2,
      step_size: settings.learningRate / (1 - settings.beta1 ** t),
      epsilon: settings.epsilon,
      root_correction: Math.sqrt(1 - settings.beta2 ** t),
      decay: 1 - settings.learningRate * settings.weightDecay,
    };
    const fed = {
      scalars: floats(
        Float32Array.from(SCALARS, name => scalars[name]),
        [SCALARS.length],
      ),
    };
    for (const [name, { data, shape }] of parameters) {
      const moment = (of: Tensors): Float32Array => {
        const known = of.get(name) ?? { shape, data: new Float32Array(data.length) };
        of.set(name, known);
        return known.data;
      };
      const [m, v] = [moment(state.m), moment(state.v)];
      const gradient = gradients.get(name)!.data;
      for (let start = 0; start < data.length; start += PIECE) {
        const piece = (of: Float32Array): ort.Tensor => {
          const part = of.subarray(start, start + PIECE);
          return floats(part, [part.length]);
        };
        const results = await this.graph.run({
          ...fed,
          parameter: piece(data),
          gradient: piece(gradient),
          m: piece(m),
          v: piece(v),
        });
        data.set(floatData(results, 'new_parameter'), start);
        m.set(floatData(results, 'new_m'), start);
        v.set(floatData(results, 'new_v'), start);
      }
    }
    state.step = t;
  }

  release(): Promise<void> {
    return this.graph.release();
  }
}
