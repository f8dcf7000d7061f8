/** Python's int and float: bigint and number, with the conversions, roundings and refusals of Python. */

export type PythonNumber = bigint | number;

/** What Python refuses: syntax, unknown names, a zero divisor, an overflow. */
export class PythonError extends Error {}

export type Binary = (left: PythonNumber, right: PythonNumber) => PythonNumber;

export function absolute(value: PythonNumber): PythonNumber {
  if (typeof value === 'number') return Math.abs(value);
  return value < 0n ? -value : value;
}

/** float(value): the nearest. */
export function toFloat(value: PythonNumber): number {
  return typeof value === 'number' ? value : finite(Number(value));
}

/** The true quotient, rounded once. */
export function divide(left: PythonNumber, right: PythonNumber): number {
  if (typeof left === 'bigint' && typeof right === 'bigint') return divideIntegers(left, right);
  return toFloat(left) / nonZero(toFloat(right));
}

function divideIntegers(left: bigint, right: bigint): number {
  if (right === 0n) throw new PythonError('division by zero');
  const [a, b] = [absolute(left) as bigint, absolute(right) as bigint];
  // 64 bits and one that says whether anything was left: Number() rounds such an integer as it would the quotient.
  const shift = Math.max(0, 66 - (bits(a) - bits(b)));
  const scaled = a << BigInt(shift);
  const quotient = ((scaled / b) << 1n) | (scaled % b === 0n ? 0n : 1n);
  const size = finite(
    shift > 1000 ? Number(quotient) * 2 ** -1000 * 2 ** (999 - shift) : Number(quotient) * 2 ** -(shift + 1),
  );
  return left < 0n === right < 0n ? size : -size;
}

const bits = (value: bigint): number => value.toString(2).length;

export function floorDivide(left: bigint, right: bigint): bigint {
  if (right === 0n) throw new PythonError('division by zero');
  const quotient = left / right;
  return left % right !== 0n && left < 0n !== right < 0n ? quotient - 1n : quotient;
}

export function power(base: PythonNumber, exponent: PythonNumber): PythonNumber {
  if (typeof base === 'bigint' && typeof exponent === 'bigint' && exponent >= 0n) {
    if (exponent * BigInt(bits(absolute(base) as bigint)) > MOST_BITS) throw new TooLarge();
    return base ** exponent;
  }
  const [b, e] = [toFloat(base), toFloat(exponent)];
  if (b === 0 && e < 0) throw new PythonError('zero to a negative power');
  // A complex number, of which the real part is used.
  if (b < 0 && !Number.isInteger(e)) return Math.abs(b) ** e * Math.cos(Math.PI * e);
  return mathPow(b, e);
}

export function mathPow(base: number, exponent: number): number {
  // V8's own powers of ten are not always the nearest ones; the C library's are.
  const value = base === 10 && Number.isInteger(exponent) ? Number(`1e${exponent}`) : base ** exponent;
  return Number.isFinite(base) && Number.isFinite(exponent) ? finite(value) : value;
}

/** An int of more bits is beyond all floats, by far. */
const MOST_BITS = 20_000n;

export class TooLarge extends PythonError {}

export function integer(text: string): bigint {
  // Python refuses to read more decimal digits than these.
  if (text.length > 4300 && /^\d+$/.test(text)) throw new PythonError('too many digits');
  return BigInt(text);
}

export function shift(value: bigint, by: bigint, given: bigint = by): bigint {
  if (given < 0n) throw new PythonError('negative shift count');
  if (by > MOST_BITS) throw new TooLarge();
  return value << by;
}

export function bitwise(operate: (left: bigint, right: bigint) => bigint): Binary {
  return (left, right) => {
    if (typeof left !== 'bigint' || typeof right !== 'bigint') throw new PythonError('a bit operation on floats');
    return operate(left, right);
  };
}

export function arithmetic(
  integers: (a: bigint, b: bigint) => bigint,
  floats: (a: number, b: number) => number,
): Binary {
  return (left, right) =>
    typeof left === 'bigint' && typeof right === 'bigint'
      ? integers(left, right)
      : floats(toFloat(left), toFloat(right));
}

export function nonZero(value: number): number {
  if (value === 0) throw new PythonError('division by zero');
  return value;
}

export function finite(value: number): number {
  if (!Number.isFinite(value)) throw new PythonError('overflow');
  return value;
}
