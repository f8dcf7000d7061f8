/**
 * The greatest length of 0 … `most` that counts at most `wanted` tokens. Counts all but grow with the length, so
 * interpolation finds it in a few steps.
 */
export function longest(most: number, wanted: number, count: (length: number) => number): number {
  let [low, high] = [0, most];
  let [lowCount, highCount] = [0, count(most)];
  if (highCount <= wanted) return most;
  for (let step = 0; high - low > 1; step++) {
    const share = step % 3 === 2 ? 0.5 : (wanted + 0.5 - lowCount) / (highCount - lowCount);
    const middle = Math.min(Math.max(low + Math.floor((high - low) * share), low + 1), high - 1);
    const found = count(middle);
    if (found <= wanted) [low, lowCount] = [middle, found];
    else [high, highCount] = [middle, found];
  }
  return low;
}
