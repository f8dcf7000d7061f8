/**
 * Causal attention over packed tokens, tile by tile, forward and backward: no S x S matrix anywhere, so memory grows
 * linearly with context (online softmax, Milakov & Gimelshein 2018; tiling and backward after FlashAttention-2,
 * arXiv 2307.08691).
 *
 * Which tiles are visited is data, not structure: plan.ts lists, for every block of queries, the blocks of keys that are
 * seen whole and those seen in part (with a mask), so one graph serves plain sequences and groups that share a prompt.
 * Blocks go in groups, a lane each (lanes.ts).
 *
 * Shapes: T rows, S places, B of them a block, N = S/B blocks, W lanes, K key-value heads, R query heads to each of them, D
 * head size.
 */
import { type Dim, type Graph, lengthOf, product, type Value } from '../graph/index.js';
import { type KeySideInputs, type PlanInputs, planInputs, type SideInputs } from './attention-plan.js';
import { fromBlocks, type HeadIndices, type HeadLayout, headIndices, toBlocks } from './attention-rows.js';
import type { GradientRule } from './gradient-rule.js';

const at = (g: Graph, x: Value, index: Value): Value => g.op('Gather', [x, index], { axis: 0 });

/** What a loop over groups collected, [groups, W, ..], by block: [N, ..]. */
const byBlock = (g: Graph, collected: Value, { places }: SideInputs): Value => {
  const [groups, width, ...rest] = collected.shape;
  return at(g, g.reshape(collected, [product([groups!, width!]), ...rest]), places);
};

/** What is the same for all layers. */
export interface AttentionInputs extends HeadIndices, PlanInputs {}

export const attentionInputs = (g: Graph, layout: HeadLayout): AttentionInputs => ({
  ...headIndices(g, layout),
  ...planInputs(g, layout.tile, `S/${layout.tile}`),
});

const INDICES = ['queryHeads', 'keyHeads', 'queryPlaces', 'keyPlaces'] as const satisfies (keyof HeadIndices)[];

/** The composite's last inputs, which the backward pass reads. */
const KEY_SIDE = [
  'lanes',
  'places',
  'start',
  'whole',
  'partial',
  'block',
  'mask',
  'into',
  'every',
] as const satisfies (keyof KeySideInputs)[];

/**
 * softmax(q k^T / sqrt(D) + mask) v for each head.
 *
 * @param q [T, K*R*D], rotated
 * @param k [T, K*D], rotated
 * @param v [T, K*D]
 * @returns [T, K*R*D]
 */
export function attention(g: Graph, q: Value, k: Value, v: Value, given: AttentionInputs, layout: HeadLayout): Value {
  const inputs = [q, k, v, given.seen, ...INDICES.map(name => given[name]), ...KEY_SIDE.map(name => given.byKey[name])];
  return g.composite('Attention', inputs, { ...layout }, () => forward(g, q, k, v, given, layout))[0]!;
}

/** Results: the output [T, K*R*D]; then, for the backward pass, blocks of scaled queries, keys, values, outputs, and the rows' maxima and sums. */
function forward(g: Graph, q: Value, k: Value, v: Value, given: AttentionInputs, layout: HeadLayout): Value[] {
  const { kvHeads, repeats, headDim, tile } = layout;
  const rows = repeats * tile;
  const { queryHeads, keyHeads, queryPlaces, byQuery } = given;
  const queries = toBlocks(g, g.op('Mul', [q, g.scalar(1 / Math.sqrt(headDim))]), queryHeads, layout);
  const keys = toBlocks(g, k, keyHeads, layout);
  const values = toBlocks(g, v, keyHeads, layout);
  const { lanes, start: first, whole, partial, block, mask } = byQuery;
  const [groups, width] = lanes.shape as [Dim, Dim];
  const zeros = zerosOfLanes(g, lanes);
  // A finite start keeps exp(max - newer max) defined where a tile hides every key of a row.
  const nothing = zeros(kvHeads, rows, 1);
  const start = [g.op('Sub', [nothing, g.scalar(1e30)]), nothing, zeros(kvHeads, rows, headDim)];
  const shape = [width, kvHeads, repeats, tile, tile];
  const ofTiles = (masks: Value): Value => g.reshape(masks, ['masks', 1, 1, tile, tile]);
  const [added, seen] = [ofTiles(given.masks), ofTiles(given.seen)];

  const outer = g.loop(lengthOf(g, lanes), groups, [], (b, i) => {
    const query = at(b, queries, at(b, lanes, i));
    let state = start;
    let offset = at(b, first, i);
    for (const { count, masked } of turnsOf(b, i, whole, partial)) {
      state = b.loop(count, 'turns', state, (t, turn, [max, sum, out]) => {
        const entry = t.op('Add', [offset, turn]);
        const visited = at(t, block, entry);
        const scores = t.op('FusedMatMul', [query, at(t, keys, visited)], { transA: 0, transB: 1 });
        const ofVisits = (masks: Value): Value | null => (masked ? at(t, masks, at(t, mask, entry)) : null);
        const newMax = t.op('Max', [max!, t.max(withMask(t, 'Add', scores, ofVisits(added), shape), [-1])]);
        const weights = expOfSeen(t, t.op('Sub', [scores, newMax]), ofVisits(seen), shape);
        const decay = t.op('Exp', [t.op('Sub', [max!, newMax])]);
        const newSum = t.op('Add', [t.op('Mul', [sum!, decay]), t.sum(weights, [-1])]);
        const newOut = t.op('Add', [t.op('Mul', [out!, decay]), t.op('MatMul', [weights, at(t, values, visited)])]);
        return { carried: [newMax, newSum, newOut], collected: [] };
      }).carried;
      offset = b.op('Add', [offset, count]);
    }
    const [max, sum, out] = state;
    return { carried: [], collected: [b.op('Div', [out!, sum!]), max!, sum!] };
  });
  const [outputs, maxima, sums] = outer.collected.map(collected => byBlock(g, collected, byQuery));
  return [fromBlocks(g, outputs!, queryPlaces, layout), queries, keys, values, outputs!, maxima!, sums!];
}

