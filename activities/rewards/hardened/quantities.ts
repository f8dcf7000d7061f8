/** Quantities: a number in digits or words, with a scale ("5 million"), a currency or a unit. */
import { folded, normalise } from '../normal-text.js';
import { type NumberRead, type NumberRules, readDigits } from './number-forms.js';
import { readWords, SCALES } from './number-words.js';
import { negated, type Rational, sameNumber, shown, timesPowerOfTen } from './rational.js';
import { CURRENCY_PREFIXES, sameUnit, unitNamed } from './units.js';

export interface Quantity {
  value: Rational;
  unit: string | null;
  /** Whether the unit is one of units.ts, which an answer may leave out; other words may change what is meant. */
  known: boolean;
}

const CURRENCY = CURRENCY_PREFIXES.map(prefix => prefix.replace(/[$.]/g, '\\$&')).join('|');
const SIGNED = new RegExp(`^(minus |negative |[+-]?) ?(?:(${CURRENCY}) ?)?([+-]?) ?(.*)$`);
/** Short scales, which only money has: $5m is no length. */
const MONEY_SCALES: ReadonlyMap<string, number> = new Map([
  ['k', 3],
  ['m', 6],
  ['mn', 6],
  ['mm', 6],
  ['b', 9],
  ['bn', 9],
  ['t', 12],
]);

/** Longer texts are no quantity. */
const MAX_LENGTH = 500;

/** The quantity that a whole text is; null when it is none, or more than one. */
export function readQuantity(text: string, rules: NumberRules = { decimalComma: false }): Quantity | null {
  if (text.length > MAX_LENGTH) return null;
  const plain = folded(text)
    .replaceAll(/[−–‒﹣‐‑]/g, '-')
    .replaceAll(/\s+/g, ' ')
    .replace(/^[\s"'“”‘’[]+/, '')
    .replace(/[\s"'“”‘’\].]+$/, '');
  const [, before, prefix, after, rest] = SIGNED.exec(unbracketed(plain)) ?? [];
  if (rest === undefined || (before && after)) return null;
  // (0,9) and [0,9) are two numbers.
  const decimalComma = rules.decimalComma && !/^[\s"'“”‘’]*[([]/.test(text);
  const number = readDigits(rest, { decimalComma }) ?? readWords(rest);
  if (!number) return null;
  const currency = prefix === undefined ? null : unitNamed(prefix);
  const scaled = readScale(number, currency !== null);
  const unit = scaled.rest.trim() === '' ? null : readUnit(scaled.rest);
  if (unit?.unit === null) return null;
  if (currency !== null && unit && !(unit.known && sameUnit(currency, unit.unit))) return null;
  const value = (before !== '' && before !== '+') || after === '-' ? negated(scaled.value) : scaled.value;
  return currency !== null ? { value, unit: currency, known: true } : { value, unit: null, known: true, ...unit };
}

/** Without the brackets around all of it; those inside belong to the number: (-3)/4. */
function unbracketed(text: string): string {
  let plain = text.includes(')') ? text : text.replace(/^\(+/, '');
  if (!plain.includes('(')) plain = plain.replace(/[\s)]+$/, '');
  while (plain.startsWith('(') && plain.indexOf(')') === plain.length - 1) plain = plain.slice(1, -1).trim();
  return plain;
}

function readScale({ value, rest }: NumberRead, money: boolean): NumberRead {
  const match = /^[ -]?([a-z]+)(?![\p{L}\p{N}])/u.exec(rest);
  const power =
    match && (SCALES.get(match[1]!) ?? (money ? MONEY_SCALES.get(match[1]!) : undefined) ?? LONG[match[1]!]);
  return power ? { value: timesPowerOfTen(value, power), rest: rest.slice(match[0].length) } : { value, rest };
}

/** Short scales that are no unit's name. */
const LONG: Readonly<Record<string, number>> = { bn: 9, mn: 6 };

/** A unit, known or not; null inside where what follows the number is neither. */
function readUnit(rest: string): { unit: string | null; known: boolean } {
  // "5 - x" is a difference, "5-year" a unit.
  if (/^ - /.test(rest)) return { unit: null, known: false };
  const name = rest.trim().replace(/^-/, '').replace(/\.$/, '');
  const known = unitNamed(name);
  if (known !== null) return { unit: known, known: true };
  const joined = /^[^\s\p{L}]/u.test(rest) || /^\p{L}/u.test(rest);
  return { unit: !joined && /^[\p{L}\p{M} '’-]+$/u.test(name) ? normalise(name) : null, known: false };
}

export const shownQuantity = ({ value, unit }: Quantity): string => `${shown(value)}${unit === null ? '' : ` ${unit}`}`;

/** A known unit may be left out on one side; any other must be the same. */
export function unitsAgree(a: Quantity, b: Quantity): boolean {
  if (a.unit === null || b.unit === null) return a.known && b.known;
  return sameUnit(a.unit, b.unit);
}

export const sameQuantity = (a: Quantity, b: Quantity): boolean => unitsAgree(a, b) && sameNumber(a.value, b.value);
