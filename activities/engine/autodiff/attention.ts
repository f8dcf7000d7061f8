/**
 * Causal attention over packed tokens, tile by tile, forward and backward: no S x S matrix anywhere, so memory grows
 * linearly with context (online softmax, Milakov & Gimelshein 2018; tiling and backward after FlashAttention-2,
 * arXiv 2307.08691).
 *
 * Which tiles are visited is data, not structure: plan.ts lists, for every block of queries, the blocks of keys that are
 * seen whole and those seen in part (with a mask), so one graph serves plain sequences and groups that share a prompt.
 *
 * Shapes: T tokens, B tokens a block, N = T/B blocks, K key-value heads, R query heads to each of them, D head size.
 */
import type { Dim, Graph, Value } from '../graph/index.js';
import type { GradientRule } from './gradient-rule.js';

export interface HeadLayout {
  kvHeads: number;
  /** Query heads to a key-value head. */
  repeats: number;
  headDim: number;
  /** Tokens a block. */
  tile: number;
}

/** One side's visiting list in compressed rows: block i visits entries start[i] … start[i] + count[i] - 1. */
interface Visits {
  start: Value;
  count: Value;
  /** The block visited. */
  block: Value;
  /** Index of the tile's mask; null where tiles are seen whole. */
  mask: Value | null;
}

/** The plan as graph inputs, shared by all layers. */
export interface PlanInputs {
  byQuery: { whole: Visits; partial: Visits };
  byKey: { whole: Visits; partial: Visits };
  /** [masks, B queries, B keys]: 0 where seen, -Infinity where not. */
  masks: Value;
  /** The same as factors: 1 where seen, 0 where not. */
  seen: Value;
}

/** Names of the plan's feeds; plan.ts fills them. */
export function planInputs(g: Graph, tile: number, blocks: Dim): PlanInputs {
  const visits = (side: string, kind: 'whole' | 'partial'): Visits => {
    const name = `${side}_${kind}`;
    return {
      start: g.input(`${name}_start`, 'int64', [blocks]),
      count: g.input(`${name}_count`, 'int64', [blocks]),
      block: g.input(`${name}_block`, 'int64', [`${name}_visits`]),
      mask: kind === 'partial' ? g.input(`${name}_mask`, 'int64', [`${name}_visits`]) : null,
    };
  };
  const side = (name: string): PlanInputs['byQuery'] => ({
    whole: visits(name, 'whole'),
    partial: visits(name, 'partial'),
  });
  const masks = g.input('masks', 'float32', ['masks', tile, tile]);
  const seen = g.op('Cast', [g.op('Equal', [masks, g.scalar(0)])], { to: 1 });
  return { byQuery: side('by_query'), byKey: side('by_key'), masks, seen };
}

const at = (g: Graph, x: Value, index: Value): Value => g.op('Gather', [x, index], { axis: 0 });

/** The number of blocks, at run time. */
const blockCount = (g: Graph, blocks: Value): Value => at(g, g.op('Shape', [blocks]), g.scalar(0, 'int64'));

/** [T, K*R*D] -> [N, K, R*B, D] */
function queryBlocks(g: Graph, x: Value, { kvHeads, repeats, headDim, tile }: HeadLayout): Value {
  const split = g.reshape(x, [-1, tile, kvHeads, repeats, headDim]);
  return g.reshape(g.op('Transpose', [split], { perm: [0, 2, 3, 1, 4] }), [-1, kvHeads, repeats * tile, headDim]);
}

/** [N, K, R*B, D] -> [T, K*R*D] */
function unblockQueries(g: Graph, x: Value, { kvHeads, repeats, headDim, tile }: HeadLayout): Value {
  const split = g.reshape(x, [-1, kvHeads, repeats, tile, headDim]);
  return g.reshape(g.op('Transpose', [split], { perm: [0, 3, 1, 2, 4] }), [-1, kvHeads * repeats * headDim]);
}

/** [T, K*D] -> [N, K, B, D] */
function keyBlocks(g: Graph, x: Value, { kvHeads, headDim, tile }: HeadLayout): Value {
  return g.op('Transpose', [g.reshape(x, [-1, tile, kvHeads, headDim])], { perm: [0, 2, 1, 3] });
}

/** [N, K, B, D] -> [T, K*D] */
function unblockKeys(g: Graph, x: Value, { kvHeads, headDim }: HeadLayout): Value {
  return g.reshape(g.op('Transpose', [x], { perm: [0, 2, 1, 3] }), [-1, kvHeads * headDim]);
}

function layoutAttributes(layout: HeadLayout): Record<string, number> {
  return { ...layout };
}

/**
 * softmax(q k^T / sqrt(D) + mask) v for each head.
 *
 * @param q [T, K*R*D], rotated
 * @param k [T, K*D], rotated
 * @param v [T, K*D]
 * @returns [T, K*R*D]
 */
