/**
 * How far the model is cut up for the backward pass. Whole, every activation is kept between forward and backward; cut
 * into segments of layers, only each segment's input is, and its activations are computed a second time when its turn
 * comes (gradient checkpointing, arXiv 1604.06174). The numbers are the same to the bit.
 */
import type { DecoderConfig } from './config.js';

/** A stretch of layers. */
export interface Segment {
  first: number;
  count: number;
}

/** Floats kept a token and layer between forward and backward, with what the backward pass adds at its height (measured). */
function floatsPerToken({ hiddenSize, intermediateSize, heads, kvHeads, headDim }: DecoderConfig): number {
  return 10 * hiddenSize + 7 * heads * headDim + 6 * kvHeads * headDim + 7 * intermediateSize;
}

/** Bytes that training `layers` layers on a stream of so many tokens takes beside weights and gradients. */
export function activationBytes(config: DecoderConfig, tokens: number, layers: number): number {
  return 4 * tokens * layers * floatsPerToken(config);
}

/**
 * As few segments as the memory allows, of one layer at least. All are of one length but the last, which also has the head
 * and gets what is left over.
 *
 * @param memory bytes that the activations of one segment may take
 */
export function cutSegments(config: DecoderConfig, tokens: number, memory: number): Segment[] {
  const { layers } = config;
  const fitting = Math.min(layers, Math.max(1, Math.floor(memory / activationBytes(config, tokens, 1))));
  const each = Math.ceil(layers / Math.ceil(layers / fitting));
  return Array.from({ length: Math.ceil(layers / each) }, (_, i) => ({
    first: i * each,
    count: Math.min(each, layers - i * each),
  }));
}
