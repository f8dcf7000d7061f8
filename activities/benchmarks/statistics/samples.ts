/** What several answers to one question are worth. */

/** Throws RangeError when there is nothing to average. */
export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('nothing to average');
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * The chance that at least one of k answers, drawn from `answers` of which `right` are right, is right:
 * 1 - C(n-c, k) / C(n, k), unbiased (Chen et al. 2021, arXiv 2107.03374, eq. 1), as a product so that nothing overflows.
 * Averaged over items it is pass@k. Throws RangeError unless 1 <= k <= answers and 0 <= right <= answers, all whole.
 */
export function passAtK(answers: number, right: number, k: number): number {
  if (![answers, right, k].every(Number.isInteger) || right < 0 || right > answers || k < 1 || k > answers)
    throw new RangeError(
      `pass@${k}: expected k from 1 to the ${answers} answers there are, of which ${right} are right`,
    );
  let allWrong = 1;
  for (let drawn = 0; drawn < k; drawn++) allWrong *= Math.max(0, answers - right - drawn) / (answers - drawn);
  return 1 - allWrong;
}
