/** What is said of a process's memory over the steps of a long phase. */

export interface Sample {
  step: number;
  /** Resident. */
  bytes: number;
}

/** The sample at a share of the steps, or the last one before it. @throws RangeError when there is none */
export function at(samples: readonly Sample[], steps: number, share: number): Sample {
  const found = samples.findLast(({ step }) => step <= steps * share);
  if (!found) throw new RangeError(`no sample within the first ${share * 100} % of ${steps} steps`);
  return found;
}

/** The most after one step, up to another: garbage comes and goes, so it is the peaks that show what stays. */
export function most(samples: readonly Sample[], after: number, upTo: number): number {
  return Math.max(...samples.filter(({ step }) => step > after && step <= upTo).map(({ bytes }) => bytes));
}

/**
 * Bytes a thousand steps add, by the least squares over the samples from a share of the steps on: before it a heap grows to
 * its working size.
 */
export function slope(samples: readonly Sample[], steps: number, from: number): number {
  const used = samples.filter(({ step }) => step >= steps * from);
  const mean = (of: (sample: Sample) => number) => used.reduce((sum, sample) => sum + of(sample), 0) / used.length;
  const [x, y] = [mean(({ step }) => step), mean(({ bytes }) => bytes)];
  const covariance = mean(({ step, bytes }) => (step - x) * (bytes - y));
  const variance = mean(({ step }) => (step - x) ** 2);
  return variance === 0 ? 0 : (covariance / variance) * 1000;
}
