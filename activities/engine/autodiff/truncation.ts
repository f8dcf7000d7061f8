/** Which tokens sampling keeps, as a graph is told: the same for the sampler and the trainer. */
import { type Feeds, floatScalar, type Graph, type Value } from '../graph/index.js';
import type { TruncationSettings } from '../protocol/index.js';

/** Rank 0. */
export interface Truncation {
  topP: Value;
  /** As float; the vocabulary's size where all tokens are kept. */
  topK: Value;
}

export const truncationInputs = (g: Graph): Truncation => ({
  topP: g.input('top_p', 'float32', []),
  topK: g.input('top_k', 'float32', []),
});

/** Feeds the inputs above. */
export const truncationFeeds = ({ topP, topK }: TruncationSettings, vocabulary: number): Feeds => ({
  top_p: floatScalar(topP),
  top_k: floatScalar(topK === 0 ? vocabulary : Math.min(topK, vocabulary)),
});
