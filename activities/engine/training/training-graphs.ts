/**
 * The graphs of scoring and training, each over a stretch of the model's layers: forward alone; backward with the forward
 * computed again; and the last stretch, where head and loss follow, forward and backward in one. Over all layers the last
 * is the whole model's training step.
 */
import { backpropagate, packedAttention, type Seed, truncationInputs } from '../autodiff/index.js';
import { Graph, type Value } from '../graph/index.js';
import {
  type AdapterShape,
  type DecoderConfig,
  decoderLayers,
  EMBEDDING_WEIGHT,
  expectedTensors,
  FINAL_NORM_WEIGHT,
  finalNorm,
  HEAD_WEIGHT,
  loraAdaptation,
  rotaryInputs,
  type Weight,
  weightInputs,
} from '../model/index.js';
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
  /** What is trained within the layers: all their weights, or an adapter of theirs. */
  trained: { names: string[]; tensor: Weight };
  /** Whether the weights outside the layers are trained, too. */
  whole: boolean;
  /** [T, H] */
  x: Value;
  /** [T, H] */
  result: Value;
}

export class TrainingGraphs {
  constructor(private readonly config: DecoderConfig) {}

  /**
   * @param adapter of the stretch; null where the weights themselves are trained
   * @param truncated whether the head's log-probabilities are of the tokens that sampling keeps
   */
  build(kind: GraphKind, tile: number, count: number, adapter: AdapterShape | null, truncated = false): Graph {
    const g = new Graph(`${kind} of ${count} layers at tile ${tile}`);
    const stretch = this.stretch(g, tile, count, adapter);
    switch (kind) {
      case 'forward':
        g.output('y', stretch.result);
        break;
      case 'backward':
        this.backward(stretch);
        break;
      case 'score':
        this.score(stretch, truncated);
        break;
      default:
        this.last(stretch, kind, truncated);
    }
    return g;
  }

  /** `x` and `gradient of y` -> `gradient of x` and of what is trained in the stretch. */
  private backward({ g, x, result, trained }: Stretch): void {
    const gradient = g.input(gradientName('y'), 'float32', x.shape);
    outputGradients(g, [{ value: result, gradient }], [['x', x], ...withValues(trained.names, trained.tensor)]);
  }

  /**
   * `x` -> log-probabilities, entropies, and the gradients of `x`, of what is trained in the stretch and, unless that is
   * an adapter, of the final norm and the head. An adapter over the whole model has no use for that of `x`.
   */
  private last(
    { g, count, weight, x, result, trained, whole }: Stretch,
    objective: Objective,
    truncated: boolean,
  ): void {
    const head = this.head(g, weight, result, truncated);
    const { logprobs, entropies, gradients } = lossOfRows(g, head, TOKEN_LOSSES[objective], whole);
    g.output('logprobs', logprobs);
    g.output('entropies', entropies);
    if (gradients.weight) g.output(gradientName(HEAD_WEIGHT(this.config)), gradients.weight);
    outputGradients(
      g,
      [{ value: head.hidden, gradient: gradients.hidden }],
      [
        ...(whole || count < this.config.layers ? [['x', x] as const] : []),
        ...withValues(trained.names, trained.tensor),
        ...(whole ? withValues([FINAL_NORM_WEIGHT], weight) : []),
      ],
    );
  }

  /** `x` -> log-probabilities and entropies. */
  private score({ g, weight, result }: Stretch, truncated: boolean): void {
    const { logprobs, entropies } = scoreRows(g, this.head(g, weight, result, truncated));
    g.output('logprobs', logprobs);
    g.output('entropies', entropies);
  }

  /** Names of the weights of `count` layers. */
  private layerWeights(count: number): string[] {
    const outside = [EMBEDDING_WEIGHT, FINAL_NORM_WEIGHT, HEAD_WEIGHT(this.config)];
    return [...expectedTensors({ ...this.config, layers: count }).keys()].filter(name => !outside.includes(name));
  }

  private stretch(g: Graph, tile: number, count: number, adapter: AdapterShape | null): Stretch {
    const { config } = this;
    const stretchConfig = { ...config, layers: count };
    const x = g.input('x', 'float32', ['T', config.hiddenSize]);
    const weight = weightInputs(g, expectedTensors(stretchConfig));
    const attend = packedAttention(g, config, tile);
    const lora = adapter && loraAdaptation(g, stretchConfig, adapter);
    const rotary = rotaryInputs(g, config, 'T');
    const result = decoderLayers(g, config, count, weight, x, rotary, attend, lora ? { adapt: lora.adapt } : {});
    const trained = lora ?? { names: this.layerWeights(count), tensor: weight };
    return { g, count, weight, trained, whole: lora === null, x, result };
  }

  private head(g: Graph, weight: Weight, x: Value, truncated: boolean): Head {
    return {
      hidden: finalNorm(g, this.config, weight, x),
      weight: weight(HEAD_WEIGHT(this.config)),
      inverseTemperature: g.input('inverse_temperature', 'float32', []),
      truncation: truncated ? truncationInputs(g) : null,
    };
  }
}

const withValues = (names: readonly string[], value: Weight) => names.map(name => [name, value(name)] as const);

function outputGradients(g: Graph, seeds: Seed[], wanted: (readonly [name: string, Value])[]): void {
  const values = wanted.map(([, value]) => value);
  backpropagate(g, seeds, values).forEach((gradient, i) => {
    g.output(gradientName(wanted[i]![0]), gradient);
  });
}
