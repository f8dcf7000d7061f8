/**
 * Dimensions of tensors whose length is only known when a graph runs: a number, or a symbol with a rational factor
 * ("T", "T/256", "8*T"). Enough algebra to check reshapes; no sums.
 */
export type Dim = number | string;

interface Monomial {
  numerator: number;
  denominator: number;
  /** Symbols with their exponents, none 0. */
  symbols: Map<string, number>;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

function parse(dim: Dim): Monomial {
  if (typeof dim === 'number') return { numerator: dim, denominator: 1, symbols: new Map() };
  const monomial: Monomial = { numerator: 1, denominator: 1, symbols: new Map() };
  for (const [, operator, factor] of dim.matchAll(/([*/]?)([A-Za-z]\w*|\d+)/g)) {
    const divide = operator === '/';
    if (/^\d/.test(factor!)) {
      if (divide) monomial.denominator *= Number(factor);
      else monomial.numerator *= Number(factor);
    } else monomial.symbols.set(factor!, (monomial.symbols.get(factor!) ?? 0) + (divide ? -1 : 1));
  }
  return monomial;
}

function format({ numerator, denominator, symbols }: Monomial): Dim {
  if (numerator === 0) return 0;
  const common = gcd(numerator, denominator);
  const [n, d] = [numerator / common, denominator / common];
  const sorted = [...symbols].filter(([, e]) => e !== 0).sort(([a], [b]) => (a < b ? -1 : 1));
  const over = sorted.flatMap(([s, e]) => Array<string>(Math.max(e, 0)).fill(s));
  const under = sorted.flatMap(([s, e]) => Array<string>(Math.max(-e, 0)).fill(s));
  if (over.length === 0 && under.length === 0 && d === 1) return n;
  const head = n === 1 && over.length > 0 ? over : [String(n), ...over];
  return [head.join('*'), ...(d === 1 ? [] : [String(d)]), ...under].join('/');
}

/** The product of dimensions, e.g. of a shape: its number of elements. */
export function product(dims: readonly Dim[]): Dim {
  const result: Monomial = { numerator: 1, denominator: 1, symbols: new Map() };
  for (const dim of dims) {
    const m = parse(dim);
    result.numerator *= m.numerator;
    result.denominator *= m.denominator;
    for (const [s, e] of m.symbols) result.symbols.set(s, (result.symbols.get(s) ?? 0) + e);
  }
  return format(result);
}

/** a / b; b must not be 0. */
export function quotient(a: Dim, b: Dim): Dim {
  const divisor = parse(b);
  const inverse = {
    numerator: divisor.denominator,
    denominator: divisor.numerator,
    symbols: new Map([...divisor.symbols].map(([s, e]) => [s, -e])),
  };
  return product([a, format(inverse)]);
}

export function sameShape(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((dim, i) => product([dim]) === product([b[i]!]));
}

/** Whether all lengths are known when the graph is built. */
export const isStatic = (shape: readonly Dim[]): boolean => shape.every(d => typeof d === 'number');

export function showShape(shape: readonly Dim[]): string {
  return `[${shape.join(', ')}]`;
}
