/** Exact numbers: what a tolerance allows must not hang on how a double was rounded. */

/** numerator / denominator, the denominator positive; not in lowest terms. */
export interface Rational {
  numerator: bigint;
  denominator: bigint;
}

/** Beyond so many digits or powers of ten a text is no number that an answer would have. */
const MAX_POWER = 400;

/** whole.fraction times a power of ten, both in plain digits; null where that is no number ("007" is a name) or beyond measure. */
export function digits(whole: string, fraction: string, power: number): Rational | null {
  if (/^0\d/.test(whole) || whole.length + fraction.length > MAX_POWER || Math.abs(power) > MAX_POWER) return null;
  return timesPowerOfTen({ numerator: BigInt(whole + fraction), denominator: 1n }, power - fraction.length);
}

/** Null where the divisor is zero. */
export function divided(top: Rational, bottom: Rational): Rational | null {
  const [numerator, denominator] = [top.numerator * bottom.denominator, top.denominator * bottom.numerator];
  if (denominator === 0n) return null;
  return denominator < 0n ? { numerator: -numerator, denominator: -denominator } : { numerator, denominator };
}

export function timesPowerOfTen({ numerator, denominator }: Rational, power: number): Rational {
  const factor = 10n ** BigInt(Math.abs(power));
  return power < 0 ? { numerator, denominator: denominator * factor } : { numerator: numerator * factor, denominator };
}

export const negated = ({ numerator, denominator }: Rational): Rational => ({ numerator: -numerator, denominator });

export const plus = (a: Rational, b: Rational): Rational => ({
  numerator: a.numerator * b.denominator + b.numerator * a.denominator,
  denominator: a.denominator * b.denominator,
});

export const sameNumber = (a: Rational, b: Rational): boolean =>
  a.numerator * b.denominator === b.numerator * a.denominator;

const magnitude = (x: bigint): bigint => (x < 0n ? -x : x);

/** |given - wanted| <= perTenThousand / 10,000 |wanted|: of zero, zero alone. */
export function withinTolerance(given: Rational, wanted: Rational, perTenThousand: bigint): boolean {
  const difference = magnitude(given.numerator * wanted.denominator - wanted.numerator * given.denominator);
  return difference * 10_000n <= perTenThousand * magnitude(wanted.numerator) * given.denominator;
}

/** In digits where they end, else as a fraction. */
export function shown({ numerator, denominator }: Rational): string {
  const divisor = greatestCommonDivisor(magnitude(numerator), denominator);
  const [top, bottom] = [numerator / divisor, denominator / divisor];
  if (bottom === 1n) return String(top);
  for (let places = 1, power = 10n; places <= MAX_POWER; places++, power *= 10n) {
    if (power % bottom !== 0n) {
      // Only twos and fives divide a power of ten; 2^n needs n places.
      if (places > bottom.toString(2).length) break;
      continue;
    }
    const digits = String(magnitude(top) * (power / bottom)).padStart(places + 1, '0');
    return `${top < 0n ? '-' : ''}${digits.slice(0, -places)}.${digits.slice(-places)}`;
  }
  return `${top}/${bottom}`;
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}
