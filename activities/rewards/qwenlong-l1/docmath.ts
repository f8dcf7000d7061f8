/** Numbers as the authors score them: 0.15 %, factors of 100, 1,000, 100,000 and some powers of ten, no signs (docmath.py). */
import {
  absolute,
  ceiling,
  divide,
  literal,
  logarithm,
  PythonError,
  type PythonNumber,
  times,
  toFloat,
} from './python-numbers.js';
import type { AuthorsRule } from './rule.js';

/** The first number that follows the marker. Python's IGNORECASE takes dotted and dotless i and the long s for i and s. */
const NUMBER = /[tT][hH][eE] [aA][nN][sSſ][wW][eE][rR] [iIİı][sSſ] (=?≈?`?%?\$?°?£?€?¥?-?[0-9.,]+)/;

function parse(text: string): string | null {
  const number = NUMBER.exec(text.replaceAll('*', ''))?.[1];
  return number === undefined ? null : withoutFinalStops(number.replaceAll(',', ''));
}

const withoutFinalStops = (text: string): string => text.slice(0, text.length - finalStops(text));

function finalStops(text: string): number {
  let count = 0;
  while (text.at(-1 - count) === '.') count += 1;
  return count;
}

/**
 * Their normalize() on what their extraction lets through: some signs, "-", digits and full stops. Its rule for units before
 * a number takes one or two leading full stops for one (".5" becomes 5); what Python cannot evaluate is 0.
 */
function evaluate(text: string): PythonNumber {
  const digits = text.replaceAll(/[=≈`%$°£€¥]/g, '');
  const unitless = /^\.{1,2}([0-9]+(?:\.+[0-9]+)?|\.+[0-9]+)$/.exec(digits)?.[1] ?? digits;
  return unitless === '' ? 0n : (literal(unitless) ?? 0n);
}

const within = (given: PythonNumber, wanted: PythonNumber): boolean => {
  const tolerance = toFloat(absolute(wanted)) * 0.0015;
  return given >= toFloat(wanted) - tolerance && given <= toFloat(wanted) + tolerance;
};

/** [at least so many times smaller, factor that is then forgiven] */
const FORGIVEN = [
  [50, 100],
  [500, 1000],
  [50_000, 100_000],
] as const;

const roundedUp = (x: PythonNumber): number => divide(ceiling(times(x, 1000)), 1000);

function same(given: PythonNumber, wanted: PythonNumber): boolean {
  const [a, b] = [absolute(wanted), absolute(given)];
  const [large, small] = b > a ? [b, a] : [a, b];
  if (large > 0 && small > 0 && isPowerOfTen(large, small)) return true;
  for (const [least, factor] of FORGIVEN)
    if (small <= divide(large, least) && within(times(small, factor), large)) return true;
  return roundedUp(large) === roundedUp(small) || within(given, wanted);
}

/** Whether the difference of the logarithms is whole; exact logarithms are dear and needed only where it could be. */
function isPowerOfTen(large: PythonNumber, small: PythonNumber): boolean {
  if (large === Number.POSITIVE_INFINITY) {
    if (small === large) throw new PythonError('ValueError', 'cannot convert float NaN to integer');
    throw new PythonError('OverflowError', 'cannot convert float infinity to integer');
  }
  const rough = Math.log10(Number(large)) - Math.log10(Number(small));
  if (Number.isFinite(rough) && Math.abs(rough - Math.round(rough)) > 1e-9) return false;
  return Number.isInteger(logarithm(large) - logarithm(small));
}

export const docmath: AuthorsRule = {
  parse,
  // Their evaluation puts the data set's number into the sentence and parses that.
  plainGold: gold => parse(`Therefore, the answer is ${gold}.`),
  compare(answer, gold) {
    if (gold === null) throw new PythonError('AttributeError', "'NoneType' object has no attribute 'strip'");
    const [given, wanted] = [evaluate(answer), evaluate(gold)];
    return {
      rule: 'within 0.15 %, a forgiven factor or the third decimal, whatever the signs',
      answer: String(given),
      gold: String(wanted),
      equal: caught(() => same(given, wanted)),
    };
  },
  judged: true,
};

/** They take numbers that overflow for different. */
function caught(compare: () => boolean): boolean {
  try {
    return compare();
  } catch (error) {
    if (error instanceof PythonError && error.type === 'OverflowError') return false;
    throw error;
  }
}