export function attention(g: Graph, q: Value, k: Value, v: Value, plan: PlanInputs, layout: HeadLayout): Value {
  const visits = [plan.byKey.whole, plan.byKey.partial].flatMap(s => [
    s.start,
    s.count,
    s.block,
    ...(s.mask ? [s.mask] : []),
  ]);
  const inputs = [q, k, v, plan.seen, ...visits];
  return g.composite('Attention', inputs, layoutAttributes(layout), () => forward(g, q, k, v, plan, layout))[0]!;
}

/** Results: the output [T, K*R*D]; then, for the backward pass, blocks of scaled queries, keys, values, outputs, and the rows' maxima and sums. */
function forward(g: Graph, q: Value, k: Value, v: Value, plan: PlanInputs, layout: HeadLayout): Value[] {
  const { kvHeads, repeats, headDim, tile } = layout;
  const rows = repeats * tile;
  const queries = queryBlocks(g, g.op('Mul', [q, g.scalar(1 / Math.sqrt(headDim))]), layout);
  const keys = keyBlocks(g, k, layout);
  const values = keyBlocks(g, v, layout);
  const blocks = queries.shape[0]!;
  const zeros = (width: number): Value => g.op('ConstantOfShape', [g.ints([kvHeads, rows, width])]);
  // A finite start keeps exp(max - newer max) defined where a tile hides every key of a row.
  const start = [g.op('Sub', [zeros(1), g.scalar(1e30)]), zeros(1), zeros(headDim)];

  const outer = g.loop(blockCount(g, queries), blocks, [], (b, i) => {
    const query = at(b, queries, i);
    let state = start;
    for (const { start: first, count, block, mask } of [plan.byQuery.whole, plan.byQuery.partial]) {
      const offset = at(b, first, i);
      state = b.loop(at(b, count, i), 'visits', state, (t, turn, [max, sum, out]) => {
        const entry = t.op('Add', [offset, turn]);
        const j = at(t, block, entry);
        const scores = t.op('FusedMatMul', [query, at(t, keys, j)], { transA: 0, transB: 1 });
        const shape = [kvHeads, repeats, tile, tile];
        const ofTile = (masks: Value): Value | null => mask && at(t, masks, at(t, mask, entry));
        const newMax = t.op('Max', [max!, t.max(withMask(t, 'Add', scores, ofTile(plan.masks), shape), [-1])]);
        const weights = expOfSeen(t, t.op('Sub', [scores, newMax]), ofTile(plan.seen), shape);
        const decay = t.op('Exp', [t.op('Sub', [max!, newMax])]);
        const newSum = t.op('Add', [t.op('Mul', [sum!, decay]), t.sum(weights, [-1])]);
        const newOut = t.op('Add', [t.op('Mul', [out!, decay]), t.op('MatMul', [weights, at(t, values, j)])]);
        return { carried: [newMax, newSum, newOut], collected: [] };
      }).carried;
    }
    const [max, sum, out] = state;
    return { carried: [], collected: [b.op('Div', [out!, sum!]), max!, sum!] };
  });
  const [outputs, maxima, sums] = outer.collected;
  return [unblockQueries(g, outputs!, layout), queries, keys, values, outputs!, maxima!, sums!];
}

/** Adds a mask [.., B, B] to a tile, or multiplies them, under the shape in which its axes line up with the tile's. */
function withMask(g: Graph, operator: 'Add' | 'Mul', x: Value, mask: Value | null, shape: readonly number[]): Value {
  if (!mask) return x;
  return g.reshape(g.op(operator, [g.reshape(x, shape), mask]), x.shape);
}

/** What is seen has exponents up to 0, but for rounding; what is not seen may have any. */
const MOST = 80;

/**
 * exp of a tile, or 0 where `seen` is. What is not seen becomes 0 by a factor afterwards, and must be finite until then: by
 * -Infinity before it would, too, but on x86 exp takes twenty times as long where its result is no normal number.
 */
function expOfSeen(g: Graph, x: Value, seen: Value | null, shape: readonly number[]): Value {
  const bounded = seen ? g.op('Min', [x, g.scalar(MOST)]) : x;
  return withMask(g, 'Mul', g.op('Exp', [bounded]), seen, shape);
}

/**
 * Key block by key block on transposed tiles. With E = exp(S - max), the softmax is E / sum; dividing dO and delta by the
 * sums beforehand leaves dV = E^T dO' and dS = E (dO' V^T - delta'). Both subtractions ride on the matrix products, as
 * [K, 1] [Q, -max]^T and [V, 1] [dO', -delta']^T, so only exp and one product pass over a tile.
 */