/** The turns of group i: first those whose tiles are seen whole, then those with masks. */
const turnsOf = (b: Graph, i: Value, whole: Value, partial: Value) => [
  { count: at(b, whole, i), masked: false },
  { count: at(b, partial, i), masked: true },
];

/** Zeros [W, ..shape]. @param lanes [groups, W] */
function zerosOfLanes(g: Graph, lanes: Value): (...shape: number[]) => Value {
  const width = at(g, g.op('Shape', [lanes]), g.ints([1]));
  const known = { ...width, data: [lanes.shape[1]!] };
  return (...shape) => g.op('ConstantOfShape', [g.op('Concat', [known, g.ints(shape)], { axis: 0 })]);
}

/** Adds a mask [.., B, B] to tiles, or multiplies them, under the shape in which its axes line up with theirs. */
function withMask(g: Graph, operator: 'Add' | 'Mul', x: Value, mask: Value | null, shape: readonly Dim[]): Value {
  if (!mask) return x;
  return g.reshape(g.op(operator, [g.reshape(x, shape), mask]), x.shape);
}

/**
 * exp of tiles, or 0 where they are not seen. What is not seen may have any exponent: it becomes 0 by a factor before, so that
 * nothing overflows, and again afterwards. By -Infinity before it would, too, but on x86 exp takes twenty times as long where
 * its result is no normal number; and a minimum takes three times as long as a product.
 */
function expOfSeen(g: Graph, x: Value, seen: Value | null, shape: readonly Dim[]): Value {
  const ofSeen = (y: Value): Value => withMask(g, 'Mul', y, seen, shape);
  return ofSeen(g.op('Exp', [ofSeen(x)]));
}

/**
 * Blocks of keys by blocks of keys on transposed tiles. With E = exp(S - max), the softmax is E / sum; dividing dO and delta
 * by the sums beforehand leaves dV = E^T dO' and dS = E (dO' V^T - delta'). Both subtractions ride on the matrix products,
 * as [K, 1] [Q, -max]^T and [V, 1] [dO', -delta']^T, so only exp and one product pass over a tile.
 */
