/**
 * What goes into and comes out of the workflows, and the messages they answer: plain JSON, small; everything large goes
 * by reference. Nothing here may import zod or a node built-in: it is bundled into the workflow sandbox.
 */
import type { RunSpec } from '../activities/spec.js';

export const TASK_QUEUE = 'longhaul';
export const GPU_TASK_QUEUE = 'longhaul-gpu';
/** A worker silent for so long counts as dead: its work is given to another. */
export const HEARTBEAT_TIMEOUT_SECONDS = 20;

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
export type CurriculumInput = RunSpecInput | { preset: string; overrides?: Record<string, unknown> };
/** A spec as users write it: fields with defaults may be missing. Validated by the first activity. */
export type RunSpecInput = { [key: string]: unknown };
export type { RunSpec };

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
