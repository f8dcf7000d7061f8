/** What a step's log entry comes to in numbers: one table of names, which every tracker takes as they are. */
import { type OverUpdates, overUpdates, type UpdateMetric, type UpdateRecord } from '../artifacts/index.js';
import { type EvaluationRow, stageNumber } from '../contract/index.js';

type Value = (record: UpdateRecord) => number | null | undefined;
type Count = Exclude<keyof NonNullable<UpdateRecord['counts']>, 'judge'>;

const over =
  (name: UpdateMetric, how?: OverUpdates): Value =>
  ({ metrics }) =>
    overUpdates(metrics, name, how);

const count =
  (name: Count): Value =>
  ({ counts }) =>
    counts?.[name];

/** Letters, digits, `_` and `/` alone: MLflow refuses a whole batch for a name with others in it. */
export const STEP_METRICS: Readonly<Record<string, Value>> = {
  /** Mean over all responses of the step, refills included; and after overlong shaping, of those trained on. */
  'reward/mean': count('meanReward'),
  'reward/pass_rate': count('passRate'),
  'reward/trained': over('reward'),
  'groups/drawn': count('drawn'),
  /** Whose rewards differ; and of these carried over from earlier phases. */
  'groups/effective': count('effective'),
  'groups/carried_effective': count('carriedEffective'),
  'groups/no_variance': count('noVariance'),
  'groups/unscored': count('unscored'),
  'groups/surplus': count('surplus'),
  'groups/trained': count('trained'),
  'policy/loss': over('loss'),
  /** Nats, mean over response tokens. */
  'policy/entropy': over('entropy'),
  'policy/clip_fraction': over('clipFraction'),
  /** k3 estimates, mean over tokens: KL(sampler || trainer), KL(trainer || reference). */
  'policy/kl': over('kl'),
  'policy/reference_kl': over('referenceKl'),
  /** |sampler's - trainer's log-probability| over tokens. */
  'policy/logprob_difference_mean': over('logprobDifferenceMean'),
  'policy/logprob_difference_max': over('logprobDifferenceMax', 'most'),
  /** L2, before clipping. */
  'optimizer/gradient_norm': over('gradNorm'),
  'optimizer/learning_rate': ({ inputs }) => inputs.settings.optimizer.learningRate,
  'optimizer/step': over('optimizerStep', 'most'),
  'tokens/trained': over('tokens', 'sum'),
  'judge/asked': ({ counts }) => counts?.judge?.asked,
  'judge/cached': ({ counts }) => counts?.judge?.cached,
  'judge/failed': ({ counts }) => counts?.judge?.failed,
  /** 0 for the warm-up, then the phase's number; and the step within it. */
  'progress/stage': ({ stage }) => stageNumber(stage.stage),
  'progress/step_of_stage': ({ step }) => step,
  'progress/skipped': ({ skipped }) => (skipped ? 1 : 0),
};

/** Those that the step has. */
export function stepMetrics(record: UpdateRecord): Record<string, number> {
  const all = Object.entries(STEP_METRICS).map(([name, of]) => [name, of(record)] as const);
  return Object.fromEntries(all.filter((one): one is [string, number] => Number.isFinite(one[1])));
}

/** Scores in percent with their 95 % intervals, by set. */
export function evaluationMetrics(rows: readonly EvaluationRow[]): Record<string, number> {
  return Object.fromEntries(
    rows.flatMap(({ set, score, low, high }) =>
      Object.entries({ score, low, high }).map(([name, value]) => [`evaluation/${set}/${name}`, value]),
    ),
  );
}
