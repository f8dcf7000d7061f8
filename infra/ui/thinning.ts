/** Long lines with fewer points that look the same: of each stretch what is least and what is most. */

/**
 * Which places of a line to keep.
 * @param columns series over the same places; NaN is a gap
 * @param most about so many are kept; all where there are no more
 */
export function thinned(columns: readonly (readonly number[])[], length: number, most: number): number[] {
  if (length <= most) return Array.from({ length }, (_, k) => k);
  const stretches = Math.max(1, Math.floor(most / (2 * Math.max(1, columns.length))));
  const kept = new Set([0, length - 1]);
  for (let s = 0; s < stretches; s++) {
    const [from, to] = [s, s + 1].map(at => Math.floor((at * length) / stretches)) as [number, number];
    for (const column of columns) {
      let [least, most] = [-1, -1];
      for (let k = from; k < to; k++) {
        const value = column[k]!;
        if (Number.isNaN(value)) continue;
        if (least < 0 || value < column[least]!) least = k;
        if (most < 0 || value > column[most]!) most = k;
      }
      if (least >= 0) kept.add(least).add(most);
    }
  }
  return [...kept].sort((a, b) => a - b);
}
