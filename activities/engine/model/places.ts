/**
 * Where the rows of a batch stand in attention's stream. Attention goes by whole tiles, so some of its places are nobody's;
 * all else is computed on rows alone, which stand without gaps.
 */
import type * as ort from 'onnxruntime-node';
import { integers } from '../graph/index.js';
import type { Side } from './lanes.js';
import { planTiles, type Segment, type Stream } from './plan.js';

export interface PlacedRows extends Stream {
  /** [length]: the row at each place; any row at those that are nobody's. */
  rowOf: readonly number[];
  /** [rows]: each row's place. */
  placeOf: readonly number[];
}

/** How many rows are computed, and with it the order in which gradients are summed over them. */
export const ROWS = {
  /** Products of an odd number of rows take longer. */
  step: 16,
  /** Products sum in another order for 64 rows or fewer (product.ts). */
  least: 128,
} as const;

/** Rows of so many tokens: those behind the last token's are nobody's. */
export const rowsOf = (tokens: number): number => Math.max(ROWS.least, Math.ceil(tokens / ROWS.step) * ROWS.step);

/** A sequence that continues nothing. */
export const alone = (start: number, end: number): Segment => ({ start, end, prefixStart: start, prefixEnd: start });

/**
 * Places segments one behind the other. What is nobody's sees itself, and nothing else sees it.
 *
 * @param segments in rows, in order and without gaps from 0 on
 * @param rows that get a place; those behind the segments' are nobody's
 * @param gap share of a tile up to which places are skipped so that a segment begins with a tile; 1 begins each with one
 */
export function placeRows(segments: readonly Segment[], rows: number, tile: number, gap: number): PlacedRows {
  const rowOf: number[] = [];
  const placeOf: number[] = [];
  const placed: Segment[] = [];
  let behind = segments.at(-1)?.end ?? 0;
  const put = (row: number): void => {
    placeOf[row] = rowOf.length;
    rowOf.push(row);
  };
  const close = (start: number): void => {
    if (rowOf.length > start) placed.push(alone(start, rowOf.length));
  };
  // Rows that are nobody's have no gradient, and are apart from the copies of a row that has one.
  const fillUp = (end: number): void => {
    const start = rowOf.length;
    while (rowOf.length < end && behind < rows) put(behind++);
    close(start);
    const copies = rowOf.length;
    while (rowOf.length < end) rowOf.push(0);
    close(copies);
  };
  const wholeTiles = (places: number): number => Math.ceil(places / tile) * tile;
  for (const { start, end, prefixStart, prefixEnd } of segments) {
    const next = wholeTiles(rowOf.length);
    if (next - rowOf.length <= tile * gap) fillUp(next);
    const first = rowOf.length;
    for (let row = start; row < end; row++) put(row);
    const prefix = prefixEnd > prefixStart ? placeOf[prefixStart]! : first;
    placed.push({
      start: first,
      end: rowOf.length,
      prefixStart: prefix,
      prefixEnd: prefix + prefixEnd - prefixStart,
    });
  }
  fillUp(wholeTiles(rowOf.length));
  fillUp(rowOf.length + wholeTiles(rows - behind));
  return { segments: placed, length: rowOf.length, tile, rowOf, placeOf };
}

/** The feeds of attention.ts's inputs: the plan of the stream's tiles, and which row stands where. */
export function attentionFeeds(placed: PlacedRows, sides: readonly Side[]): ort.InferenceSession.FeedsType {
  const { rowOf, placeOf } = placed;
  return {
    ...planTiles(placed, sides),
    row_of_place: integers(rowOf, [rowOf.length]),
    place_of_row: integers(placeOf, [placeOf.length]),
  };
}
