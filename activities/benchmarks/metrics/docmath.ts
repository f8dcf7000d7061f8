/** DocMath-Eval's accuracy (its utils/evaluation_utils.py): how it reads a number out of an answer, and how near is near enough. */
import { evaluatePython, NO_NUMBER, type PythonValue } from './python-arithmetic.js';
import { absolute, divide, PythonError, type PythonNumber, toFloat } from './python-numbers.js';
import { strip } from './python-text.js';

/** Taken out wherever they stand, in this order: of "USD" a "D" is left. */
const DROPPED = ['£', '€', '¥', 'million', 'billion', 'thousand', 'US', 'USD', 'RMB'];
const AFTER_LAST = ['=', '≈'];
const MARKS = /[`%$°]/g;

/** Python's \d is a digit of any script, its $ also stands before a last line feed. */
const NUMBER = '(?:[\\p{Nd},]*\\.*\\p{Nd}+)';
const END = '(?=\\n?(?![\\s\\S]))';
/** A number beside a unit: what is kept is the group. */
const WITH_UNITS = [
  `^([-+]?${NUMBER}) [^0-9 ]+${END}`,
  `^[^0-9 ]+ ([-+]?${NUMBER})${END}`,
  `^([-+]?${NUMBER})[^\\p{Nd}]{1,2}${END}`,
  `^[^-+\\p{Nd}]{1,2}(${NUMBER})${END}`,
].map(pattern => new RegExp(pattern, 'u'));
const WITH_SEPARATORS = new RegExp(`^[-+]?(?:\\p{Nd}{1,3}(?:,\\p{Nd}{3})*|\\p{Nd}+)(?:\\.\\p{Nd}+)?${END}`, 'u');

/** The Python expression that the answer comes down to. */
function expression(answer: string): string {
  let text = strip(answer).replace(/\.+$/, '');
  for (const dropped of DROPPED) text = text.replaceAll(dropped, '');
  for (const sign of AFTER_LAST) if (text.includes(sign)) text = strip(text.split(sign).at(-1)!);
  text = text.replaceAll(MARKS, '');
  if (text === 'true' || text === 'yes' || text.includes('True')) text = 'True';
  else if (text === 'false' || text === 'no' || text.includes('False')) text = 'False';
  if (text.includes('approximately')) text = strip(text.replaceAll('approximately', ''));
  text = text.split(' or ')[0]!;
  for (const unit of WITH_UNITS) text = unit.exec(text)?.[1] ?? text;
  text = text
    .replaceAll(/10\^(-?\p{Nd}+)/gu, 'math.pow(10, $1)')
    .replaceAll(' x ', '*')
    .replaceAll(' × ', '*');
  if (WITH_SEPARATORS.test(text)) text = text.replaceAll(',', '');
  if (/\([a-d]\)/.test(text)) return '"option"';
  return text === '' ? '0' : text;
}

function readValue(answer: string): PythonValue {
  try {
    return evaluatePython(expression(answer));
  } catch (error) {
    if (error instanceof PythonError) return 0n; // so theirs: what cannot be read is 0
    throw error;
  }
}

/**
 * 1 or 0. Equal within 0.15 %, or at three decimals rounded up; or apart by a power of ten exactly, or by a factor of 100, 1,000
 * or 100,000 within the tolerance; the sign counts in none of these but the first. Throws RangeError when the gold is no number.
 */
export function docmathAccuracy(prediction: string, gold: string): number {
  const wanted = docmathGold(gold);
  // Their extraction says "None" where it finds nothing.
  if (prediction.toLowerCase().includes('none')) return 0;
  const value = readValue(prediction);
  if (value === NO_NUMBER) return 0;
  try {
    return isNear(value, wanted) ? 1 : 0;
  } catch (error) {
    if (error instanceof PythonError) return 0;
    throw error;
  }
}

const PLAIN_NUMBER = /^[-+]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][-+]?\d+(?:_\d+)*)?$/;
/** A boolean gold is the number that Python's float makes of it; the words are those that theirs reads in answers. */
const BOOLEANS: Readonly<Record<string, number>> = { True: 1, true: 1, yes: 1, False: 0, false: 0, no: 0 };

/** Whether the official program could take this for a gold answer: what Python's float reads, or a boolean. */
export function isDocmathGold(gold: string): boolean {
  const text = strip(gold);
  return Object.hasOwn(BOOLEANS, text) || PLAIN_NUMBER.test(text);
}

/** Python's float(gold). */
function docmathGold(gold: string): number {
  if (!isDocmathGold(gold))
    throw new RangeError(`expected a number as gold answer of a DocMath question, got ${JSON.stringify(gold)}`);
  const text = strip(gold);
  return BOOLEANS[text] ?? Number(text.replaceAll('_', ''));
}

/** Percent for shares, and units in thousands. */
const FACTORS = [100, 1000, 100_000];

function isNear(given: PythonNumber, wanted: number): boolean {
  const [a, b] = [Math.abs(wanted), absolute(given)];
  // A NaN, as of 1e999 - 1e999, takes neither place.
  let [larger, smaller]: [PythonNumber, PythonNumber] = [a, a];
  if (b > a) larger = b;
  if (b < a) smaller = b;
  if (!isZero(larger) && !isZero(smaller)) {
    const decades = Math.log10(divide(larger, smaller));
    if (!Number.isFinite(decades)) throw new PythonError('no integer');
    if (Number.isInteger(decades)) return true;
  }
  if (
    FACTORS.some(
      factor => smaller <= divide(larger, BigInt(factor / 2)) && withinTolerance(times(smaller, factor), larger),
    )
  )
    return true;
  if (roundedUp(larger) === roundedUp(smaller)) return true;
  return withinTolerance(given, wanted);
}

function withinTolerance(given: PythonNumber, wanted: PythonNumber): boolean {
  const centre = toFloat(wanted);
  const tolerance = Math.abs(centre) * 0.0015;
  return given >= centre - tolerance && given <= centre + tolerance;
}

/** Rounded up at three decimals. */
function roundedUp(value: PythonNumber): number {
  if (typeof value === 'bigint') return divide(value, 1n);
  const thousandths = value * 1000;
  if (!Number.isFinite(thousandths)) throw new PythonError('no integer');
  return Math.ceil(thousandths) / 1000;
}

const isZero = (value: PythonNumber): boolean => value === 0 || value === 0n;

const times = (value: PythonNumber, factor: number): PythonNumber =>
  typeof value === 'bigint' ? value * BigInt(factor) : value * factor;
