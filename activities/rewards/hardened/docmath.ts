/**
 * Numerical answers: within 0.15 % of the gold (the authors' tolerance; their forgiveness of factors, signs and lost decimals
 * is not here). Of a gold 0, 0 alone.
 *
 * Scales count ("5 million" is 5,000,000 and not 5); a known unit may be left out on one side. So may a per cent sign: 5 % is
 * the number 5 (its sign left out) and the number 0.05 (its value), but 5 without a sign is never 0.05.
 * Of an equation its right side counts, and every number before it has to be the same one (3/4 = 0.75).
 * A gold that is no number is compared as in document questions.
 */
import { answerStated, unwrapped } from '../answer.js';
import type { Comparison } from '../verdict.js';
import { compareAnswers, isYesOrNo } from './docqa.js';
import { type Quantity, readQuantity, shownQuantity, unitsAgree } from './quantities.js';
import { shown, timesPowerOfTen, withinTolerance } from './rational.js';

const PER_TEN_THOUSAND = 15n;

/** What may stand before the number. */
const LEAD =
  /^\s*(?:[~≈]\s*)?(?:(?:(?:is|are|was|were|equals?|equal to|approximately|approx\.?|about|roughly|around|exactly|precisely|therefore|thus)(?![\p{L}\p{N}])|:)\s*)*/iu;
/** Signs of equality, those of inequality apart; two of them are none. */
const EQUALITY = /(?<![<>!≠=:])[=≈](?!=)/;
/** What says that two sides are not the same, or offers another. */
const NOT_EQUAL = /[<>≤≥≠!]|==|:=|(?<!\p{L})(?:not|never|or|either|nor)(?!\p{L})|n['’]t(?!\p{L})|[,;]\s/iu;

/** An equation in unknowns, as x + y = 5, gives no number; a name or a calculation before it does. */
const UNKNOWNS = /[-+*/×·÷^√].*(?<!\p{L})\p{L}{1,2}(?!\p{L})|(?<!\p{L})\p{L}{1,2}(?!\p{L}).*[-+*/×·÷^√]|\d\p{L}/u;
const givesNone = (side: string): boolean => NOT_EQUAL.test(side) || UNKNOWNS.test(side);

/** The numbers that a text gives as one answer, the last of them as its value; null where it gives none. */
function readNumbers(text: string): Quantity[] | null {
  if (text.length > 1000) return null;
  const sides = text.split(EQUALITY);
  const read = sides.map(side => readQuantity(side.replace(LEAD, ''), { decimalComma: true }));
  if (!read.at(-1) || sides.slice(0, -1).some((side, k) => read[k] === null && givesNone(side))) return null;
  return read.filter(number => number !== null);
}

const close = (a: Quantity, b: Quantity): boolean => withinTolerance(a.value, b.value, PER_TEN_THOUSAND);

const asFraction = (percentage: Quantity): Quantity => ({
  value: timesPowerOfTen(percentage.value, -2),
  unit: null,
  known: true,
});

/** Of a percentage beside a number without a unit: its value. */
const fraction = (x: Quantity, other: Quantity): Quantity | null =>
  x.unit === '%' && other.unit === null ? asFraction(x) : null;

const isEqual = (given: Quantity, wanted: Quantity): boolean =>
  unitsAgree(given, wanted) &&
  (close(given, wanted) || close(fraction(given, wanted) ?? given, fraction(wanted, given) ?? wanted));

/** Whether a gold is a number, a formula or whatever else of a number's kind can be compared; a mere text ("blue") is not. */
export function isNumericGold(gold: string): boolean {
  const text = answerStated(gold)?.whole ?? unwrapped(gold);
  return /\p{Nd}/u.test(text) || isYesOrNo(text) || compareNumbers(text, text).rule !== 'text';
}

export function compareNumbers(answer: string, gold: string): Comparison {
  const wanted = readNumbers(gold)?.at(-1);
  if (!wanted) return compareAnswers(answer, gold);
  const numbers = readNumbers(answer);
  const given = numbers?.at(-1);
  if (!numbers || !given) {
    return { rule: 'numbers', answer: `no number: ${answer}`, gold: shownQuantity(wanted), equal: false };
  }
  const form = (x: Quantity, part: Quantity | null): string =>
    part ? `${shownQuantity(x)} or ${shown(part.value)}` : shownQuantity(x);
  return {
    rule: 'numbers within 0.15 %',
    answer: numbers.length > 1 ? numbers.map(shownQuantity).join(' = ') : form(given, fraction(given, wanted)),
    gold: form(wanted, fraction(wanted, given)),
    equal: numbers.every(number => isEqual(number, wanted)),
  };
}
