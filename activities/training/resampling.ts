/**
 * Difficulty-aware retrospective sampling (arXiv 2505.17667, section 3.2): which earlier samples a phase draws from again.
 */
import type { RandomStream } from '../engine/random.js';
import type { RunSpec } from '../spec/index.js';

export interface Candidate {
  /** Line of the sample in the run's training data. */
  index: number;
  /** Mean rule-and-judge reward of the responses to it so far. */
  meanReward: number;
}

export type RetrospectiveSettings = RunSpec['retrospective'];

/** How many samples to carry so that they are `fraction` of a pool that holds `band` samples of its own. */
export function carriedCount(band: number, fraction: number): number {
  return Math.round((band * fraction) / (1 - fraction));
}

/** What mean rewards are counted from: zero, or the lowest of the candidates' where one lies below (a custom reward's penalties). */
export const lowestReward = (candidates: readonly Pick<Candidate, 'meanReward'>[]): number =>
  candidates.reduce((lowest, { meanReward }) => Math.min(lowest, meanReward), 0);

/**
 * A candidate's weight. `inverse-mean-reward` is Eq. 10, diff(x) = 1 / mean reward, kept finite by `smoothing`;
 * `zero-accuracy` takes the never answered evenly and no other.
 *
 * Eq. 10 is for rewards from 0 up. Where means lie below, all are counted from the lowest: that sample weighs as much as one
 * that is never answered, and the order stays (rewards of -1 and 1 give 1 / (2 accuracy + smoothing), if one was never
 * answered). `zero-accuracy` takes all whose mean is not above 0.
 * @param lowest lowestReward() of all candidates
 */
export function difficultyWeight(meanReward: number, settings: RetrospectiveSettings, lowest: number): number {
  if (settings.weight === 'zero-accuracy') return meanReward <= 0 ? 1 : 0;
  return 1 / (meanReward - lowest + settings.smoothing);
}

/**
 * Draws `count` candidates with chances in proportion to their weights: independently with replacement, else one after
 * another from those that are left (fewer if there are fewer of positive weight).
 */
export function drawCarried(
  candidates: readonly Candidate[],
  count: number,
  settings: RetrospectiveSettings,
  random: RandomStream,
): Candidate[] {
  const lowest = lowestReward(candidates);
  const weighted = candidates
    .map(candidate => ({ candidate, weight: difficultyWeight(candidate.meanReward, settings, lowest) }))
    .filter(({ weight }) => weight > 0);
  if (settings.replacement) return drawWithReplacement(weighted, count, random);
  // Efraimidis and Spirakis (2006): the `count` smallest exponential waiting times, at rate `weight`, are such a draw.
  return weighted
    .map(({ candidate, weight }) => ({ candidate, wait: -Math.log(1 - random.uniform()) / weight }))
    .sort((a, b) => a.wait - b.wait || a.candidate.index - b.candidate.index)
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

function drawWithReplacement(
  weighted: { candidate: Candidate; weight: number }[],
  count: number,
  random: RandomStream,
): Candidate[] {
  const total = weighted.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return [];
  return Array.from({ length: count }, () => {
    let left = random.uniform() * total;
    const hit = weighted.find(({ weight }) => {
      left -= weight;
      return left < 0;
    });
    return (hit ?? weighted.at(-1)!).candidate;
  });
}