export const ATTENTION_GRADIENT: GradientRule = ({ g, inputs, outputs, attributes, gradients }) => {
  const layout = attributes as unknown as HeadLayout;
  const { kvHeads, repeats, headDim, tile } = layout;
  const seen = inputs[3]!;
  const [queryHeads, , queryPlaces, keyPlaces] = inputs.slice(4) as [Value, Value, Value, Value];
  const ofSide = inputs.slice(4 + INDICES.length);
  const side = Object.fromEntries(KEY_SIDE.map((name, i) => [name, ofSide[i]!])) as unknown as KeySideInputs;
  const { lanes, start: first, whole, partial, block, mask, into, every } = side;
  const [groups, width] = lanes.shape as [Dim, Dim];
  const [, queries, keys, values, outs, maxima, sums] = outputs as Value[];
  const gradOut = g.op('Div', [toBlocks(g, gradients[0]!, queryHeads, layout), sums!]);
  const delta = g.sum(g.op('Mul', [gradOut, outs!]), [-1]);
  const column = g.op('Slice', [keys!, g.ints([0]), g.ints([1]), g.ints([3])]);
  const ones = g.op('Add', [g.op('ConstantOfShape', [g.op('Shape', [column])]), g.scalar(1)]);
  const beside = (x: Value, extra: Value): Value => g.op('Concat', [x, extra], { axis: 3 });
  const queriesMax = beside(queries!, g.op('Neg', [maxima!]));
  const gradOutDelta = beside(gradOut, g.op('Neg', [delta]));
  const keysOne = beside(keys!, ones);
  const valuesOne = beside(values!, ones);
  const seenByKey = g.reshape(g.op('Transpose', [seen], { perm: [0, 2, 1] }), ['masks', 1, tile, 1, tile]);
  const shape = [width, kvHeads, tile, repeats, tile];
  const zeros = zerosOfLanes(g, lanes)(kvHeads, tile, headDim);
  // One block more than there are takes what is added for nobody.
  const none = g.op('ConstantOfShape', [g.ints([1, kvHeads, repeats * tile, headDim])]);
  const gradQueryStart = g.op('Concat', [g.op('ConstantOfShape', [g.op('Shape', [queries!])]), none], { axis: 0 });

  const outer = g.loop(lengthOf(g, lanes), groups, [gradQueryStart], (b, j, [gradQueriesIn]) => {
    const own = at(b, lanes, j);
    const key = at(b, keys!, own);
    const keyOne = at(b, keysOne, own);
    const valueOne = at(b, valuesOne, own);
    const visited: Value[] = [];
    const parts: Value[] = [];
    let state = [zeros, zeros];
    let offset = at(b, first, j);
    for (const { count, masked } of turnsOf(b, j, whole, partial)) {
      const inner = b.loop(count, 'turns', state, (t, turn, [gradKey, gradValue]) => {
        const entry = t.op('Add', [offset, turn]);
        const i = at(t, block, entry);
        const exponents = t.op('FusedMatMul', [keyOne, at(t, queriesMax, i)], { transA: 0, transB: 1 });
        const seenHere = masked ? at(t, seenByKey, at(t, mask, entry)) : null;
        const weights = expOfSeen(t, exponents, seenHere, shape);
        const gradWeights = t.op('FusedMatMul', [valueOne, at(t, gradOutDelta, i)], { transA: 0, transB: 1 });
        const gradScores = t.op('Mul', [weights, gradWeights]);
        const newGradKey = t.op('Add', [gradKey!, t.op('MatMul', [gradScores, at(t, queries!, i)])]);
        const newGradValue = t.op('Add', [gradValue!, t.op('MatMul', [weights, at(t, gradOut, i)])]);
        const gradQuery = t.op('FusedMatMul', [gradScores, key], { transA: 1, transB: 0 });
        return { carried: [newGradKey, newGradValue], collected: [at(t, into, entry), gradQuery] };
      });
      state = inner.carried;
      visited.push(inner.collected[0]!);
      parts.push(inner.collected[1]!);
      offset = b.op('Add', [offset, count]);
    }
    // A group's visits add to blocks of their own, but for those that add for nobody: no index that is read repeats.
    const indices = b.op('Concat', visited, { axis: 0 });
    const gradQueries = b.op(
      'ScatterND',
      [gradQueriesIn!, b.reshape(indices, [...indices.shape, 1]), b.op('Concat', parts, { axis: 0 })],
      { reduction: 'add' },
    );
    return { carried: [gradQueries], collected: state };
  });
  const gradQueries = at(g, outer.carried[0]!, every);
  const [gradKeys, gradValues] = outer.collected.map(collected => byBlock(g, collected, side));
  const scaled = g.op('Mul', [gradQueries, g.scalar(1 / Math.sqrt(headDim))]);
  const parts = [
    fromBlocks(g, scaled, queryPlaces, layout),
    fromBlocks(g, gradKeys!, keyPlaces, layout),
    fromBlocks(g, gradValues!, keyPlaces, layout),
  ];
  return [...parts, ...inputs.slice(3).map(() => null)];
};

/** Of a model: heads of queries, of keys and values, and the size of each. */
export interface Heads {
  heads: number;
  kvHeads: number;
  headDim: number;
}

/** Attention over a batch's rows, placed and planned alike for all layers. */
export function packedAttention(g: Graph, { heads, kvHeads, headDim }: Heads, tile: number) {
  const layout = { kvHeads, repeats: heads / kvHeads, headDim, tile };
  const given = attentionInputs(g, layout);
  return (_layer: number, q: Value, k: Value, v: Value): Value => attention(g, q, k, v, given, layout);
}
