/** How large the tiles of attention are: small ones waste less on what is hidden, large ones less on their visits. */
import { alone, placeRows } from './places.js';
import { attentionWork, type Stream } from './plan.js';

/** Tokens a block. */
export const TILES = [128, 256, 512] as const;

/** The stream in the tiles with which attention takes the least work; of equals the one in smaller tiles. */
export function leastWork<S extends Stream>(inTilesOf: (tile: number) => S): S {
  const streams = TILES.map(inTilesOf);
  const work = streams.map(attentionWork);
  return streams[work.indexOf(Math.min(...work))]!;
}

/** The tile of a sequence that goes alone. */
export const tileOf = (tokens: number): number =>
  leastWork(tile => placeRows([alone(0, tokens)], tokens, tile, 0)).tile;
