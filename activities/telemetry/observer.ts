/** Who hears of what activities do, where somebody measures them. */
import { overUpdates, type UpdateMetric, type UpdateRecord } from '../artifacts/index.js';
import type { EvaluationRow } from '../contract/index.js';
import type { STEP_PARTS } from './metrics.js';
import type { Meters } from './registry.js';

export type StepPart = (typeof STEP_PARTS)[number];

/** Told of what was done, and only then; what it does with that neither fails nor takes time. */
export interface Observer {
  part(part: StepPart, seconds: number): void;
  /** A step that was made just now; one that is made again to rebuild a policy is not told of. */
  step(record: UpdateRecord): void;
  /** @param run the run, or the name of an evaluation of its own */
  evaluated(run: string, row: EvaluationRow): void;
  /** @param regression whether it came out worse than the one before */
  concluded(name: string, regression: boolean): void;
}

/** Tells how long a part of a step took, if it succeeds. */
export async function timed<T>(
  { observer }: { observer?: Observer },
  part: StepPart,
  work: () => Promise<T>,
): Promise<T> {
  if (!observer) return work();
  const started = performance.now();
  const result = await work();
  observer.part(part, (performance.now() - started) / 1000);
  return result;
}

/** An observer that records all it hears of as metrics. */
export function metersObserver(meters: Meters): Observer {
  return {
    part: (part, seconds) => meters.record('longhaul_step_part_seconds', { part }, seconds),
    step: record => recordStep(meters, record),
    evaluated: (run, { policy, set, score }) =>
      meters.record('longhaul_evaluation_score_ratio', { run, policy, set }, score / 100),
    concluded: (run, regression) => {
      meters.record('longhaul_evaluation_timestamp_seconds', { run }, Date.now() / 1000);
      meters.record('longhaul_evaluation_regression', { run }, Number(regression));
    },
  };
}

function recordStep(meters: Meters, { stage: { run, stage }, step, skipped, metrics, counts }: UpdateRecord): void {
  const of = { run, stage };
  meters.record('longhaul_steps_total', { ...of, outcome: skipped ? 'skipped' : 'trained' }, 1);
  meters.record('longhaul_last_step', of, step);
  meters.record('longhaul_last_step_timestamp_seconds', of, Date.now() / 1000);
  const mean = (field: UpdateMetric) => overUpdates(metrics, field) ?? Number.NaN;
  meters.record('longhaul_loss', of, mean('loss'));
  meters.record('longhaul_entropy_nats', of, mean('entropy'));
  meters.record('longhaul_gradient_norm', of, mean('gradNorm'));
  meters.record('longhaul_kl_nats', of, mean('kl'));
  meters.record('longhaul_clip_ratio', of, mean('clipFraction'));
  if (!counts) return;
  meters.record('longhaul_reward_mean', of, counts.meanReward ?? Number.NaN);
  meters.record('longhaul_pass_ratio', of, counts.passRate ?? Number.NaN);
  meters.record('longhaul_groups_total', { ...of, outcome: 'effective' }, counts.effective);
  meters.record('longhaul_groups_total', { ...of, outcome: 'equal' }, counts.noVariance);
  meters.record('longhaul_groups_total', { ...of, outcome: 'unscored' }, counts.unscored);
  meters.record('longhaul_carried_groups_total', of, counts.carriedDrawn);
}