export const ATTENTION_GRADIENT: GradientRule = ({ g, inputs, outputs, attributes, gradients }) => {
  const layout = attributes as unknown as HeadLayout;
  const { kvHeads, repeats, headDim, tile } = layout;
  const [, , , seen, ...visitInputs] = inputs;
  const [wholeStart, wholeCount, wholeBlock, partialStart, partialCount, partialBlock, partialMask] =
    visitInputs as Value[];
  const sides: Visits[] = [
    { start: wholeStart!, count: wholeCount!, block: wholeBlock!, mask: null },
    { start: partialStart!, count: partialCount!, block: partialBlock!, mask: partialMask! },
  ];
  const [, queries, keys, values, outs, maxima, sums] = outputs as Value[];
  const blocks = keys!.shape[0]!;
  const gradOut = g.op('Div', [queryBlocks(g, gradients[0]!, layout), sums!]);
  const delta = g.sum(g.op('Mul', [gradOut, outs!]), [-1]);
  const column = g.op('Slice', [keys!, g.ints([0]), g.ints([1]), g.ints([3])]);
  const ones = g.op('Add', [g.op('ConstantOfShape', [g.op('Shape', [column])]), g.scalar(1)]);
  const beside = (x: Value, extra: Value): Value => g.op('Concat', [x, extra], { axis: 3 });
  const queriesMax = beside(queries!, g.op('Neg', [maxima!]));
  const gradOutDelta = beside(gradOut, g.op('Neg', [delta]));
  const keysOne = beside(keys!, ones);
  const valuesOne = beside(values!, ones);
  const seenByKey = g.reshape(g.op('Transpose', [seen!], { perm: [0, 2, 1] }), [-1, tile, 1, tile]);
  const zeros = g.op('ConstantOfShape', [g.ints([kvHeads, tile, headDim])]);
  const gradQueryStart = g.op('ConstantOfShape', [g.op('Shape', [queries!])]);

  const outer = g.loop(blockCount(g, keys!), blocks, [gradQueryStart], (b, j, [gradQueriesIn]) => {
    const key = at(b, keys!, j);
    const keyOne = at(b, keysOne, j);
    const valueOne = at(b, valuesOne, j);
    const visited: Value[] = [];
    const parts: Value[] = [];
    let state = [zeros, zeros];
    for (const { start, count, block, mask } of sides) {
      const offset = at(b, start, j);
      const inner = b.loop(at(b, count, j), 'visits', state, (t, turn, [gradKey, gradValue]) => {
        const entry = t.op('Add', [offset, turn]);
        const i = at(t, block, entry);
        const exponents = t.op('FusedMatMul', [keyOne, at(t, queriesMax, i)], { transA: 0, transB: 1 });
        const seenHere = mask && at(t, seenByKey, at(t, mask, entry));
        const weights = expOfSeen(t, exponents, seenHere, [kvHeads, tile, repeats, tile]);
        const gradWeights = t.op('FusedMatMul', [valueOne, at(t, gradOutDelta, i)], { transA: 0, transB: 1 });
        const gradScores = t.op('Mul', [weights, gradWeights]);
        const newGradKey = t.op('Add', [gradKey!, t.op('MatMul', [gradScores, at(t, queries!, i)])]);
        const newGradValue = t.op('Add', [gradValue!, t.op('MatMul', [weights, at(t, gradOut, i)])]);
        const gradQuery = t.op('FusedMatMul', [gradScores, key], { transA: 1, transB: 0 });
        return { carried: [newGradKey, newGradValue], collected: [i, gradQuery] };
      });
      state = inner.carried;
      visited.push(inner.collected[0]!);
      parts.push(inner.collected[1]!);
    }
    // Each query block is visited once from one key block, so no index repeats.
    const indices = b.op('Concat', visited, { axis: 0 });
    const gradQueries = b.op(
      'ScatterND',
      [gradQueriesIn!, b.reshape(indices, [...indices.shape, 1]), b.op('Concat', parts, { axis: 0 })],
      { reduction: 'add' },
    );
    return { carried: [gradQueries], collected: state };
  });
  const [gradQueries] = outer.carried;
  const [gradKeys, gradValues] = outer.collected;
  const scaled = g.op('Mul', [gradQueries!, g.scalar(1 / Math.sqrt(headDim))]);
  const parts = [
    unblockQueries(g, scaled, layout),
    unblockKeys(g, gradKeys!, layout),
    unblockKeys(g, gradValues!, layout),
  ];
  return [...parts, ...inputs.slice(3).map(() => null)];
};

/** Of a model: heads of queries, of keys and values, and the size of each. */
export interface Heads {
  heads: number;
  kvHeads: number;
  headDim: number;
}

function headLayout(config: Heads, tile: number): HeadLayout {
  return { kvHeads: config.kvHeads, repeats: config.heads / config.kvHeads, headDim: config.headDim, tile };
}

/** Attention over the packed stream, under one plan for all layers. */
export function packedAttention(g: Graph, config: Heads, tile: number) {
  const plan = planInputs(g, tile, `T/${tile}`);
  return (_layer: number, q: Value, k: Value, v: Value): Value => attention(g, q, k, v, plan, headLayout(config, tile));
}
