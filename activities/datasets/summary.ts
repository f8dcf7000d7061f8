/** What was read of a source: for the run's record, so that the same data can be named and recognised again. */
import type { FieldCounts } from './field-account.js';

/** How many of the records left out as malformed are named. */
export const SKIPPED_SHOWN = 20;

export interface SourceSummary extends FieldCounts {
  /** Names the very same data again: an absolute path, `hf:owner/name@<commit>/path`, or the kind of a generated source. */
  source: string;
  /** Samples given out. */
  samples: number;
  /** Records that the kind itself leaves out: unanswerable questions, other subsets and splits than the one asked for. */
  leftOut: number;
  /** Records left out because they are malformed, where the source says `onMalformed: skip`. */
  skippedCount: number;
  /** The first of them (SKIPPED_SHOWN at most). */
  skipped: { where: string; problem: string }[];
  /** Every file the source has, in the order read; the hash is of the whole file, also where reading ends before its end. */
  files: { path: string; sha256: string; bytes: number }[];
}
