/** How large the tiles of attention are: small ones waste less on what is hidden, large ones less on their visits. */
import { attentionWork, type Segment, type Stream } from './plan.js';

/** Tokens a block. */
export const TILES = [128, 256, 512] as const;

/** The stream in the tiles with which attention takes the least work; of equals the one in smaller tiles. */
export function leastWork<S extends Stream>(inTilesOf: (tile: number) => S): S {
  const streams = TILES.map(inTilesOf);
  const work = streams.map(attentionWork);
  return streams[work.indexOf(Math.min(...work))]!;
}

/** A sequence of its own from `start` on, the start of a tile, and what fills up its last tile: that sees itself, nothing sees it. */
export function aloneInTiles(tokens: number, tile: number, start = 0): Segment[] {
  const plain = (from: number, to: number): Segment => ({ start: from, end: to, prefixStart: from, prefixEnd: from });
  const [end, filled] = [start + tokens, start + filledUp(tokens, tile)];
  return filled > end ? [plain(start, end), plain(end, filled)] : [plain(start, end)];
}

/** So many tokens in whole tiles. */
export const filledUp = (tokens: number, tile: number): number => Math.ceil(tokens / tile) * tile;

/** The tile of a sequence that goes alone. */
export const tileOf = (tokens: number): number =>
  leastWork(tile => ({ segments: aloneInTiles(tokens, tile), length: filledUp(tokens, tile), tile })).tile;
