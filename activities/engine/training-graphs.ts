/**
 * The graphs of scoring and training, each over a stretch of the model's layers: forward alone; backward with the forward
 * computed again; and the last stretch, where head and loss follow, forward and backward in one. Over all layers the last
 * is the whole model's training step.
 */
import { packedAttention } from './attention.js';
import { type DecoderConfig, expectedTensors } from './config.js';
import {
  decoderLayers,
  EMBEDDING_WEIGHT,
  FINAL_NORM_WEIGHT,
  finalNorm,
  HEAD_WEIGHT,
  rotaryInputs,
  type Weight,
  weightInputs,
} from './decoder.js';
import { backpropagate, type Seed } from './graph/gradients.js';
import { Graph, type Value } from './graph/graph.js';
import { type Head, lossOfRows, scoreRows } from './head.js';
import { type Objective, TOKEN_LOSSES } from './losses.js';

/** What a graph does with a stretch of layers; the last stretch's is named for the objective it ends in. */
export type GraphKind = 'forward' | 'backward' | 'score' | Objective;

const GRADIENT_PREFIX = 'gradient of ';
export const gradientName = (value: string): string => GRADIENT_PREFIX + value;
/** The name of what a result is the gradient of; null where it is something else. */
export const gradientOf = (result: string): string | null =>
  result.startsWith(GRADIENT_PREFIX) ? result.slice(GRADIENT_PREFIX.length) : null;

/** A stretch of `count` layers, under the names of the model's first `count`. */
interface Stretch {
  g: Graph;
  count: number;
  weight: Weight;
  /** [T, H] */
  x: Value;
  /** [T, H] */
  result: Value;
}

export class TrainingGraphs {
  constructor(private readonly config: DecoderConfig) {}

  build(kind: GraphKind, tile: number, count: number): Graph {
    const g = new Graph(`${kind} of ${count} layers at tile ${tile}`);
    const stretch = this.stretch(g, tile, count);
    switch (kind) {
      case 'forward':
        g.output('y', stretch.result);
        break;
      case 'backward':
        this.backward(stretch);
        break;
      case 'score':
        this.score(stretch);
        break;
      default:
        this.last(stretch, kind);
    }
    return g;
  }

  /** `x` and `gradient of y` -> `gradient of x` and of the stretch's weights. */
  private backward({ g, count, weight, x, result }: Stretch): void {
    const gradient = g.input(gradientName('y'), 'float32', x.shape);
    this.outputGradients(g, [{ value: result, gradient }], x, this.layerWeights(count), weight);
  }

  /** `x` -> log-probabilities, entropies, `gradient of x` and of the stretch's weights, the final norm's and the head's. */
  private last({ g, count, weight, x, result }: Stretch, objective: Objective): void {
    const head = this.head(g, weight, result);
    const { logprobs, entropies, gradients } = lossOfRows(g, head, TOKEN_LOSSES[objective], true);
    g.output('logprobs', logprobs);
    g.output('entropies', entropies);
    g.output(gradientName(HEAD_WEIGHT(this.config)), gradients.weight!);
    const trained = [...this.layerWeights(count), FINAL_NORM_WEIGHT];
    this.outputGradients(g, [{ value: head.hidden, gradient: gradients.hidden }], x, trained, weight);
  }

  /** `x` -> log-probabilities and entropies. */
  private score({ g, weight, result }: Stretch): void {
    const { logprobs, entropies } = scoreRows(g, this.head(g, weight, result));
    g.output('logprobs', logprobs);
    g.output('entropies', entropies);
  }

  /** Names of the weights of `count` layers. */
  private layerWeights(count: number): string[] {
    const outside = [EMBEDDING_WEIGHT, FINAL_NORM_WEIGHT, HEAD_WEIGHT(this.config)];
    return [...expectedTensors({ ...this.config, layers: count }).keys()].filter(name => !outside.includes(name));
  }

  private stretch(g: Graph, tile: number, count: number): Stretch {
    const { config } = this;
    const x = g.input('x', 'float32', ['T', config.hiddenSize]);
    const weight = weightInputs(g, expectedTensors({ ...config, layers: count }));
    const attend = packedAttention(g, config, tile);
    const result = decoderLayers(g, config, count, weight, x, rotaryInputs(g, config, 'T'), attend);
    return { g, count, weight, x, result };
  }

  private head(g: Graph, weight: Weight, x: Value): Head {
    return {
      hidden: finalNorm(g, this.config, weight, x),
      weight: weight(HEAD_WEIGHT(this.config)),
      inverseTemperature: g.input('inverse_temperature', 'float32', []),
    };
  }

  private outputGradients(g: Graph, seeds: Seed[], x: Value, names: readonly string[], weight: Weight): void {
    const [gradX, ...rest] = backpropagate(g, seeds, [x, ...names.map(weight)]);
    g.output(gradientName('x'), gradX!);
    names.forEach((name, i) => {
      g.output(gradientName(name), rest[i]!);
    });
  }
}
