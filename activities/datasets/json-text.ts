/**
 * JSON as data libraries write it, beyond the standard: Python's NaN and Infinity, and integers that a double cannot hold, which
 * become text so that no digit is lost.
 */

/** @throws Error where the text is not JSON */
export function valueOfJson(text: string): unknown {
  // Most records need no second look.
  if (!MAY_NEED_CARE.test(text)) return JSON.parse(text);
  return JSON.parse(standard(text));
}

const MAY_NEED_CARE = /\d{16}|NaN|Infinity/;

/** An overflowing number reads as an infinite one, which no field takes. */
const NOT_STANDARD: [RegExp, (found: string) => string][] = [
  [/\bNaN\b/g, () => 'null'],
  [/\bInfinity\b/g, () => '1e999'],
  [/(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g, digits => (Number.isSafeInteger(Number(digits)) ? digits : `"${digits}"`)],
];

/** What stands outside of strings is rewritten; the strings are left alone. */
function standard(text: string): string {
  const parts: string[] = [];
  for (let at = 0; at < text.length; ) {
    const open = text.indexOf('"', at);
    const end = open < 0 ? text.length : open;
    parts.push(NOT_STANDARD.reduce((part, [found, put]) => part.replace(found, put), text.slice(at, end)));
    if (open < 0) break;
    at = stringEnd(text, open);
    parts.push(text.slice(open, at));
  }
  return parts.join('');
}

/** Behind the quotation mark that ends the string begun at `open`. */
function stringEnd(text: string, open: number): number {
  for (let close = text.indexOf('"', open + 1); close >= 0; close = text.indexOf('"', close + 1)) {
    let slashes = 0;
    while (text[close - 1 - slashes] === '\\') slashes++;
    if (slashes % 2 === 0) return close + 1;
  }
  return text.length;
}

/**
 * A record without the fields that are null: libraries that write tables have them in place of absence. Nulls in a list stay,
 * since its places may count. Throws RangeError where it is nested too deeply to be gone through.
 */
export function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutNulls);
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, field]) => (field === null ? [] : [[name, withoutNulls(field)]])),
  );
}
