/** Python's int and float, as far as the authors' arithmetic goes: an int is a bigint here, a float a number. */
import { log10 } from './log10.js';

export type PythonNumber = bigint | number;

/** What the authors' Python would raise. */
export class PythonError extends Error {
  constructor(
    readonly type: 'AttributeError' | 'OverflowError' | 'ValueError',
    message: string,
  ) {
    super(message);
  }
}

/** Longer int literals are a SyntaxError (sys.int_info.default_max_str_digits). */
const MAX_DIGITS = 4300;

/**
 * What eval() makes of a sign, digits and full stops. Null where it raises a SyntaxError: "1.2.3", and ints with leading
 * zeros or too many digits.
 */
export function literal(text: string): PythonNumber | null {
  const [, sign, digits] = /^(-?)([0-9.]*)$/.exec(text)!;
  if (/^(?:[0-9]+\.[0-9]*|\.[0-9]+)$/.test(digits!)) return sign ? -Number(digits) : Number(digits);
  if (!/^(?:0+|[1-9][0-9]*)$/.test(digits!) || digits!.length > MAX_DIGITS) return null;
  return sign ? -BigInt(digits!) : BigInt(digits!);
}

export const absolute = (x: PythonNumber): PythonNumber => (x < 0 ? -x : x);

export const times = (x: PythonNumber, factor: number): PythonNumber =>
  typeof x === 'bigint' ? x * BigInt(factor) : x * factor;

/** @throws PythonError OverflowError beyond the largest double */
export function toFloat(x: PythonNumber): number {
  const float = Number(x);
  if (typeof x === 'bigint' && !Number.isFinite(float))
    throw new PythonError('OverflowError', 'int too large to convert to float');
  return float;
}

/** x / divisor for x >= 0: of ints, the double nearest to the true quotient. */
export function divide(x: PythonNumber, divisor: number): number {
  if (typeof x === 'number') return x / divisor;
  if (x <= Number.MAX_SAFE_INTEGER) return Number(x) / divisor;
  const wanted = 64;
  const shift = bitLength(x) - wanted;
  if (shift > 1100) throw new PythonError('OverflowError', 'integer division result too large for a float');
  const [top, bottom] = shift > 0 ? [x, BigInt(divisor) << BigInt(shift)] : [x << BigInt(-shift), BigInt(divisor)];
  const quotient = top / bottom;
  // One sticky bit below says that something was left, so that Number() rounds as the whole quotient would.
  const float = Number((quotient << 1n) | (top % bottom === 0n ? 0n : 1n)) * 2 ** -1;
  const scaled = float * 2 ** Math.trunc(shift / 2) * 2 ** (shift - Math.trunc(shift / 2));
  if (!Number.isFinite(scaled)) throw new PythonError('OverflowError', 'integer division result too large for a float');
  return scaled;
}

/** math.ceil */
export function ceiling(x: PythonNumber): bigint {
  if (typeof x === 'bigint') return x;
  if (!Number.isFinite(x)) throw new PythonError('OverflowError', 'cannot convert float infinity to integer');
  return BigInt(Math.ceil(x));
}

/** math.log10 for x > 0; ints beyond the largest double by mantissa and exponent. */
export function logarithm(x: PythonNumber): number {
  const float = Number(x);
  if (typeof x === 'number' || Number.isFinite(float)) return log10(float);
  const bits = bitLength(x);
  const mantissa = Number(((x >> BigInt(bits - 64)) << 1n) | 1n) / 2 ** 65;
  return mantissa === 1 ? log10(0.5) + log10(2) * (bits + 1) : log10(mantissa) + log10(2) * bits;
}

const bitLength = (x: bigint): number => {
  const hex = x.toString(16);
  return 4 * hex.length - (Math.clz32(Number.parseInt(hex[0]!, 16)) - 28);
};
