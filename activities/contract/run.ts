/** Runs: what goes into the workflow `curriculum`, what comes out, and how far it is. */
import type { EvaluationRow, JudgeUsage } from './evaluation.js';
import type { PolicyRef } from './policy.js';

/** `curriculum` takes a whole run spec, or a preset by name with overrides by dotted path. */
export type CurriculumInput =
  | RunSpecInput
  | { preset: string; overrides?: Record<string, unknown> }
  | BranchInput
  | CellInput;

/** A run of a study, as the study starts it: a variant that the study has published, with a seed. */
export interface CellInput {
  study: string;
  variant: string;
  seed: number;
}

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
  /** The run whose outcome was taken, where the stage was not gone through again. */
  takenFrom?: string;
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
  /** Id of the workflow that keeps trackers up; absent where there are none. */
  exporter?: string;
}

export interface CurriculumResult {
  run: string;
  policy: PolicyRef;
  stages: {
    name: string;
    kind: StageProgress['kind'];
    steps: number;
    seconds: number;
    policy: PolicyRef;
    takenFrom?: string;
  }[];
  evaluations: EvaluationRow[];
}

/** Input of the update `replayPhase`. */
export interface ReplayPhaseInput {
  /** 1-based, or 0 for the warm-up. */
  phase: number;
  /** Dotted spec paths and their new values for this attempt, e.g. {"rl.learningRate": 1e-5}. */
  overrides?: Record<string, unknown>;
}
