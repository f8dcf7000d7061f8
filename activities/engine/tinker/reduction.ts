/**
 * How services make one gradient of many tokens' log-probabilities. The protocol does not say; each does it its own way, and
 * under one name it may change. So it is found by trial (trial.ts), and undone by a factor on every coefficient.
 */

/** Targets of a datum: tokens - 1. */
type Lengths = readonly number[];

const sum = (values: Lengths): number => values.reduce((a, b) => a + b, 0);

/** By what the sum over a datum's tokens is divided, from its own length and those of all data that count. */
const DIVISORS = {
  sum: () => 1,
  'mean over sequences of token means': (own: number, all: Lengths) => own * all.length,
  'mean over sequences of token sums': (_own: number, all: Lengths) => all.length,
  'sum over sequences of token means': (own: number) => own,
  'mean over tokens': (_own: number, all: Lengths) => sum(all),
} satisfies Record<string, (own: number, all: Lengths) => number>;

export interface Reduction {
  divisor: keyof typeof DIVISORS;
  /** Which data count: those of the same call, or of all calls before one step. */
  over: 'call' | 'step';
}

/** All that are told apart; where nothing else counts, call and step are one. */
const REDUCTIONS: readonly Reduction[] = (Object.keys(DIVISORS) as Reduction['divisor'][]).flatMap(divisor =>
  DIVISORS[divisor].length < 2
    ? [{ divisor, over: 'step' as const }]
    : (['step', 'call'] as const).map(over => ({ divisor, over })),
);

/**
 * What the coefficients of each datum are multiplied by, so that the service's gradient is their plain sum.
 * @param calls lengths of the data of each call before one step
 */
export function factors({ divisor, over }: Reduction, calls: readonly Lengths[]): number[][] {
  const step = calls.flat();
  return calls.map(call => call.map(own => DIVISORS[divisor](own, over === 'call' ? call : step)));
}

/** A gradient's norm, measured: of so many data with equal coefficients, beside others with none. */
export interface Measurement {
  calls: readonly Lengths[];
  /** Which data of each call have the coefficients. */
  counted: readonly (readonly boolean[])[];
  norm: number;
}

/** Norms of services in 16 bits are good to a hundredth. */
const MISFIT = 0.03;

/** The only reduction that explains the norms; null where none does. */
export function fittingReduction(measured: readonly Measurement[]): Reduction | null {
  const fits = REDUCTIONS.map(reduction => ({ reduction, misfit: misfit(reduction, measured) }));
  const [best] = fits.sort((a, b) => a.misfit - b.misfit);
  return best!.misfit < MISFIT ? best!.reduction : null;
}

/** Largest relative error, the first measurement being the unit. */
function misfit(reduction: Reduction, measured: readonly Measurement[]): number {
  const shares = measured.map(({ calls, counted }) =>
    sum(factors(reduction, calls).flatMap((call, i) => call.map((factor, j) => (counted[i]![j] ? 1 / factor : 0)))),
  );
  const unit = measured[0]!.norm / shares[0]!;
  return Math.max(...measured.map(({ norm }, k) => Math.abs(norm / (unit * shares[k]!) - 1)));
}
