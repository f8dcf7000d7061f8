/** English number words: "twenty-one", "one hundred and five", "a million". */

const SMALL = [
  ...['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve'],
  ...['thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen', 'nineteen'],
];
const TENS = ['twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'];

const small = new Map(SMALL.map((word, value) => [word, value]));
const tens = new Map(TENS.map((word, i) => [word, 20 + 10 * i]));

/** Powers of ten that multiply what stands before them. */
export const SCALES: ReadonlyMap<string, number> = new Map([
  ['hundred', 2],
  ['thousand', 3],
  ['million', 6],
  ['billion', 9],
  ['trillion', 12],
]);

/**
 * The number at the start of the words and how many of them it takes; null where they start with none. What does not make
 * one number ("nineteen eighty-seven", "two five") is none, since only the whole would mean what was said.
 */
export function readNumberWords(words: readonly string[]): { value: bigint; taken: number } | null {
  let [total, group, taken] = [0n, 0n, 0];
  // What may come next: below this value within the group, and below this power among the groups.
  let [room, power] = [1000, 15];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const value = small.get(word) ?? tens.get(word);
    const scale = SCALES.get(word);
    if (value !== undefined) {
      if (value >= room || (value === 0 && taken > 0)) return null;
      group += BigInt(value);
      room = value >= 20 ? 10 : 0;
    } else if (word === 'hundred') {
      if (group === 0n || group > 9n) return null;
      group *= 100n;
      room = 100;
    } else if (scale !== undefined) {
      if (group === 0n || scale >= power) return null;
      total += group * 10n ** BigInt(scale);
      [group, room, power] = [0n, 1000, scale];
    } else if ((word === 'a' || word === 'an') && taken === 0 && SCALES.has(words[at + 1] ?? '')) {
      [group, room] = [1n, 0];
    } else if (word === 'and' && taken > 0 && continues(words, at)) {
      continue;
    } else break;
    taken = at + 1;
  }
  return taken === 0 ? null : { value: total + group, taken };
}

/** "and" belongs to a number between hundred, thousand, … and something smaller. */
function continues(words: readonly string[], at: number): boolean {
  const next = words[at + 1] ?? '';
  return SCALES.has(words[at - 1]!) && (small.has(next) || tens.has(next));
}
