/** Evaluations: what goes in, what comes out, and how far one is. */
import type { Comparison, Estimate } from './statistics.js';

/** Questions to a judge and their tokens. */
export interface JudgeUsage {
  asked: number;
  cached: number;
  failed: number;
  promptTokens: number;
  completionTokens: number;
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

/** `evaluation` takes an evaluation spec as users write it. Validated by the first activity. */
export type EvaluationSpecInput = { [key: string]: unknown };

/** How an evaluation was started, which is what it is called by. */
export interface EvaluationStart {
  /** `<name>/<label>`, or a name alone. */
  workflowId: string;
  /** Of one that a schedule started, the schedule's id. */
  schedule: string | null;
  /** When the schedule was to start it, ISO 8601; absent where an earlier version began it. */
  firedAt?: string;
}

/** Items whose prompts an endpoint read in part, by its own count of their tokens. */
export interface Shortened {
  items: number;
  /** Of the first: the tokens that the endpoint counts, and those that were sent (at least, where no tokenizer is known). */
  counted: number;
  sent: number;
}

/** Of documents read chunk by chunk into a memory: the bounds in tokens, and the calls that answers took. */
export interface ReadByMemory {
  chunkTokens: number;
  memoryTokens: number;
  /** In all, and for one answer at most, its own among them. */
  calls: number;
  callsAtMost: number;
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
  /** Absent where the endpoint's counts agree with what was sent. */
  shortened?: Shortened;
  /** Tokens of all answers, and of all prompts that were sent; with a memory, of all that was written into it too. */
  answerTokens: number;
  sentTokens: number;
  /** Absent where documents were read at once. */
  memory?: ReadByMemory;
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
