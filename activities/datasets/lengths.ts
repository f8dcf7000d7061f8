/** How lengths are spread, in few enough numbers to look at. */

export interface Lengths {
  count: number;
  least: number;
  median: number;
  mean: number;
  most: number;
  /** From the first bin that holds any to the last; above < length <= upTo. */
  bins: { above: number; upTo: number; count: number }[];
}

/** Two bins to a doubling: 1, 2, 3, 4, 6, 8, 12, 16, … */
function upperEdge(length: number): number {
  let power = 1;
  while (power < length) power *= 2;
  return power >= 4 && length <= power * 0.75 ? power * 0.75 : power;
}

const edgeAfter = (edge: number): number =>
  edge < 4 ? edge + 1 : Number.isInteger(Math.log2(edge)) ? edge * 1.5 : (edge * 4) / 3;
const edgeBefore = (edge: number): number =>
  edge <= 4 ? edge - 1 : Number.isInteger(Math.log2(edge)) ? edge * 0.75 : (edge * 2) / 3;

/** Null of nothing. */
export function lengthsOf(lengths: readonly number[]): Lengths | null {
  if (lengths.length === 0) return null;
  const sorted = [...lengths].sort((a, b) => a - b);
  const [least, most] = [sorted[0]!, sorted.at(-1)!];
  const counts = new Map<number, number>();
  for (const length of sorted) counts.set(upperEdge(length), (counts.get(upperEdge(length)) ?? 0) + 1);
  const bins: Lengths['bins'] = [];
  for (let edge = upperEdge(least); edge <= upperEdge(most); edge = edgeAfter(edge)) {
    bins.push({ above: edgeBefore(edge), upTo: edge, count: counts.get(edge) ?? 0 });
  }
  return {
    count: sorted.length,
    least,
    median: sorted[Math.floor((sorted.length - 1) / 2)]!,
    mean: sorted.reduce((sum, length) => sum + length, 0) / sorted.length,
    most,
    bins,
  };
}
