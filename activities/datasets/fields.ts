/** Fields that more than one kind of data has, as schemas: texts that a table may hold as numbers, and lists that it may hold as text. */
import { z } from 'zod';
import { valueOfJson, withoutNulls } from './json-text.js';

/** A text with something to read in it. */
export const text = z
  .string({ error: ({ input }) => `expected a text, found ${kindOf(input)}` })
  .refine(value => value.trim() !== '', { error: 'expected a text, found an empty one' });

/**
 * An id or an answer: a text, or a number or truth value as the text that people write for it.
 *
 * A number is written in decimal digits, without an exponent and without a fraction of nothing: 42.0 is "42", 1e3 "1000",
 * 1e-7 "0.0000001". True and false are "True" and "False", as Python prints them (and DocMath-Eval's programs do).
 */
export const scalarText = z
  .union([text, z.number(), z.boolean()], { error: issue => expectedScalar(issue.input) })
  .transform(textOf);

function expectedScalar(found: unknown): string {
  if (typeof found === 'string') return 'expected a text, found an empty one';
  if (typeof found === 'number') return `expected a text or a finite number, found ${found}`;
  return `expected a text, a number or a truth value, found ${kindOf(found)}`;
}

/** What stands there, in few words. */
export function kindOf(found: unknown): string {
  if (found === undefined || found === null) return 'nothing';
  if (typeof found === 'object') return Array.isArray(found) ? 'a list' : 'an object';
  return `the ${typeof found} ${found}`;
}

export function textOf(value: string | number | boolean): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return decimal(value);
}

/** The shortest decimal that names the number. */
function decimal(value: number): string {
  const [mantissa, exponent] = String(value).split('e') as [string, string?];
  if (exponent === undefined) return Object.is(value, -0) ? '0' : mantissa;
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(mantissa)!;
  const digits = whole! + fraction;
  const point = whole!.length + Number(exponent);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return `${sign}${digits.padEnd(point, '0')}`;
}

/** A list as JSON text, as tables hold it that know no lists; anything else is left for the schema. */
export const listOf = (value: unknown): unknown => {
  if (typeof value !== 'string' || !/^\s*\[/.test(value)) return value;
  try {
    return withoutNulls(valueOfJson(value));
  } catch {
    return value;
  }
};

/** A text that is a list of texts as JSON has it; "[0, 1]" may be an interval, and stays what it is. */
const TEXT_LIST = /^\s*\[\s*"/;

/** One answer or several; nulls in a list are none. */
export const answerTexts = z.preprocess(
  value =>
    [typeof value === 'string' && TEXT_LIST.test(value) ? listOf(value) : value].flat().filter(one => one !== null),
  z
    .array(
      scalarText.refine(one => !/^\s*\[\s*['"].*\]\s*$/s.test(one), {
        error: 'expected a list in JSON, found one as Python prints it',
      }),
    )
    .min(1, 'expected an answer, found an empty list'),
);
