/** Lines in parts of bounded size: prompts of a long-context set together are more than one text can hold. */
import { readLines, type Store } from '../store/index.js';

/** Lines too many for one file: their parts, in order. */
export interface PartList {
  count: number;
  /** `tokens`: what they take at most, where shards are made of them. */
  parts: { uri: string; sha256: string; from: number; count: number; tokens?: number }[];
}

/** What a part holds at most, unless one item alone has more tokens. */
export interface PartBounds {
  items: number;
  tokens: number;
}

/** For an engine: enough to batch well; of long documents only a few, so that little is lost with a part. */
export const ENGINE_PARTS: PartBounds = { items: 64, tokens: 1 << 18 };
/** For an endpoint, whose replies are kept one by one: what one file bears, since each part waits for its slowest reply. */
export const ENDPOINT_PARTS: PartBounds = { items: 4096, tokens: 1 << 24 };

/**
 * Where each part begins, given the tokens that every item takes.
 * @param shards so many parts of about equal tokens there are at least, where there are items enough
 */
export function partStarts(tokens: readonly number[], bounds: PartBounds, shards = 1): number[] {
  const all = tokens.reduce((sum, count) => sum + count, 0);
  const starts: number[] = [];
  let held = { items: 0, tokens: 0, shard: -1 };
  let before = 0;
  tokens.forEach((count, k) => {
    // By its middle, so that of an item on the border the larger half decides.
    const shard = Math.floor(((before + count / 2) * shards) / all);
    before += count;
    if (shard !== held.shard || held.items === bounds.items || held.tokens + count > bounds.tokens) {
      starts.push(k);
      held = { items: 0, tokens: 0, shard };
    }
    held = { items: held.items + 1, tokens: held.tokens + count, shard };
  });
  return starts;
}

/** The lines, a part at a time. */
export async function* readParts<T>(store: Store, list: PartList): AsyncGenerator<{ from: number; lines: T[] }> {
  for (const part of list.parts) yield { from: part.from, lines: await readLines<T>(store, part) };
}
