/** What a response's reward loses by its length. */
import type { OverlongSettings } from '../protocol/index.js';

/** DAPO's soft overlong punishment (arXiv 2503.14476, eq. 13), `length` in tokens: 0, then falling to -1 at maxLength, -1 beyond. */
export function overlongPenalty(length: number, { maxLength, cache }: OverlongSettings): number {
  if (length <= maxLength - cache) return 0;
  return length <= maxLength ? (maxLength - cache - length) / cache : -1;
}
