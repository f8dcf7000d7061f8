import type { RunDataSummary } from '../../../activities/run/index.js';
import type { SpecIssue } from '../../../activities/spec/index.js';

/** What `--json` prints: a run's data/summary.json, and what would keep the run from starting. */
export interface Inspected extends RunDataSummary {
  issues: SpecIssue[];
  /** With `--example`: the first prompt of each phase's own band, as the model reads it. */
  examples?: { phase: string; id: string; tokens: number; prompt: string }[];
}
