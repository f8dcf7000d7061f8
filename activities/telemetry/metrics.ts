/**
 * The metrics of a worker, named by Prometheus' conventions: what is measured in base units, counters end in `_total`.
 * Every label is either one of the values that stand here or the name of a run, of which the newest few are kept.
 */

/** The values that a label may take; `newest`: names of runs and of what is theirs, which come and go. */
type LabelValues = readonly string[] | 'newest';

export interface Metric {
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  labels: Readonly<Record<string, LabelValues>>;
  /** Upper bounds, of a histogram. */
  buckets?: readonly number[];
}

/** From a millisecond to an hour; what takes longer is in none but the last. */
const SECONDS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 30, 60, 300, 900, 3600];
const OF_A_STAGE = { run: 'newest', stage: 'newest' } as const;

export const STEP_PARTS = ['rollout', 'score', 'update', 'warmup'] as const;
export const OPERATIONS = [
  ...['status', 'load', 'reference', 'generate', 'logprobs', 'score', 'sft', 'update', 'save', 'fingerprint'],
] as const;
export const FAILURES = [
  ...['lost', 'cancelled', 'bad-model', 'bad-request', 'not-loaded', 'not-finite', 'unsupported', 'out-of-memory'],
  ...['storage', 'gone', 'internal'],
] as const;
export const STORE_OPERATIONS = [
  ...[
    'readText',
    'publishText',
    'publishFirst',
    'publishFolder',
    'find',
    'findText',
    'has',
    'list',
    'recorded',
    'setAside',
  ],
  ...['remove', 'localFolder', 'fileSizes', 'publishedAt'],
] as const;

const counter = <L extends Metric['labels']>(help: string, labels: L) => ({ type: 'counter', help, labels }) as const;
const gauge = <L extends Metric['labels']>(help: string, labels: L) => ({ type: 'gauge', help, labels }) as const;
const seconds = <L extends Metric['labels']>(help: string, labels: L) =>
  ({ type: 'histogram', help, labels, buckets: SECONDS }) as const;

export const METRICS = {
  longhaul_worker_info: gauge('1, with what the worker is.', { kind: ['cpu', 'gpu'] }),
  longhaul_open_runs: gauge('Runs under way on the server; told by workers of kind cpu.', {}),

  longhaul_step_part_seconds: seconds('Wall time of the parts of training steps.', { part: STEP_PARTS }),
  longhaul_steps_total: counter('Steps made; skipped: too few groups could teach anything.', {
    ...OF_A_STAGE,
    outcome: ['trained', 'skipped'],
  }),
  longhaul_last_step: gauge('Number of the last step made of a stage, from 1.', OF_A_STAGE),
  longhaul_last_step_timestamp_seconds: gauge('When it was made, in Unix time.', OF_A_STAGE),
  longhaul_reward_mean: gauge('Mean reward over all responses of the last step.', OF_A_STAGE),
  longhaul_pass_ratio: gauge('Share of responses of the last step with a right answer.', OF_A_STAGE),
  longhaul_loss: gauge('Loss, mean over the updates of the last step that was trained on.', OF_A_STAGE),
  longhaul_entropy_nats: gauge('Entropy, mean over response tokens of the last step that was trained on.', OF_A_STAGE),
  longhaul_gradient_norm: gauge(
    'Gradient norm before clipping, mean over the updates of the last step that was trained on.',
    OF_A_STAGE,
  ),
  longhaul_kl_nats: gauge(
    'KL(sampler ‖ trainer), mean over tokens of the last step that was trained on, k3 estimate.',
    OF_A_STAGE,
  ),
  longhaul_clip_ratio: gauge(
    'Share of response tokens of the last step that was trained on whose term clipping changed.',
    OF_A_STAGE,
  ),
  longhaul_groups_total: counter('Groups of responses; effective: their rewards differ.', {
    ...OF_A_STAGE,
    outcome: ['effective', 'equal', 'unscored'],
  }),
  longhaul_carried_groups_total: counter('Groups whose prompt was carried over from an earlier phase.', OF_A_STAGE),

  longhaul_engine_operation_seconds: seconds('Wall time of the engine’s operations that succeeded.', {
    operation: OPERATIONS,
  }),
  longhaul_engine_failures_total: counter('Operations that failed; lost: the engine’s process ended.', {
    reason: FAILURES,
  }),
  longhaul_engine_restarts_total: counter('Engine processes started after the first.', {}),
  longhaul_engine_busy: gauge('Operations that the engine has in hand.', {}),
  longhaul_engine_progress_total: counter('Signs of progress from the engine.', {}),
  longhaul_engine_resident_memory_bytes: gauge('Resident memory of the engine’s process; absent without one.', {}),
  longhaul_tokens_total: counter('Tokens: prompts read for sampling, sampled, trained on.', {
    kind: ['prompt', 'sampled', 'trained'],
  }),
  longhaul_responses_total: counter('Responses sampled, by how they ended; length: cut at the limit.', {
    finish: ['stop', 'length'],
  }),

  longhaul_store_operation_seconds: seconds('Wall time of the store’s operations, failed ones included.', {
    operation: STORE_OPERATIONS,
  }),
  longhaul_store_failures_total: counter('Operations of the store that failed.', { operation: STORE_OPERATIONS }),

  longhaul_judge_calls_total: counter('Questions put to the judge.', {}),
  longhaul_judge_cached_total: counter('Questions whose verdict lay in the store.', {}),
  longhaul_judge_failures_total: counter(
    'Questions without a verdict, and rounds that the judge’s settings ended.',
    {},
  ),
  longhaul_judge_tokens_total: counter('Tokens that the judge was asked and answered with.', {
    kind: ['prompt', 'completion'],
  }),

  longhaul_evaluation_score_ratio: gauge('Mean score of a policy on an evaluation set, from 0 to 1.', {
    run: 'newest',
    policy: 'newest',
    set: 'newest',
  }),
  longhaul_evaluation_timestamp_seconds: gauge('When an evaluation came to its end, in Unix time.', { run: 'newest' }),
  longhaul_evaluation_regression: gauge('1 where an evaluation came out worse than the one before, beyond the noise.', {
    run: 'newest',
  }),
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;

type ValueOf<V> = V extends readonly (infer One)[] ? One : string;
/** The labels of a metric with the values that they may have. */
export type LabelsOf<N extends MetricName> = {
  -readonly [L in keyof (typeof METRICS)[N]['labels']]: ValueOf<(typeof METRICS)[N]['labels'][L]>;
};
