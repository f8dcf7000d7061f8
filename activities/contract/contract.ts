/**
 * What goes into and comes out of the workflows, and the messages they answer: plain JSON, small; everything large goes
 * by reference. Nothing here may import zod or a node built-in: it is bundled into the workflow sandbox.
 */

export const TASK_QUEUE = 'longhaul';
export const GPU_TASK_QUEUE = 'longhaul-gpu';
/** A worker silent for so long counts as dead: its work is given to another. */
export const HEARTBEAT_TIMEOUT_SECONDS = 10;

/** A policy: weights plus optimiser state at a step. */
export interface PolicyRef {
  /** Hash of the parent's name, the update's inputs and settings: the policy's identity. */
  name: string;
  /** Store uri of the checkpoint folder, once one is written; a policy between snapshots has its update's uri. */
  uri: string;
  /** SHA-256 of the model.safetensors it has or would have; of a run that trains an adapter, adapter_model.safetensors. */
  sha256: string;
}

/** `curriculum` takes a whole run spec, or a preset by name with overrides by dotted path. */
export type CurriculumInput = RunSpecInput | { preset: string; overrides?: Record<string, unknown> } | BranchInput;
/** Begins with a phase of another run, from the policy it began with there, on the same data. */
export interface BranchInput {
  /** "RUN/phase-K" */
  from: string;
  overrides?: Record<string, unknown>;
}

/** A spec as users write it: fields with defaults may be missing. Validated by the first activity. */
export type RunSpecInput = { [key: string]: unknown };

export type StageState = 'waiting' | 'running' | 'done' | 'failed' | 'skipped';

export interface StepReport {
  step: number;
  steps: number;
  /** Mean raw reward of all rollouts of the step, refills included. */
  reward: number | null;
  /** Share of responses with reward 1. */
  passRate: number | null;
  /** Null for a step that was skipped for want of signal. */
  loss: number | null;
  gradNorm: number | null;
  entropy: number | null;
  /** Sampled tokens (warm-up: trained tokens) over the step's seconds. */
  tokensPerSecond: number;
  /** Wall time of the step in seconds, from workflow time. */
  seconds: number;
  effectiveGroups: number | null;
  /** Groups dropped for want of reward variance, over all refill rounds. */
  droppedGroups: number | null;
  /** Effective groups whose sample was carried over from an earlier phase. */
  carriedEffectiveGroups: number | null;
  /** Groups dropped for want of rewards. Absent in reports of earlier versions. */
  unscoredGroups?: number;
  /** What the judge was asked; absent without one. */
  judge?: JudgeUsage;
}

/** Questions to a judge and their tokens. */
export interface JudgeUsage {
  asked: number;
  cached: number;
  failed: number;
  promptTokens: number;
  completionTokens: number;
}

export interface StageProgress {
  /** `warmup`, `phase-1`, …, `evaluation/<policy label>`. */
  name: string;
  kind: 'warmup' | 'phase' | 'evaluation';
  state: StageState;
  attempt: number;
  workflowId: string | null;
  latest: StepReport | null;
  startedAt: string | null;
  finishedAt: string | null;
  error: string | null;
}

export type RunState = 'validating' | 'running' | 'paused' | 'awaiting-replay' | 'done';

/** Answer to the query `progress`. */
export interface Progress {
  run: string;
  state: RunState;
  stages: StageProgress[];
  /** Every evaluation finished so far, a row per (policy, set). */
  table: EvaluationRow[];
  /** What a person should do now, when the run waits for one. */
  advice: string | null;
  policy: PolicyRef | null;
}

export interface EvaluationRow {
  /** `base`, `sft`, `phase-1`, … `final`. */
  policy: string;
  /** Name of the evaluation set. */
  set: string;
  items: number;
  /** Mean score in percent, with its 95 % interval (Wilson for binary scores). */
  score: number;
  low: number;
  high: number;
  /** Mean prompt length of the set in tokens. */
  meanPromptTokens: number;
  /** Store uri of the per-item results. */
  uri: string;
}

