/** Which of the known names somebody may have meant. */

/** The known name that is the same but for case and separators, else the one of fewest edits, a third of its letters at most. */
export function nearest(typed: string, known: readonly unknown[]): string | undefined {
  const candidates = known
    .filter(name => typeof name === 'string')
    .map(name => ({ name, edits: edits(plain(typed), plain(name)) }))
    .filter(({ name, edits }) => edits <= Math.max(1, Math.floor(name.length / 3)) && edits < plain(typed).length);
  return candidates.sort((a, b) => a.edits - b.edits)[0]?.name;
}

/** A name without case and separators. */
export const plain = (name: string): string => name.replace(/[-_ ]/g, '').toLowerCase();

/** Letters inserted, removed, replaced or swapped with their neighbour (optimal string alignment). */
function edits(a: string, b: string): number {
  let [before, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
          ? before[j - 2]! + 1
          : Number.POSITIVE_INFINITY;
      row.push(Math.min(replaced, swapped, last[j]! + 1, row[j - 1]! + 1));
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}
