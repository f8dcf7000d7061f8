/**
 * Packs prompts and their responses into one stream of tokens without padding, each shared prompt once.
 *
 * A prompt p1 … pn with responses becomes a prefix segment p1 … p(n-1) and, for each response r1 … rm, a segment
 * pn, r1 … r(m-1) whose rows predict r1 … rm. So every predicting row predicts one token (its gradient has one source),
 * and a response's last token, which predicts nothing, is never computed.
 */
import type * as ort from 'onnxruntime-node';
import { floats, integers } from '../graph/index.js';
import type { Side } from './lanes.js';
import { alone, attentionFeeds, placeRows, rowsOf } from './places.js';
import type { Segment } from './plan.js';
import { leastWork } from './tiles.js';

/** One prompt with its responses, as token ids; neither prompt nor responses may be empty. */
export interface PromptGroup {
  promptIds: readonly number[];
  responses: readonly (readonly number[])[];
}

/** A group, or a part of one, as it goes into one forward and backward pass. */
export interface GroupPart extends PromptGroup {
  /** Index of each response's first token in the whole batch's list of response tokens. */
  offsets: number[];
}

export interface PackedBatch {
  /** Token ids of the rows; those behind the last token's are nobody's. */
  ids: Int32Array;
  /** Of attention. */
  tile: number;
  /** What attention is fed, and positions. */
  feeds: Record<string, ort.Tensor>;
  /** The predicting rows, and the tokens they predict. */
  rows: number[];
  targets: number[];
  /** For each predicting row, the index of its token in the whole batch's list of response tokens. */
  tokenIndex: number[];
  /** Largest position plus one. */
  positions: number;
}

/** Tokens a group's stream takes when computed in one pass. */
const streamTokens = ({ promptIds, responses }: PromptGroup): number =>
  responses.reduce((sum, response) => sum + response.length, promptIds.length - 1);

/** Passes are filled with small groups up to this: more at once is no faster. */
const FILLED_PASS = 4096;

/**
 * Splits groups over passes of at most `budget` tokens, in order. A group over the budget is split between its responses
 * (its prompt is computed once a part); a single response over the budget goes alone. The split depends on lengths and
 * budget only.
 */
export function splitPasses(groups: readonly PromptGroup[], budget: number): GroupPart[][] {
  const passes: GroupPart[][] = [];
  let used = Number.POSITIVE_INFINITY;
  let token = 0;
  for (const group of groups) {
    const { promptIds, responses } = group;
    // A group that fits into a pass of its own is not torn to fill up the last one.
    if (used + streamTokens(group) > Math.min(budget, FILLED_PASS)) used = Number.POSITIVE_INFINITY;
    let part: GroupPart | null = null;
    for (const response of responses) {
      const opening = promptIds.length - 1;
      if (used + (part ? 0 : opening) + response.length > budget) {
        passes.push([]);
        used = 0;
        part = null;
      }
      if (!part) {
        part = { promptIds, responses: [], offsets: [] };
        passes.at(-1)!.push(part);
        used += opening;
      }
      (part.responses as (readonly number[])[]).push(response);
      part.offsets.push(token);
      used += response.length;
      token += response.length;
    }
  }
  return passes;
}

/** A gap up to this share of a tile is skipped to start a segment on a tile: fewer tiles are visited, fewer of them masked. */
const ALIGNED_GAP = 1 / 16;

/** Lays the parts out as one stream with everything the training and scoring graphs are fed but weights and embeddings. */
export function pack(parts: readonly GroupPart[], sides: readonly Side[]): PackedBatch {
  const ids: number[] = [];
  const positions: number[] = [];
  const rows: number[] = [];
  const targets: number[] = [];
  const tokenIndex: number[] = [];
  const segments: Segment[] = [];
  for (const { promptIds, responses, offsets } of parts) {
    const prefixStart = ids.length;
    for (let i = 0; i < promptIds.length - 1; i++) {
      ids.push(promptIds[i]!);
      positions.push(i);
    }
    const prefixEnd = ids.length;
    if (prefixEnd > prefixStart) segments.push(alone(prefixStart, prefixEnd));
    responses.forEach((response, r) => {
      const start = ids.length;
      response.forEach((target, i) => {
        rows.push(ids.length);
        targets.push(target);
        tokenIndex.push(offsets[r]! + i);
        ids.push(i === 0 ? promptIds.at(-1)! : response[i - 1]!);
        positions.push(promptIds.length - 1 + i);
      });
      segments.push({ start, end: ids.length, prefixStart, prefixEnd });
    });
  }
  const length = rowsOf(ids.length);
  const filled = (values: readonly number[]): Int32Array => {
    const row = new Int32Array(length);
    row.set(values);
    return row;
  };
  const placed = leastWork(tile => placeRows(segments, length, tile, ALIGNED_GAP));
  return {
    ids: filled(ids),
    tile: placed.tile,
    rows,
    targets,
    tokenIndex,
    feeds: { ...attentionFeeds(placed, sides), positions: integers([...filled(positions)], [length, 1]) },
    positions: positions.reduce((a, b) => Math.max(a, b), 0) + 1,
  };
}

/** Embedding rows of the stream [length, H]. */
export function embed(ids: Int32Array, table: Float32Array, hiddenSize: number): ort.Tensor {
  const x = new Float32Array(ids.length * hiddenSize);
  ids.forEach((id, i) => {
    x.set(table.subarray(id * hiddenSize, (id + 1) * hiddenSize), i * hiddenSize);
  });
  return floats(x, [ids.length, hiddenSize]);
}

/** Adds each row's gradient to its token's embedding, in stream order: the deterministic scatter onnxruntime lacks. */
export function embeddingGradient(
  ids: Int32Array,
  gradient: Float32Array,
  table: Float32Array,
  hiddenSize: number,
): void {
  ids.forEach((id, i) => {
    const target = id * hiddenSize;
    const source = i * hiddenSize;
    for (let h = 0; h < hiddenSize; h++) table[target + h]! += gradient[source + h]!;
  });
}
