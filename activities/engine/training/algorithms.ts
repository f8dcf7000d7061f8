/** The policy-gradient algorithms, one table: in what they differ, and from which paper it is. */
import type { Algorithm } from '../protocol/index.js';
import { type Advantages, centred, leaveOneOut, normalised } from './advantages.js';
import type { PolicyLossName } from './losses.js';
import {
  chosenTokenMean,
  groupTokenMean,
  limitedSum,
  sequenceMean,
  sequenceSum,
  type TokenWeighting,
} from './token-weights.js';

interface AlgorithmRules {
  advantages: Advantages;
  weights: TokenWeighting;
  loss: PolicyLossName;
  /**
   * What is compared with the policy that sampled: each token, or the response as a whole, exp(mean log ratio), which
   * takes a scoring pass under the current weights before each update: a third more arithmetic at most.
   */
  ratio: 'token' | 'sequence';
  /** The ratio is kept within [1 - clipLow, 1 + clipHigh] unless told otherwise; clipLow 1 sets no lower bound. */
  clipLow: number;
  clipHigh: number;
  /** Whether groups whose rewards are all equal are left out and replaced by further draws. */
  dynamicSampling: boolean;
  /** The loss settings that it has beyond those of all. */
  options: readonly ('tokenMean' | 'maxResponseTokens' | 'advantageScale')[];
}

export const ALGORITHMS = {
  /** Group relative policy optimisation: DeepSeekMath, arXiv 2402.03300, eq. 3. */
  grpo: {
    advantages: normalised,
    weights: sequenceMean,
    loss: 'clipped',
    ratio: 'token',
    clipLow: 0.2,
    clipHigh: 0.2,
    dynamicSampling: false,
    options: ['advantageScale'],
  },
  /** Clip-higher, token-level loss, dynamic sampling: arXiv 2503.14476, eq. 8. */
  dapo: {
    advantages: normalised,
    weights: chosenTokenMean,
    loss: 'clipped',
    ratio: 'token',
    clipLow: 0.2,
    clipHigh: 0.28,
    dynamicSampling: true,
    options: ['tokenMean', 'advantageScale'],
  },
  /** GRPO done right: no division by the deviation nor by a response's own length. arXiv 2503.20783, section 3.2. */
  'dr-grpo': {
    advantages: centred,
    weights: limitedSum,
    loss: 'clipped',
    ratio: 'token',
    clipLow: 0.2,
    clipHigh: 0.2,
    dynamicSampling: false,
    options: ['maxResponseTokens'],
  },
  /** Group sequence policy optimisation: arXiv 2507.18071, eqs. 5 and 7, clip range of section 5.1. */
  gspo: {
    advantages: normalised,
    weights: sequenceMean,
    loss: 'clipped',
    ratio: 'sequence',
    clipLow: 3e-4,
    clipHigh: 4e-4,
    dynamicSampling: false,
    options: ['advantageScale'],
  },
  /**
   * Clipped importance weights with dynamic sampling: MiniMax-M1, arXiv 2506.13585, eqs. 4 and 5. The paper sets no lower
   * bound and does not print its upper one: a weight of 5 at most is among those found good in arXiv 2510.13786.
   */
  cispo: {
    advantages: normalised,
    weights: groupTokenMean,
    loss: 'reweighted',
    ratio: 'token',
    clipLow: 1,
    clipHigh: 4,
    dynamicSampling: true,
    options: ['advantageScale'],
  },
  /** REINFORCE with a leave-one-out baseline: arXiv 2402.14740; clipped as PPO is once updates leave the sampling policy. */
  rloo: {
    advantages: leaveOneOut,
    weights: sequenceSum,
    loss: 'clipped',
    ratio: 'token',
    clipLow: 0.2,
    clipHigh: 0.2,
    dynamicSampling: false,
    options: [],
  },
} as const satisfies Record<Algorithm, AlgorithmRules>;

export const rulesOf = (algorithm: Algorithm): AlgorithmRules => ALGORITHMS[algorithm];
