/** English number words: "twenty-one", "one hundred and five", "a million", "two thirds", "two and a half", "five point two". */
import type { NumberRead } from './number-forms.js';
import { digits, plus, type Rational } from './rational.js';

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
function readNumberWords(words: readonly string[]): { value: bigint; taken: number } | null {
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

const DENOMINATORS = new Map(
  ['half', 'third', 'quarter', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth', 'tenth'].map((name, i) => [name, i + 2]),
).set('fourth', 4);

/** A fraction's name: "third" after one, "thirds" after more; "twenty third" is none. */
function denominator(word: string | undefined, count: bigint): number | undefined {
  if (word === undefined) return undefined;
  const singular = word === 'halves' ? 'half' : word.replace(/s$/, '');
  return (word === singular) === (count === 1n) ? DENOMINATORS.get(singular) : undefined;
}

interface Taken {
  value: Rational;
  taken: number;
}

const whole = (value: bigint): Rational => ({ numerator: value, denominator: 1n });

/** "a half", "two thirds", "half", "half a" before a scale. */
function readPart(words: readonly string[]): Taken | null {
  if (words[0] === 'half') {
    const scaled = words[1] === 'a' && SCALES.has(words[2] ?? '');
    return { value: { numerator: 1n, denominator: 2n }, taken: scaled ? 2 : 1 };
  }
  const count = words[0] === 'a' || words[0] === 'an' ? { value: 1n, taken: 1 } : readNumberWords(words);
  const of = count && count.value > 0n ? denominator(words[count.taken], count.value) : undefined;
  return count && of !== undefined
    ? { value: { numerator: count.value, denominator: BigInt(of) }, taken: count.taken + 1 }
    : null;
}

/** "point" and its digits, after a whole. */
function readPoint(words: readonly string[], before: bigint): Taken | null {
  if (words[0] !== 'point') return null;
  const found = words.slice(1).map(word => small.get(word) ?? 10);
  const end = found.findIndex(value => value > 9);
  const decimals = found.slice(0, end < 0 ? undefined : end).join('');
  const value = decimals === '' ? null : digits(String(before), decimals, 0);
  return value && { value, taken: 1 + decimals.length };
}

function readAll(words: readonly string[]): Taken | null {
  const part = readPart(words);
  if (part) return part;
  const base = readNumberWords(words);
  if (!base) return null;
  const after = words.slice(base.taken);
  const point = readPoint(after, base.value);
  if (point) return { value: point.value, taken: base.taken + point.taken };
  const more = after[0] === 'and' ? readPart(after.slice(1)) : null;
  if (more) return { value: plus(whole(base.value), more.value), taken: base.taken + 1 + more.taken };
  return { value: whole(base.value), taken: base.taken };
}

/** A number in words at the start of a text. */
export function readWords(text: string): NumberRead | null {
  const words = text.split(/[ -]/);
  const read = readAll(words);
  return read && { value: read.value, rest: ['', ...words.slice(read.taken)].join(' ') };
}
