/** Packed streams for tests: segments as plan.ts takes them, and what their tokens see, spelled out. */
import type { Segment } from '../../activities/engine/model/plan';
import type { RandomStream } from '../../activities/engine/random';
import { between } from './graphs';

export interface Stream {
  segments: Segment[];
  /** Padding included. */
  length: number;
}

/** A sequence of its own. */
export const plain = (start: number, end: number): Segment => ({ start, end, prefixStart: start, prefixEnd: start });

/** `prompt` tokens from `start` on, with responses of these lengths behind them. */
export function sharedPrompt(start: number, prompt: number, responses: readonly number[]): Segment[] {
  const prefixEnd = start + prompt;
  let next = prefixEnd;
  const segments = responses.map(length => {
    next += length;
    return { start: next - length, end: next, prefixStart: start, prefixEnd };
  });
  return prompt > 0 ? [plain(start, prefixEnd), ...segments] : segments;
}

/** One to four groups, prompts from no token to several tiles, the last tile padded. */
export function randomSegments(random: RandomStream, tile: number): Stream {
  const segments: Segment[] = [];
  const end = (): number => segments.at(-1)?.end ?? 0;
  for (let group = between(random, 1, 4); group > 0; group--) {
    const prompt = random.below(3) === 0 ? 0 : random.below(3 * tile);
    const responses = Array.from({ length: between(random, 1, 4) }, () => between(random, 1, 2 * tile));
    segments.push(...sharedPrompt(end(), prompt, responses));
  }
  const length = Math.ceil(end() / tile) * tile;
  return { segments: length > end() ? [...segments, plain(end(), length)] : segments, length };
}

/** Whether a query sees a key, [queries][keys]: its own segment up to itself and the whole of its prefix. */
export function visibility(segments: readonly Segment[], length: number): boolean[][] {
  return Array.from({ length }, (_, query) => {
    const { start, prefixStart, prefixEnd } = segments.find(s => s.start <= query && query < s.end)!;
    return Array.from(
      { length },
      (_, key) => (start <= key && key <= query) || (prefixStart <= key && key < prefixEnd),
    );
  });
}
