/**
 * Rows of heads as blocks of places, and back: one Gather each, which also skips the places that are nobody's.
 *
 * Shapes: T rows, S places, B of them a block, N = S/B blocks, K key-value heads, R query heads to each of them, D head size.
 */
import type { Graph, Value } from '../graph/index.js';

export interface HeadLayout {
  kvHeads: number;
  /** Query heads to a key-value head. */
  repeats: number;
  headDim: number;
  /** Places a block. */
  tile: number;
}

/** Where heads are found, as indices in a list of them. */
export interface HeadIndices {
  /** [N, K, R*B] of the queries and [N, K, B] of the keys in each block: which of the T times heads. */
  queryHeads: Value;
  keyHeads: Value;
  /** [T, K*R] and [T, K] of each row's heads: which of those in all blocks. */
  queryPlaces: Value;
  keyPlaces: Value;
}

/** From two inputs, which places.ts fills: the row at each place, and each row's place. */
export function headIndices(g: Graph, { kvHeads, repeats, tile }: HeadLayout): HeadIndices {
  const rowOf = g.input('row_of_place', 'int64', ['S']);
  const placeOf = g.input('place_of_row', 'int64', ['T']);
  const integer = (value: number): Value => g.scalar(value, 'int64');
  const block = g.op('Div', [placeOf, integer(tile)]);
  const numbered = (count: number, step: number, shape: readonly number[]): Value =>
    g.constant(
      'int64',
      shape,
      Array.from({ length: count }, (_, i) => i * step),
    );
  const inBlocks = (of: number): Value => {
    const heads = kvHeads * of;
    const first = g.op('Mul', [g.reshape(rowOf, [`S/${tile}`, 1, 1, tile]), integer(heads)]);
    const all = g.op('Add', [first, numbered(heads, 1, [1, kvHeads, of, 1])]);
    return g.reshape(all, [`S/${tile}`, kvHeads, of * tile]);
  };
  const ofRows = (of: number): Value => {
    const heads = kvHeads * of;
    // Heads of a block stand one behind the other, B places each.
    const first = g.op('Add', [placeOf, g.op('Mul', [block, integer((heads - 1) * tile)])]);
    return g.op('Add', [g.reshape(first, ['T', 1]), numbered(heads, tile, [1, heads])]);
  };
  return {
    queryHeads: inBlocks(repeats),
    keyHeads: inBlocks(1),
    queryPlaces: ofRows(repeats),
    keyPlaces: ofRows(1),
  };
}

/** [T, heads*D] -> [N, K, B or R*B, D] */
export const toBlocks = (g: Graph, rows: Value, heads: Value, { headDim }: HeadLayout): Value =>
  g.op('Gather', [g.reshape(rows, [-1, headDim]), heads], { axis: 0 });

/** [N, K, B or R*B, D] -> [T, heads*D] */
export const fromBlocks = (g: Graph, blocks: Value, places: Value, { headDim }: HeadLayout): Value => {
  const heads = places.shape[1] as number;
  return g.reshape(g.op('Gather', [g.reshape(blocks, [-1, headDim]), places], { axis: 0 }), [-1, heads * headDim]);
};
