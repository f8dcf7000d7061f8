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

/** All else than attention goes by so many rows more than there are tokens at most. */
const ROW_STEP = 16;
/** Products sum in another order for 64 rows or fewer (product.ts). */
const LEAST_ROWS = 128;

/** Rows of so many tokens: those behind the last token's are nobody's. */
export const rowsOf = (tokens: number): number => Math.max(LEAST_ROWS, Math.ceil(tokens / ROW_STEP) * ROW_STEP);

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
  const put = (row: number): void => {
    placeOf.push(rowOf.length);
    rowOf.push(row);
  };
  const fillTile = (): void => {
    const start = rowOf.length;
    while (rowOf.length % tile !== 0) rowOf.push(0);
    if (rowOf.length > start) placed.push(alone(start, rowOf.length));
  };
  for (const { start, end, prefixStart, prefixEnd } of segments) {
    if ((tile - (rowOf.length % tile)) % tile <= tile * gap) fillTile();
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
  // Rows that are nobody's are apart from places that are: at these stand copies of rows that have gradients.
  const last = rowOf.length;
  for (let row = placeOf.length; row < rows; row++) put(row);
  if (rowOf.length > last) placed.push(alone(last, rowOf.length));
  fillTile();
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
