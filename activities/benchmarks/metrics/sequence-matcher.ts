/**
 * The similarity of two texts as Python's difflib has it (Ratcliff and Metzener 1988), code point by code point: twice what
 * they have in common, over their lengths. What is common is the longest run that both have, and the same again on either
 * side of it. As there, of long texts code points that stand in more than a hundredth of the places begin no run.
 */

/** `SequenceMatcher(None, a, b).ratio()`, from 0 to 1. */
export function similarity(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  const length = left.length + right.length;
  return length === 0 ? 1 : (2 * commonLength(left, right)) / length;
}

interface Span {
  aFrom: number;
  aTo: number;
  bFrom: number;
  bTo: number;
}

function commonLength(a: readonly string[], b: readonly string[]): number {
  const places = placesOf(b);
  const open: Span[] = [{ aFrom: 0, aTo: a.length, bFrom: 0, bTo: b.length }];
  let common = 0;
  for (let span = open.pop(); span; span = open.pop()) {
    const { at, bt, size } = longestRun(a, b, places, span);
    if (size === 0) continue;
    common += size;
    const { aFrom, aTo, bFrom, bTo } = span;
    if (aFrom < at && bFrom < bt) open.push({ aFrom, aTo: at, bFrom, bTo: bt });
    if (at + size < aTo && bt + size < bTo) open.push({ aFrom: at + size, aTo, bFrom: bt + size, bTo });
  }
  return common;
}

const LONG = 200;

/** Where each code point stands, without those that stand nearly everywhere. */
function placesOf(b: readonly string[]): Map<string, number[]> {
  const places = new Map<string, number[]>();
  b.forEach((point, k) => {
    const known = places.get(point);
    if (known) known.push(k);
    else places.set(point, [k]);
  });
  if (b.length < LONG) return places;
  const most = Math.floor(b.length / 100) + 1;
  for (const [point, { length }] of places) if (length > most) places.delete(point);
  return places;
}

/** Of the longest runs the one that begins first in `a`, and of these first in `b`; then as far as both go on alike. */
function longestRun(
  a: readonly string[],
  b: readonly string[],
  places: ReadonlyMap<string, readonly number[]>,
  { aFrom, aTo, bFrom, bTo }: Span,
): { at: number; bt: number; size: number } {
  let [at, bt, size] = [aFrom, bFrom, 0];
  let before = new Map<number, number>();
  for (let i = aFrom; i < aTo; i++) {
    const runs = new Map<number, number>();
    for (const j of places.get(a[i]!) ?? []) {
      if (j < bFrom) continue;
      if (j >= bTo) break;
      const run = (before.get(j - 1) ?? 0) + 1;
      runs.set(j, run);
      if (run > size) [at, bt, size] = [i - run + 1, j - run + 1, run];
    }
    before = runs;
  }
  while (at > aFrom && bt > bFrom && a[at - 1] === b[bt - 1]) [at, bt, size] = [at - 1, bt - 1, size + 1];
  while (at + size < aTo && bt + size < bTo && a[at + size] === b[bt + size]) size++;
  return { at, bt, size };
}
