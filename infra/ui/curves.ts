/** A run's curves: from the redo log's records to a row of numbers for each step. */
import type { UpdateRecord } from '../../activities/artifacts/index.js';
import { entryAt, stepNumbers } from '../../activities/policies/index.js';
import { type StageAttempt, type Store, stepUri } from '../../activities/store/index.js';
import { isDamage } from './errors.js';

type Value = (record: UpdateRecord) => number | null;

export interface Curve {
  title: string;
  /** What it tells, for whoever does not know the name. */
  help: string;
  series: { label: string; of: Value }[];
}

type Metric = Exclude<keyof UpdateRecord['metrics'][number], 'optimizerStep'>;
const OVER_UPDATES = {
  mean: (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length,
  most: (values: number[]) => Math.max(...values),
  sum: (values: number[]) => values.reduce((a, b) => a + b, 0),
};

/** Of a step's updates; null of a step that was skipped, and where no update says. */
function metric(name: Metric, over: keyof typeof OVER_UPDATES = 'mean'): Value {
  return ({ metrics }) => {
    const values = metrics.map(one => one[name]).filter(value => value !== undefined);
    return values.length === 0 ? null : OVER_UPDATES[over](values);
  };
}

const count =
  (name: 'meanReward' | 'passRate' | 'drawn' | 'effective' | 'carriedEffective' | 'unscored'): Value =>
  ({ counts }) =>
    counts?.[name] ?? null;

/** In the order of the page. One that no step has a number for is left out. */
export const CURVES: readonly Curve[] = [
  {
    title: 'Reward',
    help: 'mean over all responses of the step, refills included',
    series: [{ label: 'reward', of: count('meanReward') }],
  },
  {
    title: 'Pass rate',
    help: 'share of responses with a right answer',
    series: [{ label: 'pass rate', of: count('passRate') }],
  },
  {
    title: 'Groups',
    help: 'drawn, with differing rewards, and of these carried over',
    series: [
      { label: 'effective', of: count('effective') },
      { label: 'carried', of: count('carriedEffective') },
      { label: 'drawn', of: count('drawn') },
    ],
  },
  {
    title: 'Loss',
    help: 'mean over the step’s updates',
    series: [{ label: 'loss', of: metric('loss') }],
  },
  {
    title: 'Entropy',
    help: 'mean over response tokens, nats',
    series: [{ label: 'entropy', of: metric('entropy') }],
  },
  {
    title: 'KL from the sampler',
    help: 'k3 estimate of KL(sampler ‖ trainer), mean over tokens',
    series: [{ label: 'KL', of: metric('kl') }],
  },
  {
    title: 'KL from the reference',
    help: 'estimate of KL(trainer ‖ reference), mean over tokens',
    series: [{ label: 'KL', of: metric('referenceKl') }],
  },
  {
    title: 'Sampler–trainer gap',
    help: '|difference of their log-probabilities|, over tokens',
    series: [
      { label: 'mean', of: metric('logprobDifferenceMean') },
      { label: 'largest', of: metric('logprobDifferenceMax', 'most') },
    ],
  },
  {
    title: 'Clip fraction',
    help: 'share of response tokens whose term clipping changed',
    series: [{ label: 'clip fraction', of: metric('clipFraction') }],
  },
  {
    title: 'Gradient norm',
    help: 'before clipping, mean over the step’s updates',
    series: [{ label: 'norm', of: metric('gradNorm') }],
  },
  {
    title: 'Trained tokens',
    help: 'response tokens that the loss was taken over',
    series: [{ label: 'tokens', of: metric('tokens', 'sum') }],
  },
  {
    title: 'Unscored groups',
    help: 'dropped for want of rewards',
    series: [{ label: 'unscored', of: record => record.counts?.unscored || null }],
  },
];

export interface StepRow {
  step: number;
  skipped: boolean;
  /** A number for each series of each curve, in order. */
  values: (number | null)[];
  reward: number | null;
}

/** Logged steps never change: each is read once. */
export class StepRows {
  readonly #known = new Map<string, StepRow>();

  /**
   * The logged steps of an attempt, in order.
   * @param problem told of each step that cannot be read; the others are given
   */
  async of(store: Store, stage: StageAttempt, problem: (message: string) => void): Promise<StepRow[]> {
    const rows: StepRow[] = [];
    for (const step of await stepNumbers(store, stage)) {
      const uri = stepUri(stage, step, 'update.json');
      const row = this.#known.get(uri) ?? (await this.#read(store, stage, step, problem));
      if (!row) continue;
      this.#known.set(uri, row);
      rows.push(row);
    }
    return rows;
  }

  async #read(store: Store, stage: StageAttempt, step: number, problem: (message: string) => void) {
    try {
      const entry = await entryAt(store, stage, step);
      return entry && rowOf(entry.record);
    } catch (error) {
      if (!isDamage(error)) throw error;
      problem(error.message);
      return null;
    }
  }
}

function rowOf(record: UpdateRecord): StepRow {
  return {
    step: record.step,
    skipped: record.skipped !== null,
    values: CURVES.flatMap(({ series }) => series.map(({ of }) => of(record))),
    reward: record.counts?.meanReward ?? null,
  };
}