export interface CurriculumResult {
  run: string;
  policy: PolicyRef;
  stages: { name: string; kind: StageProgress['kind']; steps: number; seconds: number; policy: PolicyRef }[];
  evaluations: EvaluationRow[];
}

/** Input of the update `replayPhase`. */
export interface ReplayPhaseInput {
  /** 1-based, or 0 for the warm-up. */
  phase: number;
  /** Dotted spec paths and their new values for this attempt, e.g. {"rl.learningRate": 1e-5}. */
  overrides?: Record<string, unknown>;
}

/** `evaluation` takes an evaluation spec as users write it. Validated by the first activity. */
export type EvaluationSpecInput = { [key: string]: unknown };

/** How an evaluation was started, which is what it is called by. */
export interface EvaluationStart {
  /** `<name>/<label>`, or a name alone. */
  workflowId: string;
  /** Of one that a schedule started, the schedule's id. */
  schedule: string | null;
}

/** A row with all that a benchmark's items come to. */
export interface BenchmarkRow extends EvaluationRow {
  /** Whose official metrics were taken. */
  metric: string;
  /** Answers to each item. */
  meanAt: number;
  passAt: Record<string, Estimate>;
  official: Record<string, Estimate>;
  /** Items that no judge could be had for: in no mean. */
  unscored: number;
  /** Items that the endpoint rejected, as too long or filtered: in no mean. */
  unanswered: number;
  /** Items whose documents lost their middle. */
  cut: number;
  /** Tokens of all answers, and of all prompts that were sent. */
  answerTokens: number;
  sentTokens: number;
  /** What the judge was asked; absent without one. */
  judge?: JudgeUsage;
}

/** What an evaluation comes to. */
export interface EvaluationSummary {
  name: string;
  label: string;
  rows: BenchmarkRow[];
  /** Of the benchmarks' scores, each counting alike; null where one has none. */
  mean: number;
  /** Store uri of the whole result. */
  uri: string;
  /** Of a schedule's firing: how it compares with the one before; null without one. */
  before: FiringComparison | null;
  /** Whether it is worse than the firing before, beyond the noise. */
  regression: boolean;
  /** What became of the message to the webhook; null where none was to be sent. */
  notification: string | null;
}

export interface FiringComparison {
  firing: string;
  /** A line for each benchmark that both have, and for their mean. */
  comparisons: Comparison[];
}

/** Answer of an evaluation to the query `progress`. */
export interface EvaluationProgress {
  evaluation: string;
  state: 'preparing' | 'running' | 'done';
  sets: { name: string; state: 'waiting' | 'answering' | 'scoring' | 'done'; done: number; total: number | null }[];
  rows: EvaluationRow[];
}

/** In percent, with its 95 % interval. */
export interface Estimate {
  score: number;
  low: number;
  high: number;
}

/** Row minus baseline, in percent points. */
export interface Comparison extends Difference {
  /** Labels of the two rows. */
  row: string;
  baseline: string;
  /** A column of the table, or `mean`. */
  benchmark: string;
  metric: 'reward' | 'official';
  /** `paired`: the same items, resampled together. `unpaired`: two scores of which only the numbers of items are known. */
  kind: 'paired' | 'unpaired';
}

export interface Difference {
  /** Items of the row that it rests on. */
  items: number;
  difference: number;
  /** 95 % interval. */
  low: number;
  high: number;
  /** Two-sided. */
  p: number;
  /** Whether chance alone could well have made it: the interval has 0 in it, or p is above 0.05. */
  withinNoise: boolean;
}

/** A number of steps, or what Young's rule goes by, in seconds; `cost` is what one is taken to be until one is measured. */
export type SnapshotRule = number | { cost: number; meanTimeBetweenFailures: number };
