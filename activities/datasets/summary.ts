/** What was read of a source: for the run's record, so that the same data can be named and recognised again. */

/** How many of the records left out as malformed are named. */
export const SKIPPED_SHOWN = 20;

export interface SourceSummary {
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
  /** Records by the field that has numbers or truth values where texts belong: they are read as texts. Absent for none. */
  readAsText?: Record<string, number>;
  /** Records by the field that is not one of the kind's, and is passed over. Absent for none, and for published formats. */
  passedOver?: Record<string, number>;
  /** Every file the source has, in the order read; the hash is of the whole file, also where reading ends before its end. */
  files: { path: string; sha256: string; bytes: number }[];
}
