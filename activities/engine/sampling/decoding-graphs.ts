/**
 * The decoding graphs of the policy that samples, and how they get its weights.
 *
 * Weights that are fed are laid out anew for each product, at every token. As constants they are laid out once, when a
 * graph is made, which takes as long as some fifty tokens of eight responses, and as much memory again as the weights. So
 * they are fed where the model is small, and constants where it is large: by the model alone, since their sums have another
 * order, and a response must not depend on what else is asked for.
 */
import type { Tensors } from '../files/index.js';
import {
  type CompiledGraph,
  type Feeds,
  GraphCache,
  PROVIDERS,
  type SessionSettings,
  weightFeeds,
} from '../graph/index.js';
import { type DecoderConfig, modelSummary } from '../model/index.js';
import { decodingGraph } from './decoding.js';
import type { SamplingMode } from './sampling.js';

/** Fed: training samples, evaluation is greedy or samples otherwise; each with a past and without. */
const FED_GRAPHS = 4;
/** Constant: each holds the weights once more. */
const CONSTANT_GRAPHS = 1;

export class DecodingGraphs {
  /** Whether weights are constants. */
  private readonly constant: boolean;
  private readonly cache: GraphCache;
  /** The arrays that the graphs in the cache were made of. */
  private madeOf: WeakRef<Float32Array>[] = [];

  constructor(
    private readonly config: DecoderConfig,
    settings: SessionSettings,
  ) {
    const bytes = 4 * modelSummary(config).parameters;
    this.constant = bytes >= PROVIDERS[settings.provider ?? 'cpu'].constantsFrom;
    this.cache = new GraphCache(this.constant ? CONSTANT_GRAPHS : FED_GRAPHS, settings);
  }

  /** What a graph is fed of the weights. */
  feeds(weights: Tensors): Feeds {
    return this.constant ? {} : weightFeeds(weights);
  }

  /** Graphs that are dear to make are made with a past alone: a first run's is one entry that weighs nothing. */
  wantsPast(first: boolean): boolean {
    return this.constant || !first;
  }

  async get(mode: SamplingMode, first: boolean, weights: Tensors): Promise<CompiledGraph> {
    const { constant } = this;
    const withPast = this.wantsPast(first);
    if (constant && !this.isMadeOf(weights)) {
      await this.cache.release();
      this.madeOf = [...weights.values()].map(({ data }) => new WeakRef(data));
    }
    const build = () => decodingGraph(this.config, { mode, withPast, constant });
    return this.cache.get(`${mode}/${withPast}`, build, constant ? { constants: weights } : {});
  }

  /** Lets go of what is of one policy alone: before a step, which changes its arrays in place. */
  async forgetPolicy(): Promise<void> {
    this.madeOf = [];
    if (this.constant) await this.cache.release();
  }

  release(): Promise<void> {
    return this.cache.release();
  }

  private isMadeOf(weights: Tensors): boolean {
    const arrays = [...weights.values()];
    return arrays.length === this.madeOf.length && arrays.every(({ data }, i) => this.madeOf[i]!.deref() === data);
  }
}
