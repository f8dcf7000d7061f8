/**
 * Numerical answers: within 0.15 % of the gold (the authors' tolerance; their forgiveness of factors, signs and lost decimals
 * is not here). Of a gold 0, 0 alone.
 *
 * Scales count ("5 million" is 5,000,000 and not 5); a known unit may be left out on one side. So may a per cent sign: 5 % is
 * the number 5 (its sign left out) and the number 0.05 (its value), but 5 without a sign is never 0.05.
 * A gold that is no number is compared as in document questions.
 */
import type { Comparison } from '../verdict.js';
import { compareAnswers } from './docqa.js';
import { type Quantity, readQuantity, shownQuantity, unitsAgree } from './quantities.js';
import { shown, timesPowerOfTen, withinTolerance } from './rational.js';

const PER_TEN_THOUSAND = 15n;

/** What may stand before the number: "x = ", "≈ ", "approximately ". */
const LEAD = /^(?:[^=≈\d]*[=≈]|[~≈])?\s*(?:(?:approximately|approx\.?|about|roughly|around)\s+)?/i;

const readNumber = (text: string): Quantity | null => readQuantity(text.trim().replace(LEAD, ''));

const close = (a: Quantity, b: Quantity): boolean => withinTolerance(a.value, b.value, PER_TEN_THOUSAND);

const asFraction = (percentage: Quantity): Quantity => ({
  value: timesPowerOfTen(percentage.value, -2),
  unit: null,
  known: true,
});

export function compareNumbers(answer: string, gold: string): Comparison {
  const wanted = readNumber(gold);
  if (!wanted) return compareAnswers(answer, gold);
  const given = readNumber(answer);
  if (!given) return { rule: 'numbers', answer: `no number: ${answer}`, gold: shownQuantity(wanted), equal: false };
  const fraction = (x: Quantity, other: Quantity): Quantity | null =>
    x.unit === '%' && other.unit === null ? asFraction(x) : null;
  const [givenFraction, wantedFraction] = [fraction(given, wanted), fraction(wanted, given)];
  const equal =
    unitsAgree(given, wanted) && (close(given, wanted) || close(givenFraction ?? given, wantedFraction ?? wanted));
  const form = (x: Quantity, part: Quantity | null): string =>
    part ? `${shownQuantity(x)} or ${shown(part.value)}` : shownQuantity(x);
  return {
    rule: 'numbers within 0.15 %',
    answer: form(given, givenFraction),
    gold: form(wanted, wantedFraction),
    equal,
  };
}
