/** The curves of a run: what each shows of a step, in the order of the page. */
import {
  type OverUpdates,
  overUpdates,
  type UpdateMetric,
  type UpdateRecord,
} from '../../activities/artifacts/index.js';
import type { StepReading } from './readings.js';

/** A step as the log has it, without what it was made from. */
export interface LoggedStep extends Pick<UpdateRecord, 'step' | 'skipped' | 'counts' | 'metrics'> {
  learningRate: number | null;
}

type Of<T> = (step: T) => number | null | undefined;

/** From the log, or from what was read of the step's rollouts: of that there may be less. */
export type Series = { label: string } & ({ logged: Of<LoggedStep> } | { read: Of<StepReading>; as?: 'band' });

export interface Curve {
  part: 'Learning' | 'Sampling' | 'Optimisation' | 'Time';
  title: string;
  /** What it tells, for whoever does not know the name. */
  help: string;
  series: Series[];
}

const metric =
  (name: UpdateMetric, how?: OverUpdates): Of<LoggedStep> =>
  ({ metrics }) =>
    overUpdates(metrics, name, how);

const count =
  (name: 'meanReward' | 'passRate' | 'drawn' | 'effective' | 'carriedEffective'): Of<LoggedStep> =>
  ({ counts }) =>
    counts?.[name];

const logged = (label: string, of: Of<LoggedStep>): Series => ({ label, logged: of });
const read = (label: string, of: Of<StepReading>, as?: 'band'): Series => ({
  label,
  read: of,
  ...(as && { as }),
});

/** One that no step has a number for is left out. */
export const CURVES: readonly Curve[] = [
  {
    part: 'Learning',
    title: 'Reward',
    help: 'mean over all responses, refills included; half of the groups lie in the band',
    series: [
      logged('reward', count('meanReward')),
      read('low', ({ rewards }) => rewards?.low, 'band'),
      read('high', ({ rewards }) => rewards?.high, 'band'),
    ],
  },
  {
    part: 'Learning',
    title: 'Pass rate',
    help: 'share of responses with a right answer',
    series: [logged('pass rate', count('passRate'))],
  },
  {
    part: 'Learning',
    title: 'Share with signal',
    help: 'groups with differing rewards, of all drawn',
    series: [logged('share', ({ counts }) => counts && (counts.drawn > 0 ? counts.effective / counts.drawn : null))],
  },
  {
    part: 'Learning',
    title: 'Groups',
    help: 'drawn, with differing rewards, and of these carried over',
    series: [
      logged('effective', count('effective')),
      logged('carried', count('carriedEffective')),
      logged('drawn', count('drawn')),
    ],
  },
  {
    part: 'Sampling',
    title: 'Response length',
    help: 'tokens: mean over all responses, and the longest',
    series: [read('mean', ({ responses }) => responses?.mean), read('longest', ({ responses }) => responses?.longest)],
  },
  {
    part: 'Sampling',
    title: 'Truncated share',
    help: 'responses cut at the limit of new tokens',
    series: [read('truncated', ({ responses }) => responses?.truncated)],
  },
  {
    part: 'Sampling',
    title: 'Entropy',
    help: 'mean over response tokens, nats',
    series: [logged('entropy', metric('entropy'))],
  },
  {
    part: 'Sampling',
    title: 'Sampler–trainer gap',
    help: '|difference of their log-probabilities|, over tokens',
    series: [
      logged('mean', metric('logprobDifferenceMean')),
      logged('largest', metric('logprobDifferenceMax', 'most')),
    ],
  },
  {
    part: 'Optimisation',
    title: 'Loss',
    help: 'mean over the step’s updates',
    series: [logged('loss', metric('loss'))],
  },
  {
    part: 'Optimisation',
    title: 'KL from the sampler',
    help: 'k3 estimate of KL(sampler ‖ trainer), mean over tokens',
    series: [logged('KL', metric('kl'))],
  },
  {
    part: 'Optimisation',
    title: 'KL from the reference',
    help: 'estimate of KL(trainer ‖ reference), mean over tokens',
    series: [logged('KL', metric('referenceKl'))],
  },
  {
    part: 'Optimisation',
    title: 'Clip fraction',
    help: 'share of response tokens whose term clipping changed',
    series: [logged('clip fraction', metric('clipFraction'))],
  },
  {
    part: 'Optimisation',
    title: 'Gradient norm',
    help: 'before clipping, mean over the step’s updates',
    series: [logged('norm', metric('gradNorm'))],
  },
  {
    part: 'Optimisation',
    title: 'Learning rate',
    help: 'of the optimiser',
    series: [logged('rate', ({ learningRate }) => learningRate)],
  },
  {
    part: 'Optimisation',
    title: 'Trained tokens',
    help: 'response tokens that the loss was taken over',
    series: [logged('tokens', metric('tokens', 'sum'))],
  },
  {
    part: 'Optimisation',
    title: 'Unscored groups',
    help: 'dropped for want of rewards',
    series: [logged('unscored', ({ counts }) => counts?.unscored || null)],
  },
  {
    part: 'Time',
    title: 'Tokens per second',
    help: 'sampled, over the whole step',
    series: [
      read('tokens/s', ({ responses, seconds }) =>
        responses && seconds && seconds.whole > 0 ? responses.tokens / seconds.whole : null,
      ),
    ],
  },
  {
    part: 'Time',
    title: 'Seconds a step',
    help: 'by the times of the store’s files; rollout from the end of the step before, so with what lies between',
    series: [
      read('rollout', ({ seconds }) => seconds?.rollout),
      read('score', ({ seconds }) => seconds?.score),
      read('update', ({ seconds }) => seconds && (seconds.update ?? seconds.whole)),
    ],
  },
];

type LoggedOf = { of: Of<LoggedStep>; column: number };

/** The columns of a row of numbers: the logged series of all curves, in order. */
export const LOGGED: readonly LoggedOf[] = CURVES.flatMap(({ series }) => series)
  .flatMap(one => ('logged' in one ? [one.logged] : []))
  .map((of, column) => ({ of, column }));
