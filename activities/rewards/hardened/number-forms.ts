/**
 * Numbers in digits as different hands write them. One reading each; where two are possible the English one holds:
 * - a comma or a full stop before three digits: 1,234 is 1234, and 1.234 is a little more than one;
 * - what only another hand writes is read as meant there: 1.234.567, 1.234,5, 1 234,5, 1'234.5, 12,34,567;
 * - a comma before one, two or more than three digits is a decimal sign where numbers are asked for. In document questions it
 *   may part two of them ("1,2"), and the text is no number.
 */
import { digits, divided, plus, type Rational, timesPowerOfTen } from './rational.js';

export interface NumberRules {
  /** Whether 12,5 is 12.5. */
  decimalComma: boolean;
}

/** A number at the start of a text, and what follows it. */
export interface NumberRead {
  value: Rational;
  rest: string;
}

const TOKEN = /^(?:\d+(?:[.,'’]\d+| \d{3}(?!\d))*|\.\d+)/;

/** The whole and the fraction of a token, by who writes it; what no row matches is no number. */
const FORMS: readonly (readonly [RegExp, decimalComma?: true])[] = [
  [/^(\d+)(?:\.(\d+))?$/],
  [/^()\.(\d+)$/],
  // English, Indian
  [/^([1-9]\d{0,2}(?:,\d{3})+)(?:\.(\d+))?$/],
  [/^([1-9]\d?(?:,\d{2})+,\d{3})(?:\.(\d+))?$/],
  // with blanks, Swiss
  [/^([1-9]\d{0,2}(?: \d{3})+)(?:[.,](\d+))?$/],
  [/^([1-9]\d{0,2}(?:['’]\d{3})+)(?:[.,](\d+))?$/],
  // with full stops
  [/^([1-9]\d{0,2}(?:\.\d{3})+),(\d+)$/],
  [/^([1-9]\d{0,2}(?:\.\d{3}){2,})()$/],
  [/^(\d+),(\d+)$/, true],
];

/** A number without a sign at the start of a text: 1,234.5, 1.5e3, 3/4, 3 1/2, (-1.5)/2, 2×10^6, 10^6. */
export function readDigits(text: string, rules: NumberRules): NumberRead | null {
  return readMixed(text) ?? readFraction(text, rules) ?? readPower(text, rules) ?? readPlain(text, rules);
}

function readPlain(text: string, { decimalComma }: NumberRules): NumberRead | null {
  const token = TOKEN.exec(text)?.[0];
  if (token === undefined) return null;
  for (const [form, comma] of FORMS) {
    const [, whole, fraction = ''] = form.exec(token) ?? [];
    if (whole === undefined || (comma && !decimalComma)) continue;
    const [exponent = '', power = '0'] = /^e([+-]?\d{1,3})(?![\d.,])/.exec(text.slice(token.length)) ?? [];
    const value = digits(whole.replaceAll(/\D/g, ''), fraction, Number(power));
    return value && { value, rest: text.slice(token.length + exponent.length) };
  }
  return null;
}

/** A proper fraction after its whole; 3 5/2 would be a product as well. */
const MIXED = /^(\d{1,9})(?: | and )(\d{1,9}) ?[/⁄] ?(\d{1,9})(?![\d/⁄.,'’])/;

function readMixed(text: string): NumberRead | null {
  const [all, whole, top, bottom] = MIXED.exec(text) ?? [];
  if (all === undefined || BigInt(top!) >= BigInt(bottom!)) return null;
  const part = { numerator: BigInt(top!), denominator: BigInt(bottom!) };
  return { value: plus({ numerator: BigInt(whole!), denominator: 1n }, part), rest: text.slice(all.length) };
}

function readFraction(text: string, rules: NumberRules): NumberRead | null {
  const top = readTerm(text, rules);
  const slash = top && /^ ?[/⁄÷] ?/.exec(top.rest)?.[0];
  const bottom = slash ? readTerm(top.rest.slice(slash.length), rules) : null;
  if (!top || !bottom || /^ ?[/⁄÷^]|^\d/.test(bottom.rest)) return null;
  const value = divided(top.value, bottom.value);
  return value && { value, rest: bottom.rest };
}

/** A number, or one with a sign in brackets. */
function readTerm(text: string, rules: NumberRules): NumberRead | null {
  const [opened = ''] = /^\( ?/.exec(text) ?? [];
  if (opened === '') return readPlain(text, rules);
  const [sign = ''] = /^[+-] ?/.exec(text.slice(opened.length)) ?? [];
  const read = readPlain(text.slice(opened.length + sign.length), rules);
  const closed = read && /^ ?\)/.exec(read.rest)?.[0];
  if (!read || !closed) return null;
  const { numerator, denominator } = read.value;
  return {
    value: { numerator: sign.startsWith('-') ? -numerator : numerator, denominator },
    rest: read.rest.slice(closed.length),
  };
}

const POWER_OF_TEN = /^10 ?(?:\^|\*\*) ?(?:\(([+-]?\d{1,3})\)|\{?([+-]?\d{1,3})\}?)(?![\d.,^])/;

function readPower(text: string, rules: NumberRules): NumberRead | null {
  const one: NumberRead = { value: { numerator: 1n, denominator: 1n }, rest: text };
  const factor = POWER_OF_TEN.test(text) ? one : readPlain(text, rules);
  const times = factor === one ? '' : factor && /^ ?[×x*·] ?/.exec(factor.rest)?.[0];
  if (!factor || times === undefined || times === null) return null;
  const rest = factor.rest.slice(times.length);
  const [all, bracketed, plain] = POWER_OF_TEN.exec(rest) ?? [];
  if (all === undefined) return null;
  return { value: timesPowerOfTen(factor.value, Number(bracketed ?? plain)), rest: rest.slice(all.length) };
}
